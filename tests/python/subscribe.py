"""A subscriber of onenet.exchange.v1.ExchangeService, as an agency would write it: exactly once without deduplicating.

The server gives a token with every batch. What makes a delivery safe is the order of two writes on our side:

1. append the batch to the output file and fsync it,
2. write {token, length of the output file} to the state file, as one atomic replacement.

Killed between the two, the output holds a batch that the token does not cover. The next start cuts the output back to
the length in the state and resumes with the token, so the same batch comes again: nothing is lost, nothing is twice.
A database does the same with one transaction over the rows and the token. One process at a time per state file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc

import onenet_channel
import onenet_stubs

service = onenet_stubs.load("onenet.exchange.v1.exchange_service_pb2")
service_grpc = onenet_stubs.load("onenet.exchange.v1.exchange_service_pb2_grpc")


class Failure(Exception):
    """Ends the programme with its text."""


class Output:
    """The output file and the state file beside it, always moved in this order."""

    def __init__(self, out: Path, state: Path) -> None:
        self.state = state
        self.token: str | None = None
        length = 0
        if state.exists():
            try:
                kept = json.loads(state.read_text())
                self.token, length = kept["token"], kept["out_length"]
            except (ValueError, KeyError) as error:
                raise Failure(f"{state} holds no state of a subscription") from error
        self.file = out.open("ab+")
        if os.fstat(self.file.fileno()).st_size < length:
            raise Failure(f"{out} is shorter than {state} says ({length} bytes): one of the two is not ours")
        self.file.truncate(length)
        sync(out.parent)
        self.file.seek(0)
        self.deliveries = 0
        for line in self.file:
            self.expect(json.loads(line)["sequence"])

    def expect(self, sequence: int) -> None:
        """Counts one delivery; sequences are 1, 2, 3 … for the life of the subscription."""
        if sequence != self.deliveries + 1:
            raise Failure(f"sequence {sequence} follows {self.deliveries}")
        self.deliveries = sequence

    def append(self, deliveries: Iterable[Any], token: str) -> None:
        """Makes a batch safe, then the token that covers it."""
        lines = []
        for delivery in deliveries:
            self.expect(delivery.sequence)
            lines.append(json.dumps(row(delivery), ensure_ascii=False) + "\n")
        self.file.write("".join(lines).encode())
        self.file.flush()
        os.fsync(self.file.fileno())
        self.keep(token)

    def keep(self, token: str) -> None:
        """Puts the token in place of the last. The output has to be safe before."""
        self.token = token
        temporary = self.state.with_name(self.state.name + ".new")
        with temporary.open("w") as file:
            json.dump({"token": token, "out_length": os.fstat(self.file.fileno()).st_size}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.state)
        sync(self.state.parent)


def sync(folder: Path) -> None:
    """A new name is only safe once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def row(delivery: Any) -> dict[str, Any]:
    """What is kept of a delivery: enough to compare it with what others saw. An absent attribute is null."""
    event = delivery.event
    kept = {"sequence": delivery.sequence, "id": event.id, "type": event.type}
    for name in ("subject", "division", "industry"):
        kept[name] = event.attributes[name].ce_string if name in event.attributes else None
    return kept


def request(args: argparse.Namespace, token: str | None) -> Any:
    """Resumes with the token; without one, begins a new subscription with the first event."""
    asked = service.SubscribeRequest(max_batch=args.max_batch)
    if token is None:
        asked.beginning.SetInParent()
    else:
        asked.resume_token = token
    if args.event_type:
        asked.filter.event_types.extend(args.event_type)
    return asked


def subscribe(args: argparse.Namespace) -> None:
    """Runs until the output holds the deliveries asked for, or until SIGTERM."""
    output = Output(args.out, args.state)
    if args.count is not None and output.deliveries >= args.count:
        return
    stopped = False
    with onenet_channel.connect(args) as channel:
        stream = service_grpc.ExchangeServiceStub(channel).Subscribe(request(args, output.token))

        def stop(*_: Any) -> None:
            nonlocal stopped
            stopped = True
            stream.cancel()  # the batch in hand is finished, then the stream ends

        signal.signal(signal.SIGTERM, stop)
        try:
            for number, response in enumerate(stream):
                kind = response.WhichOneof("message")
                if (number == 0) != (kind == "subscribed"):
                    raise Failure(f"message {number} of the stream is {kind}")
                message = getattr(response, kind)
                deliveries = message.deliveries if kind == "batch" else []
                output.append(deliveries, message.resume_token)
                if args.count is not None and output.deliveries >= args.count:
                    return
        except grpc.RpcError as error:
            if not stopped:
                raise Failure(f"{error.code().name}: {error.details()}") from error
    if not stopped:
        raise Failure("the server ended the stream")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    onenet_channel.add_arguments(parser, required=True)
    for name, meaning in (
        ("state", "where the token is kept"),
        ("out", "where deliveries go, one JSON object a line"),
    ):
        parser.add_argument(f"--{name}", required=True, type=Path, metavar="FILE", help=meaning)
    parser.add_argument("--count", type=int, metavar="N", help="end with N in the output in all; the last batch is kept whole")
    parser.add_argument("--max-batch", type=int, default=0, metavar="N", help="most events in one batch; 0: the server decides")
    parser.add_argument("--event-type", action="append", metavar="T", help="only events of this type; may be given several times")
    return parser.parse_args()


def main() -> int:
    """0 when done or asked to stop; otherwise 1 and one line that says why."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until there is a stream to end
    try:
        subscribe(arguments())
    except (Failure, OSError) as error:
        print(f"subscribe: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
