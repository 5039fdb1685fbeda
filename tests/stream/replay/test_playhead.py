import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.clock import rfc3339
from stream.errors import UsageError
from stream.records.record import Record, RecordedNumeric, RecordedWave, of_numerics
from stream.replay.playhead import Playhead, ReplayConfig, begin, replay
from stream.replay.playhead_actions import choose_record, execute
from stream.timebase import FS
from stream.wire import codec
from stream.wire.continuity import check_sequence
from stream.wire.messages import Waveform
from stream.wire.numerics_message import UNIT_OF, Numerics
from stream.wire.replay_actions import Seek, SetSpeed

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


def test_the_largest_chunks_of_twelve_leads_fit_into_a_payload() -> None:
    adu = np.arange(12 * 8000, dtype=np.int16).reshape(8000, 12)
    names = tuple(f"{number:016}" for number in range(12))
    record = Record("r" * 200, names, (1e9,) * 12, (32767,) * 12, adu, True, "test")
    chunks = list(replay(record, ReplayConfig(chunk=3600), BEGIN_NS))
    np.testing.assert_array_equal(np.concatenate([one.adu() for one in chunks]), adu)
    assert [one.start for one in chunks] == [0, *accumulate(one.n for one in chunks[:-1])]
    assert max(len(codec.encode(one)) for one in chunks) <= codec.MAX_BYTES
    assert len(chunks) <= 5


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


def with_numerics(n: int, *rates: float, missing: int = -1) -> Record:
    """Return a traceable record with numerics whose sample k is k + 1, but for one that is missing."""
    numerics = []
    for name, fs in zip(("spo2", "nibp_mean"), rates, strict=False):
        values = np.arange(math.ceil(n * fs / FS)) + 1.0
        values[missing : missing + 1] = math.nan
        numerics.append(RecordedNumeric(name, UNIT_OF[name], fs, values))  # type: ignore[arg-type, index]
    return replace(traceable(n), numerics=tuple(numerics), synthetic=False)


def played(head: Playhead) -> Iterator[tuple[Waveform, Numerics | None]]:
    """Yield the chunks of a replay, each with the numerics of its interval."""
    while head.due_ns is not None:
        numerics = head.next_numerics()
        chunk, head = head.next_chunk()
        yield chunk, numerics


@given(
    st.integers(1, 4000),
    st.integers(1, 3600),
    st.sampled_from([1.0, 1 / 1.024, 0.5, 2.0]),
    st.floats(0.1, 1000),
    st.integers(0, 3999),
)
def test_numerics_come_in_the_chunk_of_their_sample_with_their_age(
    n: int, size: int, fs: float, speed: float, first: int
) -> None:
    first = min(first, n - 1)
    head = begin(with_numerics(n, fs), ReplayConfig(chunk=size, speed=speed, start_s=first / FS), BEGIN_NS)
    cadence = min(fs, 1.0)
    times = {math.ceil(k * FS / cadence - 1e-6) for k in range(math.ceil(n * cadence / FS) + 1)}
    for chunk, numerics in played(head):
        due = [at for at in times if chunk.position <= at < chunk.position + chunk.n]
        due += [first] if chunk.start == 0 else []
        assert (numerics is None) == (not due)
        if numerics is None:
            continue
        assert numerics.index + first == max(due)
        assert (numerics.session, numerics.epoch) == (chunk.session, chunk.epoch)
        assert chunk.start <= numerics.index < chunk.end
        assert numerics.when == rfc3339(BEGIN_NS + round(numerics.index * 1e9 / (FS * speed)))
        [spo2] = numerics.values
        position = numerics.index + first
        assert (spo2.name, spo2.unit, spo2.source) == ("spo2", "%", "recorded")
        assert spo2.value == math.floor(position * fs / FS + 1e-6) + 1
        assert spo2.age_s == pytest.approx(position / FS - (spo2.value - 1) / fs, abs=1e-3)


def test_a_slow_numeric_comes_beside_a_fast_one_and_says_its_age() -> None:
    record = with_numerics(3600, 1.0, 0.25, missing=1)
    found = [numerics for _, numerics in played(begin(record, ReplayConfig(), BEGIN_NS)) if numerics is not None]
    assert [message.index for message in found] == list(range(0, 3600, 360))
    spo2, cuff = found[3].values
    assert (spo2.name, spo2.value, spo2.age_s, cuff.name, cuff.value, cuff.age_s) == ("spo2", 4, 0, "nibp_mean", 1, 3)
    spo2, cuff = found[1].values
    assert (spo2.value, spo2.age_s) == (None, 1), "missing: since the last one"
    assert [one.values[1].age_s for one in found[4:8]] == [4, 5, 6, 7], "missing, and longer each time"


def test_a_long_chunk_has_the_latest_numerics() -> None:
    head = begin(with_numerics(3600, 1.0), ReplayConfig(chunk=1000), BEGIN_NS)
    assert [numerics.index for _, numerics in played(head) if numerics is not None] == [720, 1800, 2880, 3240]


def test_numerics_follow_a_seek_at_once() -> None:
    """The numerics before it would be out of date for up to a second, or for ever if they come once per hour."""
    for rates, age_s in (((1.0,), 0.5), ((1 / 3600,), 5.5)):
        head = begin(with_numerics(3600, *rates), ReplayConfig(), BEGIN_NS)
        _, head = head.next_chunk()
        for position in (1980, 180):
            head = execute(head, Seek(position=position), BEGIN_NS + 10**9)
            numerics = head.next_numerics()
            assert numerics is not None
            assert (numerics.epoch, numerics.index) == (head.epoch, head.start)
            [spo2] = numerics.values
            assert spo2.age_s == (age_s if position == 1980 else 0.5)
            _, head = head.next_chunk()
            assert head.next_numerics() is None


def test_numerics_follow_the_restart_of_a_loop_at_once() -> None:
    head = begin(with_numerics(500, 1.0), ReplayConfig(loop=True), BEGIN_NS)
    found = [numerics for _, numerics in itertools.islice(played(head), 42) if numerics is not None]
    assert [(one.epoch, one.index, one.values[0].value) for one in found] == [
        (epoch, 500 * epoch + at, value) for epoch in range(3) for at, value in ((0, 1), (360, 2))
    ]


def test_a_record_without_companions_sends_none() -> None:
    assert all(numerics is None for _, numerics in played(begin(traceable(720), ReplayConfig(), BEGIN_NS)))


def test_numerics_of_a_synthetic_patient_are_simulated() -> None:
    numerics = begin(replace(with_numerics(720, 1.0), synthetic=True), ReplayConfig(), BEGIN_NS).next_numerics()
    assert numerics is not None
    assert (numerics.values[0].source, numerics.synthetic) == ("simulated", True)


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


def hours(*values: float) -> Record:
    """Return a record of a pressure that is measured once an hour."""
    one = RecordedNumeric("abp_mean", "mmHg", 1 / 3600, np.array(values))
    return of_numerics("hours", (one,), 3600.0 * len(values), "test")


def sent_alone(head: Playhead, count: int = 1000) -> Iterator[tuple[int, Numerics | None]]:
    """Yield the due times and messages of a record of numerics alone."""
    for _ in range(count):
        due_ns = head.due_ns
        if due_ns is None:
            return
        message, head = head.next_alone()
        yield due_ns, message


@given(st.lists(st.just(math.nan) | st.floats(40, 120), min_size=1, max_size=400), st.floats(1, 7200))
def test_hours_are_sent_once_each_when_they_are_due_as_they_were_measured(values: list[float], speed: float) -> None:
    sent = list(sent_alone(begin(hours(*values), ReplayConfig(speed=speed), BEGIN_NS)))
    assert sent.pop() == (BEGIN_NS + round(len(values) * 3600 * 1e9 / speed), None)  # the end of the record
    assert [due_ns for due_ns, _ in sent] == [BEGIN_NS + round(k * 3600 * 1e9 / speed) for k in range(len(values))]
    for hour, (_, message) in enumerate(sent):
        assert message is not None
        assert message.alone is not None
        assert (message.index, message.alone.position, message.alone.interval_s) == (hour * 3600 * FS,) * 2 + (3600.0,)
        [one] = message.values
        assert one.value == (None if math.isnan(values[hour]) else values[hour])
        assert (one.age_s == 0) == (hour == 0 or one.value is not None)


def test_a_loop_a_seek_and_a_late_start_send_the_values_that_hold_at_once_with_their_age() -> None:
    head = begin(hours(70, 80), ReplayConfig(speed=7200, loop=True, start_s=1800), BEGIN_NS)
    messages = [message for _, message in sent_alone(head, 5)]
    assert [m and (m.epoch, m.values[0].value, m.values[0].age_s) for m in messages] == [
        (0, 70.0, 1800.0),
        (0, 80.0, 0.0),
        None,
        (1, 70.0, 0.0),
        (1, 80.0, 0.0),
    ]
    moved = execute(head.next_alone()[1], Seek(position=4500 * FS), BEGIN_NS)
    message, _ = moved.next_alone()
    assert message is not None
    assert (message.epoch, message.values[0].value, message.values[0].age_s) == (1, 80.0, 900.0)


def test_a_speed_beyond_1000_and_a_record_of_the_other_kind_are_refused() -> None:
    fast = ReplayConfig(speed=7200)
    with pytest.raises(UsageError, match="traceable has ECG"):
        begin(traceable(10), fast, BEGIN_NS)
    with pytest.raises(UsageError, match="hours has no ECG"):
        choose_record(begin(traceable(10), ReplayConfig(), BEGIN_NS), hours(70), BEGIN_NS)
    with pytest.raises(UsageError, match="traceable has ECG"):
        execute(begin(traceable(10), ReplayConfig(), BEGIN_NS), SetSpeed(speed=7200), BEGIN_NS)
