"""Numerics wait for the ECG of their time; what no ECG takes is bounded, and what is dropped is counted."""

from __future__ import annotations

from typing import Any

from model.serving.numerics_buffer import MAX_LATE, MAX_WAITING, NumericsBuffer
from stream.wire.numerics_message import Numeric, Numerics
from tests.waveforms import SESSION, chunk

OTHER = "f" * 32


def numerics(index: int, **changes: Any) -> Numerics:
    value = Numeric(name="spo2", value=97.0, unit="%", source="recorded", age_s=0.0)
    fields = {"bed": "bed-1", "session": SESSION, "epoch": 0, "when": "2026-01-31T12:00:00Z", "values": (value,)}
    return Numerics(**(fields | {"index": index, "synthetic": False} | changes))


def test_a_chunk_takes_the_values_before_its_end() -> None:
    buffer = NumericsBuffer(2)
    one = chunk(3)
    for index in (one.start - 1, one.start, one.end - 1, one.end):
        buffer.put(numerics(index), {})
    taken, dropped = buffer.take(one)
    assert [samples.index for samples in taken] == [one.start - 1, one.start, one.end - 1]
    assert dropped == []
    assert [samples.index for samples in buffer.take(chunk(4))[0]] == [one.end]
    assert "bed-1" not in buffer


def test_values_of_another_session_or_a_later_epoch_wait_and_earlier_or_late_ones_are_counted() -> None:
    buffer, one = NumericsBuffer(2), chunk(300, epoch=1)
    buffer.put(numerics(one.start, epoch=0), {})
    buffer.put(numerics(one.start - MAX_LATE - 1, epoch=1), {})
    buffer.put(numerics(one.start, epoch=1), {})
    buffer.put(numerics(one.start, epoch=2), {})
    buffer.put(numerics(0, session=OTHER), {})
    taken, dropped = buffer.take(one)
    assert (len(taken), [message.index for message in dropped]) == (1, [one.start, one.start - MAX_LATE - 1])
    assert len(buffer.take(chunk(301, epoch=2))[0]) == 1
    assert len(buffer.take(chunk(0, session=OTHER))[0]) == 1


def test_the_oldest_values_of_a_bed_are_dropped_and_beds_without_ecg_give_way() -> None:
    buffer, served = NumericsBuffer(2), {"bed-1"}
    dropped = [message.index for index in range(MAX_WAITING + 5) for message in buffer.put(numerics(index), served)]
    taken, late = buffer.take(chunk(100))
    assert (len(taken), dropped, late) == (MAX_WAITING, [0, 1, 2, 3, 4], [])
    for bed in ("bed-1", "a", "b"):
        buffer.put(numerics(0, bed=bed), served)
    assert ["bed-1" in buffer, "a" in buffer, "b" in buffer] == [True, False, True]
