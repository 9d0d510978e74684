"""A subscriber of onenet: prints what its agency is granted, and goes on after every interruption where it was."""

import argparse
import io
import os
import random
import sys
import time
from pathlib import Path

import grpc

STUBS = Path(__file__).with_name("stubs")
sys.path.insert(0, str(STUBS))
# the contract of CloudEvents lies in the package `io`, a name that Python's own library has too
vars(io)["__path__"] = [str(STUBS / "io")]

from onenet.exchange.v1.exchange_service_pb2 import Beginning, Delivery, SubscribeRequest  # noqa: E402
from onenet.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub  # noqa: E402

# Refusals that waiting does not mend: somebody has to act. Everything else is tried again.
FINAL = (
    *(grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED),
    *(grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNIMPLEMENTED),
    grpc.StatusCode.ABORTED,  # another subscriber goes on with our token
)
LONGEST_WAIT = 30


def connect(args: argparse.Namespace) -> grpc.Channel:
    """Mutual TLS: the node knows who we are by our certificate, and by nothing else."""
    ca, key, certificate = (file.read_bytes() for file in (args.ca, args.key, args.certificate))
    options = [
        ("grpc.max_receive_message_length", -1),  # a batch may be larger than the 4 MiB that clients take by default
        ("grpc.keepalive_time_ms", 30_000),  # notices a connection that died in silence
        ("grpc.keepalive_timeout_ms", 10_000),
    ]
    return grpc.secure_channel(args.address, grpc.ssl_channel_credentials(ca, key, certificate), options)


def handle(delivery: Delivery) -> None:
    """Your work begins here. `event.binary_data` holds the message that `event.type` names."""
    event = delivery.event
    print(delivery.sequence, event.type, event.attributes["subject"].ce_string, flush=True)


def keep(file: Path, token: str) -> None:
    """Puts the token in place of the last, whole or not at all."""
    new = file.with_name(file.name + ".new")
    with new.open("w") as out:
        out.write(token)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)


def main(args: argparse.Namespace) -> str:
    """Runs until the count is reached; answers why it cannot go on, or nothing."""
    node, wait = ExchangeServiceStub(connect(args)), 1
    while True:
        request = SubscribeRequest(beginning=Beginning())
        if args.token.exists():
            request = SubscribeRequest(resume_token=args.token.read_text())
        try:
            for response in node.Subscribe(request):
                wait = 1
                deliveries = response.batch.deliveries
                for delivery in deliveries:
                    handle(delivery)
                # `subscribed` comes first, `batch` brings events, `progress` only a newer token
                messages = (response.subscribed, response.batch, response.progress)
                token = "".join(message.resume_token for message in messages)
                if token:
                    keep(args.token, token)  # after the work: what is covered does not come again
                if args.count and deliveries and deliveries[-1].sequence >= args.count:
                    return ""
            reason = "the node ended the stream"
        except grpc.RpcError as error:
            reason = f"{error.code().name}: {error.details()}"
            if error.code() in FINAL:
                return reason
        pause = wait * random.uniform(0.5, 1)  # so that not everybody comes back at once
        print(f"{reason}; again in {pause:.1f} s", file=sys.stderr)
        time.sleep(pause)
        wait = min(2 * wait, LONGEST_WAIT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="localhost:7443", help="host:port of the node")
    parser.add_argument("--ca", default="ca.pem", type=Path, help="authority that signed the node's certificate (PEM)")
    parser.add_argument("--certificate", default="agency.pem", type=Path, help="our certificate (PEM)")
    parser.add_argument("--key", default="agency.key", type=Path, help="its key (PEM)")
    parser.add_argument("--token", default="token", type=Path, help="file in which the resume token is kept")
    parser.add_argument("--count", default=0, type=int, help="end with the batch that holds this sequence; 0: never")
    sys.exit(main(parser.parse_args()) or 0)
