"""Reading a topic from its beginning to its end, committed records only."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition


class Failure(Exception):
    """Ends the programme with its text."""


def read_to_end(
    brokers: str, name: str, wait: float, take: Callable[[Message], None], enough: Callable[[], str] = lambda: ""
) -> None:
    """Takes each record until the end of every partition; reads on, for at most `wait` seconds, while `enough` says what is missing."""
    ended: dict[int, bool] = {}  # of each partition, whether its end was reached
    settings = {
        "bootstrap.servers": brokers,
        "group.id": f"blacklist-reader-{uuid.uuid4()}",  # of its own: a shared group would split the list
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
                raise Failure(f"{name}: after {wait:g} s {state.strip()}")
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
