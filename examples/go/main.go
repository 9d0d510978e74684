// A subscriber of onenet: prints what its agency is granted, and goes on after every interruption where it was.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	exchange "example.org/subscriber/stubs/onenet/exchange/v1"
)

var (
	address     = flag.String("address", "localhost:7443", "host:port of the node")
	ca          = flag.String("ca", "ca.pem", "authority that signed the node's certificate (PEM)")
	certificate = flag.String("certificate", "agency.pem", "our certificate (PEM)")
	key         = flag.String("key", "agency.key", "its key (PEM)")
	tokenFile   = flag.String("token", "token", "file in which the resume token is kept")
	count       = flag.Uint64("count", 0, "end with the batch that holds this sequence; 0: never")
)

// Refusals that waiting does not mend: somebody has to act. Everything else is tried again.
var final = []codes.Code{
	codes.InvalidArgument, codes.Unauthenticated, codes.PermissionDenied, codes.NotFound, codes.FailedPrecondition,
	codes.Aborted, // another subscriber goes on with our token
	codes.Unimplemented,
}

const longestWait = 30 * time.Second

// connect by mutual TLS: the node knows who we are by our certificate, and by nothing else.
func connect() *grpc.ClientConn {
	own, roots := must(tls.LoadX509KeyPair(*certificate, *key)), x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(*ca)))
	config := &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: roots}
	return must(grpc.NewClient(*address,
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		// a batch may be larger than the 4 MiB that clients take by default
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		// notices a connection that died in silence
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second})))
}

// handle is where your work begins. The event's binary data hold the message that its type names.
func handle(delivery *exchange.Delivery) {
	event := delivery.GetEvent()
	fmt.Println(delivery.GetSequence(), event.GetType(), event.GetAttributes()["subject"].GetCeString())
}

// keep puts the token in place of the last, whole or not at all.
func keep(token string) {
	file := must(os.Create(*tokenFile + ".new"))
	must(file.WriteString(token))
	must(0, file.Sync())
	must(0, file.Close())
	must(0, os.Rename(file.Name(), *tokenFile))
}

// receive runs one stream, from the token kept or else the first event, until it breaks or the count is reached.
func receive(node exchange.ExchangeServiceClient, wait *time.Duration) error {
	request := &exchange.SubscribeRequest{Start: &exchange.SubscribeRequest_Beginning{Beginning: &exchange.Beginning{}}}
	if token, err := os.ReadFile(*tokenFile); err == nil {
		request.Start = &exchange.SubscribeRequest_ResumeToken{ResumeToken: string(token)}
	} else if !os.IsNotExist(err) {
		log.Fatal(err)
	}
	stream, err := node.Subscribe(context.Background(), request)
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		*wait = time.Second
		var reached uint64
		switch message := response.GetMessage().(type) {
		case *exchange.SubscribeResponse_Subscribed: // comes first
			keep(message.Subscribed.GetResumeToken())
		case *exchange.SubscribeResponse_Batch:
			for _, delivery := range message.Batch.GetDeliveries() {
				handle(delivery)
				reached = delivery.GetSequence()
			}
			keep(message.Batch.GetResumeToken()) // after the work: what the token covers does not come again
		case *exchange.SubscribeResponse_Progress: // nothing for us, but a newer token
			keep(message.Progress.GetResumeToken())
		}
		if *count > 0 && reached >= *count {
			return nil
		}
	}
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	node, wait := exchange.NewExchangeServiceClient(connect()), time.Second
	for err := receive(node, &wait); err != nil; err = receive(node, &wait) {
		if slices.Contains(final, status.Code(err)) {
			log.Fatal(err)
		}
		pause := time.Duration(float64(wait) * (0.5 + rand.Float64()/2)) // so that not everybody comes back at once
		log.Printf("%v; again in %.1f s", err, pause.Seconds())
		time.Sleep(pause)
		wait = min(2*wait, longestWait)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
