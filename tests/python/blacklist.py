"""A reader of onenet.credit.blacklist.v1, as the joint-punishment platform would write it (docs/blacklist-feed.md).

The topic holds one record per subject: its whole current state. Whoever reads it from the start to the end knows the
list, and whoever reads on stays current. Three rules make that true:

1. Read committed records only: an uncommitted one may be of a change that never happened.
2. Ignore a record whose position (epoch first, then number) is not above the one held for its key. It is old or known.
3. `nothing_in_force` ends everything held for the subject; a record without a value says: forget the key.

With --ca, --certificate and --key the brokers are called by mutual TLS, as the node itself is.

What was applied is acknowledged (`--acknowledge`) and compared with the node (`--reconcile`): listings.py.

This reader keeps its state in memory, so it commits no offsets and reads from the start each time. One that keeps its
state in a database writes state and offsets in one transaction there, and goes on at these offsets.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

import grpc
from confluent_kafka import KafkaException, Message

import listings
import onenet_channel
import onenet_stubs
import topic
from topic import Failure

entry_pb2 = onenet_stubs.load("onenet.credit.v1.credit_entry_pb2")
Record = entry_pb2.BlacklistRecord


@dataclass(frozen=True)
class Held:
    """What is held of one subject."""

    log_id: str
    position: tuple[int, int]
    in_force: list[str]
    reason: str | None


def apply(held: dict[str, Held], key: str, value: bytes | None) -> None:
    """Takes one record of the topic into the state. May see any record again, and older ones, at any time."""
    if value is None:
        held.pop(key, None)
        return
    record = Record.FromString(value)
    if record.subject != key:
        raise Failure(f"the record of key {key} is about {record.subject}")
    place, before = record.position, held.get(key)
    position = (place.epoch, place.number)
    if before and before.log_id != place.log_id:
        raise Failure(f"{key} moved from log {before.log_id} to {place.log_id}: their positions cannot be compared")
    if before and position <= before.position:
        return
    match record.WhichOneof("state"):
        case "entry":
            listings, reason = [listing.listing_id for listing in record.entry.in_force], None
        case "nothing_in_force":
            listings, reason = [], entry_pb2.RemovalReason.Name(record.nothing_in_force.reason)
        case _:
            raise Failure(f"the record of {key} says nothing this reader knows: read the contract anew")
    held[key] = Held(place.log_id, position, listings, reason)


def read(cluster: topic.Cluster, name: str, wait: float, expect: int) -> dict[str, Held]:
    """Reads until the end of every partition with at least so many subjects held, for at most `wait` seconds."""
    held: dict[str, Held] = {}

    def take(message: Message) -> None:
        if (key := message.key()) is None:
            raise Failure(f"{name}: a record without a key")
        apply(held, key.decode(), message.value())

    def enough() -> str:
        return "" if len(held) >= expect else f"with {len(held)} of {expect} subjects held"

    topic.read_to_end(cluster, name, wait, take, enough)
    return held


def selftest() -> None:
    """The rules above, each on records made up for it."""

    def record(number: int, *listings: str, epoch: int = 1, subject: str = "S") -> bytes:
        made = Record(subject=subject, position={"log_id": "L", "epoch": epoch, "number": number})
        if listings:
            made.entry.in_force.extend(entry_pb2.Listing(listing_id=listing) for listing in listings)
        else:
            made.nothing_in_force.reason = entry_pb2.REMOVAL_REASON_EXPIRED
        return bytes(made.SerializeToString())

    held: dict[str, Held] = {}
    steps: list[tuple[str, bytes | None, list[str] | None]] = [
        ("a first listing", record(5, "a"), ["a"]),
        ("the same record again", record(5, "a"), ["a"]),
        ("an older record", record(4, "z"), ["a"]),
        ("a second listing, whole entry", record(9, "a", "b"), ["a", "b"]),
        ("nothing in force", record(12), []),
        ("an older entry after the removal", record(9, "a", "b"), []),
        ("a higher epoch, lower number", record(2, "c", epoch=2), ["c"]),
        ("a higher number of the old epoch", record(99, "d"), ["c"]),
        ("a tombstone", None, None),
        ("a tombstone of what is not held", None, None),
        ("a new start after the tombstone", record(20, "e", epoch=2), ["e"]),
    ]
    for name, value, expected in steps:
        apply(held, "S", value)
        actual = held["S"].in_force if "S" in held else None
        assert actual == expected, f"{name}: {actual} instead of {expected}"
    apply(held, "T", record(21, epoch=2, subject="T"))
    assert held["T"].reason == "REMOVAL_REASON_EXPIRED" and held["S"].in_force == ["e"], held
    stateless = Record(subject="S", position={"log_id": "L", "epoch": 3, "number": 1}).SerializeToString()
    for key, value in (("S", stateless), ("U", record(1, "a"))):
        try:
            apply(held, key, value)
        except Failure:
            continue
        raise AssertionError(f"{key}: a record that breaks the contract was taken")
    listings.selftest((onenet_stubs.ROOT / "docs" / "blacklist-feed.md").read_text())
    print("selftest: all good")


def answer(args: argparse.Namespace) -> Any:
    """What the command line asks for, as JSON shows it."""
    cluster = topic.Cluster.of(args)
    if not (args.acknowledge or args.reconcile):
        held = read(cluster, f"{args.prefix}{args.topic}", args.wait, args.expect)
        return {
            subject: {"in_force": state.in_force, "reason": state.reason, "position": state.position[1]}
            for subject, state in sorted(held.items())
        }
    facts = listings.read(cluster, f"{args.prefix}onenet.credit.listings.v1", args.wait)
    with onenet_channel.connect(args) as channel:
        try:
            if args.acknowledge:
                return listings.acknowledge(channel, facts)
            return listings.reconcile(channel, facts, args.reconcile)
        except grpc.RpcError as error:
            raise Failure(f"{error.code().name}: {error.details()}") from error


def main() -> int:
    """0 and the state as JSON; otherwise 1 and one line that says why."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", help="host:port, several with commas")
    parser.add_argument("--prefix", default="", help="in front of the topic's name")
    parser.add_argument("--topic", default="onenet.credit.blacklist.v1", help="what to read (the blacklist)")
    parser.add_argument("--reader", default="blacklist", metavar="USCC", help="whose certificate it is: groups begin so")
    parser.add_argument("--expect", "--until-subjects", type=int, default=0, metavar="N", help="read on until N are held")
    parser.add_argument("--wait", type=float, default=30, metavar="SECONDS", help="give up after this time (30)")
    parser.add_argument("--acknowledge", action="store_true", help="say that every listing fact on the topic is applied")
    parser.add_argument("--reconcile", metavar="DAY", help="compare the listing facts of a day, YYYY-MM-DD in Beijing")
    onenet_channel.add_arguments(parser, required=False)
    parser.add_argument("--selftest", action="store_true", help="check the rules on made-up records; needs no broker")
    args = parser.parse_args()
    if args.selftest:
        selftest()
        return 0
    if not args.brokers:
        parser.error("--brokers is missing")
    if (args.acknowledge or args.reconcile) and not (args.address and args.ca and args.certificate and args.key):
        parser.error("--acknowledge and --reconcile need --address, --ca, --certificate and --key")
    try:
        print(json.dumps(answer(args), indent=2))
    except (Failure, KafkaException, OSError) as error:
        print(f"blacklist: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
