"""The messages of a ward are made of its beds: one for each shard, and each of them fits."""

from typing import Any

from stream.wire import codec
from stream.wire.shard import ward_shard
from stream.wire.ward_batches import ShardBatch, ward_ecg
from stream.wire.ward_messages import MAX_WARD_BYTES
from tests.waveforms import chunk


def test_a_batch_is_one_message_for_each_shard_and_each_of_them_fits() -> None:
    sent: list[Any] = []
    batch = ShardBatch(ward_ecg, sent.append)
    names = [f"b{number}" for number in range(400)]
    for name in names:
        made = chunk(0, 3600, bed=name, leads=("a" * 16, "b" * 16), gain=(1.0, 1.0), zero=(0, 0), samples=bytes(14_400))
        batch.add(name, made, len(made.samples))
    batch.flush()
    assert sorted(name for message in sent for name in message.names) == sorted(names)
    assert {message.shard for message in sent} == {ward_shard(name) for name in names}
    assert all(len(codec.encode(message)) <= MAX_WARD_BYTES for message in sent)
    sent.clear()
    for _ in range(2):
        batch.add("b1", chunk(0, bed="b1"), 72)
    assert len(sent) == 1, "a bed is in a message once"
