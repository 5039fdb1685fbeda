"""Waves wait for the ECG of their interval; what no ECG takes is bounded."""

from __future__ import annotations

from model.serving import wave_buffer
from model.serving.wave_buffer import WaveBuffer
from tests.waveforms import chunk, wave

OTHER = "f" * 32


def test_a_chunk_takes_the_waves_of_its_interval() -> None:
    buffer = WaveBuffer(2)
    for seq in range(4):
        buffer.put(wave(seq), {})
        buffer.put(wave(seq, signal="abp", unit="mmHg"), {})
    taken, verdicts = buffer.take(chunk(1))
    assert [(samples.signal, samples.start) for samples in taken] == [
        (name, wave(seq).start) for seq in range(2) for name in ("pleth", "abp")
    ]
    assert len(taken[0].values) == wave(0).n
    assert [samples.start for samples in buffer.take(chunk(2))[0]] == [wave(2).start] * 2
    assert buffer.take(chunk(2)) == ((), ())
    assert [verdict for _, verdict, _ in verdicts] == ["taken"] * 4


def test_waves_of_a_later_epoch_or_session_wait_and_earlier_ones_are_dropped() -> None:
    buffer = WaveBuffer(2)
    for epoch in (0, 1, 2):
        buffer.put(wave(3, epoch=epoch), {})
    buffer.put(wave(0, session=OTHER), {})
    taken, verdicts = buffer.take(chunk(3, epoch=1))
    assert (len(taken), [verdict for _, verdict, _ in verdicts]) == (1, ["refused", "taken"])
    assert len(buffer.take(chunk(4, epoch=2))[0]) == 1
    assert len(buffer.take(chunk(0, session=OTHER))[0]) == 1
    assert buffer.take(chunk(9)) == ((), ())


def test_lost_and_doubled_chunks_are_named() -> None:
    buffer = WaveBuffer(2)
    for seq in (0, 1, 1, 4, 3, 5):
        buffer.put(wave(seq), {})
    taken, verdicts = buffer.take(chunk(5))
    named = [(one.seq, verdict, lost) for one, verdict, lost in verdicts]
    lost = wave(2).n + wave(3).n
    assert named == [
        (0, "taken", 0),
        (1, "taken", 0),
        (1, "duplicate", 0),
        (4, "gap", lost),
        (3, "duplicate", 0),
        (5, "taken", 0),
    ]
    assert [samples.start for samples in taken] == [wave(seq).start for seq in (0, 1, 4, 5)]
    buffer.put(wave(9, epoch=1), {})
    assert buffer.take(chunk(9, epoch=1))[1][0].verdict == "taken", "a new epoch begins anew"
    buffer.forget("bed-1")
    buffer.put(wave(12, epoch=1), {})
    assert buffer.take(chunk(12, epoch=1))[1][0].verdict == "taken"


def test_the_oldest_waves_of_a_bed_are_dropped() -> None:
    buffer = WaveBuffer(2)
    dropped = []
    for seq in range(wave_buffer.MAX_MESSAGES + 5):
        dropped += buffer.put(wave(seq, samples=bytes(2)), {})
    assert [one.seq for one in dropped] == list(range(5))
    taken, _ = buffer.take(chunk(wave_buffer.MAX_MESSAGES + 5))
    assert (len(taken), taken[0].start) == (wave_buffer.MAX_MESSAGES, wave(5).start)
    for seq in range(30):
        buffer.put(wave(seq, epoch=1, start=seq * 28_800.0, samples=bytes(20_000)), {})
    assert len(buffer.take(chunk(24_000, epoch=1))[0]) == wave_buffer.MAX_SAMPLES // 10_000


def test_waves_of_beds_without_ecg_give_way() -> None:
    buffer = WaveBuffer(2)
    served = {"bed-1"}
    for bed in ("bed-1", "a", "b"):
        buffer.put(wave(0, bed=bed), served)
    assert [len(buffer.take(chunk(0, bed=bed))[0]) for bed in ("bed-1", "a", "b")] == [1, 0, 1]
    for bed in ("bed-1", "bed-2", "c"):
        buffer.put(wave(1, bed=bed), {"bed-1", "bed-2"})
    assert [len(buffer.take(chunk(1, bed=bed))[0]) for bed in ("bed-1", "bed-2", "c")] == [1, 1, 0]
