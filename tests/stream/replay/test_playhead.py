import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import UsageError
from stream.records.record import Record, RecordedWave
from stream.replay.playhead import ReplayConfig, begin, execute, replay
from stream.timebase import FS
from stream.wire.continuity import check_sequence
from stream.wire.messages import Waveform
from stream.wire.replay_actions import Seek

BEGIN_NS = 1_700_000_000_000_000_000


def traceable(n: int, leads: int = 1) -> Record:
    """Return a record whose sample i has the values i (lead 0) and -i (lead 1)."""
    index = np.arange(n, dtype=np.int16)
    adu = np.stack([index, -index][:leads], axis=1)
    return Record("traceable", ("MLII", "V1")[:leads], (200.0,) * leads, (0,) * leads, adu, True, "test")


@given(st.integers(1, 2000), st.integers(1, 3600), st.floats(0.1, 1000), st.integers(1, 2))
def test_chunks_contain_every_sample_once_with_its_due_time(n: int, size: int, speed: float, leads: int) -> None:
    record = traceable(n, leads)
    chunks = list(replay(record, ReplayConfig(chunk=size, speed=speed), BEGIN_NS))
    np.testing.assert_array_equal(np.concatenate([c.adu() for c in chunks]), record.adu)
    assert [c.seq for c in chunks] == list(range(len(chunks)))
    for c in chunks:
        assert c.start == c.position
        # Computed from the start of the replay, to the nanosecond: rounding errors do not accumulate.
        assert c.t0_ns == BEGIN_NS + round(c.start * 1e9 / (FS * speed))
        assert abs(c.due_ns - (BEGIN_NS + (c.end - 1) * 1e9 / (FS * speed))) <= 2_000


@given(st.integers(1, 500), st.integers(1, 600), st.integers(1, 40))
def test_a_loop_restart_is_a_new_epoch_without_a_gap(n: int, size: int, count: int) -> None:
    record = traceable(n)
    last = None
    for c in itertools.islice(replay(record, ReplayConfig(chunk=size, loop=True), BEGIN_NS), count):
        arrival, last = check_sequence(last, c)
        assert not arrival.duplicate
        assert arrival.lost_samples == 0
        assert arrival.discontinuous == (c.position == 0)
        assert c.start - c.epoch_start == c.position
        assert c.start == c.epoch * n + c.position


def with_wave(n: int, fs: float) -> Record:
    """Return a traceable record with a wave whose sample k is k."""
    record = traceable(n)
    adu = np.arange(math.ceil(n * fs / FS), dtype=np.int16)
    return replace(record, waves=(RecordedWave("abp", "mmHg", fs, 10.0, 0, adu),))


@given(
    st.integers(1, 2000),
    st.integers(1, 3600),
    st.sampled_from([1.0, 62.4725, 125.0, 250.0, 360.0, 500.0, 1000.0]),
    st.floats(0.1, 1000),
    st.integers(0, 1999),
)
def test_waves_contain_every_sample_once_with_its_time(n: int, size: int, fs: float, speed: float, first: int) -> None:
    first = min(first, n - 1)
    record = with_wave(n, fs)
    head = begin(record, ReplayConfig(chunk=size, speed=speed, start_s=first / FS), BEGIN_NS)
    received = []
    while head.due_ns is not None:
        waves = head.next_waves()
        chunk, head = head.next_chunk()
        for wave in waves:
            assert (wave.seq, wave.epoch, wave.session) == (chunk.seq, chunk.epoch, chunk.session)
            assert chunk.start <= wave.start < wave.end < chunk.end + FS / fs + 1e-6
            [sample] = [round(wave.position * fs / FS)]
            assert wave.position == pytest.approx(sample * FS / fs)
            assert wave.start == pytest.approx(wave.position - first)
            assert abs(wave.t0_ns - (BEGIN_NS + wave.start * 1e9 / (FS * speed))) <= 2_000
            received += (wave.values() * 10).round().astype(int).tolist()
    assert received == list(range(math.ceil(first * fs / FS), math.ceil(n * fs / FS)))


def test_waves_follow_a_seek_into_a_new_epoch() -> None:
    head = begin(with_wave(3600, 125.0), ReplayConfig(), BEGIN_NS)
    _, head = head.next_chunk()
    head = execute(head, Seek(position=1000), BEGIN_NS + 10**9)
    [wave] = head.next_waves()
    # Sample 348 of the wave, at 1002.24, is the first at or after sample 1000 of the ECG.
    assert (wave.epoch, wave.epoch_start, wave.seq) == (1, 36, 1)
    assert wave.position == pytest.approx(348 * 2.88)
    assert wave.start == pytest.approx(36 + 2.24)
    assert wave.values()[0] == pytest.approx(34.8)


def test_a_wave_that_is_shorter_than_the_ecg_ends_before_it() -> None:
    record = with_wave(3600, 125.0)
    [wave] = record.waves
    head = begin(replace(record, waves=(replace(wave, adu=wave.adu[:10]),)), ReplayConfig(), BEGIN_NS)
    [first] = head.next_waves()
    _, head = head.next_chunk()
    assert (first.n, head.next_waves()) == (10, ())


def test_a_start_within_the_record() -> None:
    first = next(replay(traceable(2000), ReplayConfig(start_s=2.0), BEGIN_NS))
    assert (first.start, first.position, int(first.adu()[0, 0])) == (0, 720, 720)


def test_each_replay_has_its_own_session() -> None:
    sessions = {next(replay(traceable(10), ReplayConfig(), BEGIN_NS)).session for _ in range(20)}
    assert len(sessions) == 20


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"chunk": 0}, "0"),
        ({"chunk": 3601}, "3601"),
        ({"speed": 0.0}, "0"),
        ({"speed": float("nan")}, "nan"),
        ({"speed": -1.0}, "-1"),
        ({"speed": 1e9}, "1e\\+09"),
        ({"start_s": -1.0}, "-1"),
        ({"start_s": float("inf")}, "inf"),
        ({"bed": "Bed 1"}, "Bed 1"),
    ],
)
def test_invalid_values_are_named_in_the_error(changes: dict[str, Any], value: str) -> None:
    with pytest.raises(UsageError, match=value):
        ReplayConfig(**changes)


def test_a_start_beyond_the_end_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"start 10 s: record traceable ends at 5\.6 s"):
        next(replay(traceable(2000), ReplayConfig(start_s=10.0), BEGIN_NS))


def test_samples_of_a_recording_are_unchanged(excerpt: Record) -> None:
    chunks: list[Waveform] = list(replay(excerpt, ReplayConfig(), BEGIN_NS))
    np.testing.assert_array_equal(np.concatenate([c.adu() for c in chunks]), excerpt.adu)
    np.testing.assert_allclose(np.concatenate([c.mv() for c in chunks]), (excerpt.adu - 1024.0) / 200.0)
