import io.cloudevents.v1.Cloudevents.CloudEvent.CloudEventAttributeValue;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import onenet.exchange.v1.ExchangeServiceGrpc;
import onenet.exchange.v1.ExchangeServiceOuterClass.Beginning;
import onenet.exchange.v1.ExchangeServiceOuterClass.Delivery;
import onenet.exchange.v1.ExchangeServiceOuterClass.SubscribeRequest;
import onenet.exchange.v1.ExchangeServiceOuterClass.SubscribeResponse;

/**
 * A subscriber of onenet: prints what its agency is granted, and goes on after every interruption where it was.
 * Options: --address host:port, --ca, --certificate and --key (PEM, the key PKCS #8), --token (the file in which the
 * resume token is kept), --count (end with the batch that holds this sequence; 0: never).
 */
final class Subscriber {
    // Refusals that waiting does not mend: somebody has to act. Everything else is tried again.
    private static final Set<Status.Code> FINAL = Set.of(
            Status.Code.INVALID_ARGUMENT, Status.Code.UNAUTHENTICATED, Status.Code.PERMISSION_DENIED,
            Status.Code.NOT_FOUND, Status.Code.FAILED_PRECONDITION, Status.Code.UNIMPLEMENTED,
            Status.Code.ABORTED); // another subscriber goes on with our token
    private static final double LONGEST_WAIT = 30;

    /** Mutual TLS: the node knows who we are by our certificate, and by nothing else. */
    private static ManagedChannel connect(Map<String, String> options) throws IOException {
        var credentials = TlsChannelCredentials.newBuilder()
                .trustManager(new File(options.get("ca")))
                .keyManager(new File(options.get("certificate")), new File(options.get("key")));
        return Grpc.newChannelBuilder(options.get("address"), credentials.build())
                .maxInboundMessageSize(Integer.MAX_VALUE) // a batch may be larger than the 4 MiB taken by default
                .keepAliveTime(30, TimeUnit.SECONDS) // notices a connection that died in silence
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .build();
    }

    /** Your work begins here. The event's binary data hold the message that its type names. */
    private static void handle(Delivery delivery) {
        var event = delivery.getEvent();
        var subject = event.getAttributesOrDefault("subject", CloudEventAttributeValue.getDefaultInstance());
        System.out.println(delivery.getSequence() + " " + event.getType() + " " + subject.getCeString());
    }

    /** Puts the token in place of the last, whole or not at all. */
    private static void keep(Path file, String token) throws IOException {
        var whole = Path.of(file + ".new");
        Files.writeString(whole, token, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.SYNC);
        Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        var options = new HashMap<>(Map.of("address", "localhost:7443", "ca", "ca.pem", "certificate", "agency.pem",
                "key", "agency.key", "token", "token", "count", "0"));
        for (int i = 0; i + 1 < args.length; i += 2) {
            if (options.replace(args[i].replaceFirst("^--", ""), args[i + 1]) == null) {
                throw new IllegalArgumentException("there is no option " + args[i]);
            }
        }
        var file = Path.of(options.get("token"));
        long count = Long.parseLong(options.get("count"));
        var node = ExchangeServiceGrpc.newBlockingStub(connect(options));
        for (double wait = 1;; wait = Math.min(2 * wait, LONGEST_WAIT)) {
            var request = SubscribeRequest.newBuilder();
            if (Files.exists(file)) {
                request.setResumeToken(Files.readString(file));
            } else {
                request.setBeginning(Beginning.getDefaultInstance());
            }
            var reason = "the node ended the stream";
            try {
                Iterator<SubscribeResponse> stream = node.subscribe(request.build());
                while (stream.hasNext()) {
                    var response = stream.next();
                    wait = 1;
                    long reached = 0;
                    for (var delivery : response.getBatch().getDeliveriesList()) {
                        handle(delivery);
                        reached = delivery.getSequence();
                    }
                    // `subscribed` comes first, `batch` brings events, `progress` only a newer token
                    var token = switch (response.getMessageCase()) {
                        case SUBSCRIBED -> response.getSubscribed().getResumeToken();
                        case BATCH -> response.getBatch().getResumeToken();
                        case PROGRESS -> response.getProgress().getResumeToken();
                        default -> "";
                    };
                    if (!token.isEmpty()) {
                        keep(file, token); // after the work: what is covered does not come again
                    }
                    if (count > 0 && reached >= count) {
                        System.exit(0);
                    }
                }
            } catch (StatusRuntimeException error) {
                var cause = error.getCause();
                reason = error.getMessage() + (cause == null ? "" : " (" + cause.getMessage() + ")");
                if (FINAL.contains(error.getStatus().getCode())) {
                    System.err.println(reason);
                    System.exit(1);
                }
            }
            double pause = wait * (0.5 + Math.random() / 2); // so that not everybody comes back at once
            System.err.printf("%s; again in %.1f s%n", reason, pause);
            Thread.sleep((long) (1000 * pause));
        }
    }
}
