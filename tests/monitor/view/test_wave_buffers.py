"""Waves lie on the time scale of the ECG, wherever their chunks begin; their memory is bounded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.signal_buffer import CAPACITY
from monitor.view.wave_buffers import WaveBuffer, WaveBuffers
from stream.timebase import FS
from stream.wire.wave_message import Wave
from tests.waveforms import SESSION, wave

OTHER = "f" * 32


def traceable(seq: int, fs: float = 125.0, n: int = 36, **changes: object) -> Wave:
    """Return a chunk whose values are the times of its samples, modulo 300."""
    made = wave(seq, n, fs, **changes)
    times = made.start + np.arange(made.n) * FS / fs
    return wave(seq, n, fs, **{"samples": np.round(100 * (times % 300)).astype("<i2").tobytes(), **changes})


@given(
    fs=st.sampled_from([62.5, 100.0, 125.0, 240.0, 250.0, 500.0]),
    sizes=st.lists(st.integers(20, 200), min_size=1, max_size=12),
    window=st.tuples(st.integers(0, 2000), st.integers(1, 2000)),
)
def test_each_sample_is_at_its_time_however_the_wave_is_cut(
    fs: float, sizes: list[int], window: tuple[int, int]
) -> None:
    edges = np.cumsum([0, *sizes]).tolist()
    buffer = None
    for start, stop in pairwise(edges):
        first, last = (-(-edge * fs // FS) for edge in (start, stop))
        times = first * FS / fs + np.arange(int(last - first)) * FS / fs
        if len(times):
            adu = np.round(100 * (times % 300)).astype("<i2").tobytes()
            made = wave(0, fs=fs, start=float(times[0]), position=float(times[0]), samples=adu)
            if buffer is None:
                buffer = WaveBuffer(made)
            else:
                buffer.add(made)
    assert buffer is not None
    first, stop = window[0], window[0] + window[1]
    times, values = buffer.samples(first, stop)
    known = np.isfinite(values)
    assert ((times >= first) & (times < stop)).all()
    np.testing.assert_allclose(times[known] % 300, values[known], atol=0.006)
    wanted = np.arange(int(-(-edges[-1] * fs // FS))) * FS / fs
    assert known.sum() == ((wanted >= first) & (wanted < stop)).sum()


def test_after_a_jump_the_samples_lie_between_those_of_the_old_grid() -> None:
    buffer = WaveBuffer(traceable(0))
    shifted = 36 + 1.3
    buffer.add(wave(1, start=shifted, position=shifted, samples=np.full(12, 700, "<i2").tobytes()))
    times, values = buffer.samples(0, 80)
    later = values == 7.0
    np.testing.assert_allclose(times[later], shifted + np.arange(12) * FS / 125)
    np.testing.assert_allclose(times[:12], np.arange(12) * FS / 125)


def test_a_wave_that_arrives_before_the_ecg_of_its_session_is_kept() -> None:
    waves = WaveBuffers()
    waves.add(traceable(0), 0)
    waves.begin(SESSION)
    waves.add(traceable(1), 36)
    (trace,) = waves.traces(0, 72, ("abp", "pleth"))
    assert trace.signal == "pleth"
    assert np.isfinite(trace.values).sum() == 25
    waves.begin(OTHER)
    assert waves.traces(0, 72, ("pleth",)) == ()


def test_the_order_is_that_of_the_view_and_nothing_is_invented() -> None:
    waves = WaveBuffers()
    waves.begin(SESSION)
    for signal in ("resp", "pleth", "abp"):
        waves.add(traceable(0, signal=signal, unit="mmHg" if signal == "abp" else "NU"), 0)
    assert [trace.signal for trace in waves.traces(0, 36, ("abp", "cvp", "resp"))] == ["abp", "resp"]


def test_a_chunk_far_from_the_ecg_is_ignored() -> None:
    waves = WaveBuffers()
    waves.begin(SESSION)
    waves.add(traceable(0), 0)
    waves.add(wave(0, start=1e9, position=0.0), 36)
    (trace,) = waves.traces(0, 36, ("pleth",))
    assert np.isfinite(trace.values).all()


def test_memory_holds_eleven_minutes() -> None:
    buffer = WaveBuffer(traceable(0))
    assert buffer._ring.capacity == pytest.approx(CAPACITY * 125 / FS, abs=1)


def test_a_sensor_without_valid_samples_is_off() -> None:
    waves = WaveBuffers()
    waves.begin(SESSION)
    for seq in range(10):
        waves.add(traceable(seq), 36 * seq)
    waves.advance(324, 360, 2160, ("pleth",))
    assert not waves.traces(0, 360, ("pleth",))[0].off
    for seq in range(10, 30):
        made = traceable(seq)
        waves.add(wave(seq, samples=np.full(made.n, -32768, "<i2").tobytes()), 36 * seq)
    waves.advance(1044, 1080, 2160, ("pleth",))
    assert waves.traces(0, 1080, ("pleth",))[0].off


def test_a_longer_view_has_the_earlier_samples_at_once() -> None:
    waves = WaveBuffers()
    waves.begin(SESSION)
    for seq in range(3):
        waves.add(traceable(seq), 36 * seq)
    (short,) = waves.latest(80, 100, ("pleth",))
    (long,) = waves.latest(0, 101, ("pleth",))
    assert (short.times[0] >= 80, long.times[0]) == (True, 0.0)
