"""Reading a topic from its beginning to its end, committed records only."""

from __future__ import annotations

import argparse
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition


class Failure(Exception):
    """Ends the programme with its text."""


@dataclass(frozen=True)
class Cluster:
    """Where the brokers are, and who we are for them."""

    brokers: str
    # The brokers let a reader use groups that begin with its USCC and a dot. Each reading has one of its own: a shared
    # one would split the list.
    reader: str
    tls: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, args: argparse.Namespace) -> Cluster:
        """As the command line says it: with our certificate, or to brokers that ask nobody."""
        files: dict[str, Path | None] = {"ca": args.ca, "certificate": args.certificate, "key": args.key}
        tls = {f"ssl.{name}.location": str(path) for name, path in files.items() if path}
        return cls(args.brokers, args.reader, {"security.protocol": "ssl", **tls} if tls else {})


def read_to_end(
    cluster: Cluster, name: str, wait: float, take: Callable[[Message], None], enough: Callable[[], str] = lambda: ""
) -> None:
    """Takes each record until the end of every partition; reads on, for at most `wait` seconds, while `enough` says what is missing."""
    ended: dict[int, bool] = {}  # of each partition, whether its end was reached
    last_error = ""

    def on_error(error: KafkaError) -> None:
        nonlocal last_error
        last_error = error.str()  # such as a handshake that failed: the client goes on trying

    settings = {
        "bootstrap.servers": cluster.brokers,
        **cluster.tls,
        "group.id": f"{cluster.reader}.blacklist-{uuid.uuid4()}",
        "error_cb": on_error,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }

    def on_assign(_consumer: Consumer, partitions: list[TopicPartition]) -> None:
        ended.clear()
        ended.update({partition.partition: False for partition in partitions})

    consumer = Consumer(settings)
    try:
        consumer.subscribe([name], on_assign=on_assign)
        deadline = time.monotonic() + wait
        while not ended or not all(ended.values()) or enough():
            if time.monotonic() > deadline:
                state = f"at the end of {sum(ended.values())} of {len(ended)} partitions {enough()}"
                raise Failure(f"{name}: after {wait:g} s {state.strip()} {last_error}".rstrip())
            if (message := consumer.poll(0.1)) is None:
                continue
            error, partition = message.error(), message.partition()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if partition is not None:
                ended[partition] = error is not None
            if error is None:
                take(message)
    finally:
        consumer.close()
