"""Synthetic pulse waves with known pulses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.pulses import PulseStatus
from model.signal.wave_samples import WaveSamples
from stream.timebase import FS
from stream.wire.wave_message import Signal


def pulse_wave(times: Sequence[float], seconds: float, fs: float = 125.0, height: float = 1.0) -> FloatArray:
    """Return a wave with a pulse at each time, s: a fast rise, a slower fall and a dicrotic wave."""
    at = np.arange(round(seconds * fs)) / fs
    wave = np.zeros_like(at)
    for time in times:
        wave += np.exp(-(((at - time - 0.12) / np.where(at < time + 0.12, 0.06, 0.18)) ** 2))
        wave += 0.25 * np.exp(-(((at - time - 0.45) / 0.08) ** 2))
    return height * wave


def movement(seconds: float, fs: float = 125.0, height: float = 1.0, seed: int = 3) -> FloatArray:
    """Return irregular movement of about 2 Hz: peaks, but none like another."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * fs)) / fs
    points = np.arange(0, seconds + 1, 0.17)
    return height * np.interp(at, points, rng.normal(0, 0.5, points.size))


def pieces(
    wave: FloatArray, cuts: Sequence[int], signal: Signal = "pleth", fs: float = 125.0, start: float = 0.0
) -> Iterator[WaveSamples]:
    """Yield a wave cut at some samples."""
    for first, stop in zip([0, *cuts], [*cuts, len(wave)], strict=True):
        if stop > first:
            yield WaveSamples(signal, fs, start + first * FS / fs, wave[first:stop])


def every(seconds: float, until: float, first: float = 0.5) -> list[float]:
    """Return times at equal intervals, s."""
    return np.arange(first, until, seconds).tolist()


def pulse_status(times: Sequence[float], since: float | None = None, signal: Signal = "pleth") -> PulseStatus:
    """Return the status of a pulse with the given times, s."""
    samples = tuple(round(time * FS) for time in times)
    return PulseStatus(signal, samples[0] if since is None else round(since * FS), samples)


@cache
def pulse_waves() -> FloatArray:
    """Return 60 s of a plethysmogram (first column) and an arterial pressure (second), both at 360 Hz.

    Movement, a gap, and a flush of the line interrupt them.
    """
    times = np.cumsum(np.random.default_rng(2).uniform(0.7, 0.9, 73)).tolist()
    wave = pulse_wave(times, 60, FS)
    mv = np.stack([wave, 70 + 45 * np.roll(wave, -20)], axis=1)
    mv[20 * FS : 26 * FS, 0] = movement(6, FS)
    mv[40 * FS : 43 * FS, 0] = np.nan
    mv[30 * FS : 34 * FS, 1] = 250
    mv[50 * FS : 55 * FS] = mv[50 * FS]
    mv.flags.writeable = False
    return mv
