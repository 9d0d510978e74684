"""Acknowledging and reconciling onenet.credit.listings.v1 (docs/blacklist-feed.md), by the topic's headers alone.

A listing fact is a record of the topic. Both sides compare facts by a digest: SHA-256 over a line for each, in the order
of their numbers. Numbers have gaps and lie in several partitions, so a range is only whole up to a number that was noted
before every partition was read to its end.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

import onenet_stubs
import topic

service = onenet_stubs.load("onenet.credit.v1.blacklist_service_pb2")
service_grpc = onenet_stubs.load("onenet.credit.v1.blacklist_service_pb2_grpc")

WAIT = 30.0  # seconds for one call


@dataclass(frozen=True)
class Fact:
    """A record of the topic, as far as the digest needs it."""

    log_id: str
    epoch: int
    number: int
    event_id: str
    leaf: str


Facts = dict[int, Fact]


def fact(headers: dict[str, str]) -> Fact:
    """From a record's headers."""
    place = headers["ce_logid"], int(headers["ce_logepoch"]), int(headers["ce_logposition"])
    return Fact(*place, headers["ce_id"], headers["ce_leaf"])


def digest(facts: Facts, after: int, upto: int) -> tuple[int, str]:
    """Count and digest of the facts above `after` up to and including `upto`."""
    held = [facts[number] for number in sorted(facts) if after < number <= upto]
    lines = "".join(f"{it.number} {it.event_id} {it.leaf}\n" for it in held)
    return len(held), hashlib.sha256(lines.encode()).hexdigest()


def read(cluster: topic.Cluster, name: str, wait: float) -> Facts:
    """Every fact on the topic up to the highest number, with none missing below it."""
    facts: Facts = {}

    def take(message: Any) -> None:
        new = fact({key: value.decode() for key, value in message.headers()})
        before = facts.get(new.number)
        if before and before.log_id != new.log_id:
            raise topic.Failure(f"facts of two logs, {before.log_id} and {new.log_id}: ask the node's operator")
        if before is None or new.epoch > before.epoch:  # of a restored log, the newer epoch holds
            facts[new.number] = new

    topic.read_to_end(cluster, name, wait, take)
    noted = max(facts, default=0)
    topic.read_to_end(cluster, name, wait, take)  # what lies below and was still to come has come by now
    return {number: it for number, it in facts.items() if number <= noted}


def acknowledge(channel: grpc.Channel, facts: Facts) -> dict[str, Any]:
    """Says that everything held is applied; goes on where the last acknowledgement ended."""
    stub = service_grpc.BlacklistServiceStub(channel)
    states = stub.ListOpenRemovals(service.ListOpenRemovalsRequest(), timeout=WAIT).readers
    after = states[0].acknowledged.number if states else 0
    upto = max(facts, default=0)
    if upto <= after:
        return {"acknowledged": after, "count": 0}
    count, own = digest(facts, after, upto)
    last = facts[upto]
    place = {"log_id": last.log_id, "epoch": last.epoch, "number": last.number}
    request = service.AckListingsRequest(command_id=str(uuid.uuid4()), after=after, upto=place, digest=own)
    stub.AckListings(request, timeout=WAIT)
    return {"acknowledged": upto, "count": count}


def reconcile(channel: grpc.Channel, facts: Facts, day: str) -> dict[str, Any]:
    """Compares the facts of a day; where they differ, finds the first that does."""
    stub = service_grpc.BlacklistServiceStub(channel)
    theirs = stub.ReconcileListings(service.ReconcileListingsRequest(recorded_on=day), timeout=WAIT)
    after, upto = theirs.range.after, theirs.range.upto

    def agrees(after: int, upto: int) -> bool:
        request = service.ReconcileListingsRequest(range={"after": after, "upto": upto})
        answer = stub.ReconcileListings(request, timeout=WAIT)
        return digest(facts, after, upto) == (answer.count, answer.digest)

    is_same = digest(facts, after, upto) == (theirs.count, theirs.digest)
    found = None if is_same else first_difference(agrees, after, upto)
    return {"after": after, "upto": upto, "count": theirs.count, "first_difference": found}


def first_difference(agrees: Callable[[int, int], bool], after: int, upto: int) -> int:
    """The number of the first fact that differs, of a range that does: both sides agree up to `after`."""
    while upto - after > 1:
        middle = (after + upto) // 2
        if agrees(after, middle):
            after = middle
        else:
            upto = middle
    return upto


def selftest(document: str) -> None:
    """The digest is the one that the document works out, and a difference is found wherever it is."""
    block = next(it for it in document.split("```") if it.startswith("digest\n"))
    lines, expected = block.removeprefix("digest\n").strip().split("\n\n")
    facts = {}
    for line in lines.splitlines():
        number, event_id, leaf = line.split(" ")
        facts[int(number)] = Fact("L", 1, int(number), event_id, leaf)
    assert digest(facts, 0, max(facts)) == (3, expected), digest(facts, 0, max(facts))
    made = {number: Fact("L", 1, number, str(number), "00") for number in range(3, 100, 7)}
    for number, it in made.items():
        other = {**made, number: Fact("L", 1, number, it.event_id, "01")}
        found = first_difference(lambda a, u, other=other: digest(made, a, u) == digest(other, a, u), 0, 98)
        assert found == number, f"{found} instead of {number}"
