"""The last seconds of a wave, as it is received, at a working rate."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from model.signal.arrays import Float32Array, FloatArray
from model.signal.wave_samples import WaveSamples
from stream.timebase import FS

MAX_GAP_S = 10.0
"""Longest gap that is kept as invalid samples; after a longer one the wave begins anew."""


@dataclass(frozen=True, slots=True)
class RecentWave:
    """The last samples of a wave; those of the working rate are averages of ``every`` of them.

    Attributes
    ----------
    fs : float
        Rate at which it is received, Hz.
    every : int
    origin : float
        Time of the first sample ever received, in samples of the session at 360 Hz.
    first : int
        Number of ``values[0]`` at the working rate, counted from ``origin``.
    values : ndarray of float32, shape (n,)
        At the working rate, NaN where one of the samples is invalid.
    rest : ndarray of float32, shape (m,)
        The samples after, fewer than ``every``.
    """

    fs: float
    every: int
    origin: float
    first: int
    values: Float32Array
    rest: Float32Array

    def __post_init__(self) -> None:
        sizes = self.values.ndim == self.rest.ndim == 1 and len(self.rest) < self.every and self.first >= 0
        if not (sizes and self.fs > 0 and math.isfinite(self.fs) and math.isfinite(self.origin)):
            raise ValueError("the last seconds of a wave do not fit together")

    @property
    def working_fs(self) -> float:
        """Rate of ``values``, Hz."""
        return self.fs / self.every

    def _number(self, at: float) -> int:
        """Return the number of samples of the working rate that are complete at a time of the session."""
        received = math.floor((at - self.origin) * self.fs / FS + 1e-6) + 1
        return max(received // self.every, 0)

    def last(self, at: float, seconds: float) -> FloatArray:
        """Return the samples of the last seconds at a time of the session, NaN where they have not been received."""
        stop = self._number(at)
        start = max(stop - round(seconds * self.working_fs), 0)
        values = np.full(stop - start, np.nan)
        known = self.values[max(start - self.first, 0) : max(stop - self.first, 0)]
        place = max(self.first - start, 0)
        values[place : place + len(known)] = known
        return values

    def time(self, at: float, n: int, sample: float) -> float:
        """Return the time, in samples of the session, of a sample of the ``n`` that `last` has returned."""
        return self.origin + (self._number(at) - n + sample + (1 - 1 / self.every) / 2) * self.every * FS / self.fs

    def forget(self, at: float, seconds: float) -> RecentWave:
        """Return the wave without the samples that are older than some seconds at a time of the session."""
        old = min(self._number(at) - round(seconds * self.working_fs) - self.first, len(self.values))
        return replace(self, first=self.first + old, values=self.values[old:].copy()) if old > 0 else self


def _begin(samples: WaveSamples, working_fs: float) -> RecentWave:
    every = max(int(samples.fs / working_fs), 1)
    nothing = np.empty(0, np.float32)
    return RecentWave(float(samples.fs), every, float(samples.start), 0, nothing, nothing)


def receive(wave: RecentWave | None, samples: WaveSamples, working_fs: float) -> RecentWave:
    """Return the wave with further samples; what was received before is dropped, what is missing is invalid.

    After a long gap, and at another sampling rate, it begins anew.

    Parameters
    ----------
    wave : RecentWave or None
        None: nothing has been received.
    samples : WaveSamples
    working_fs : float
        Lowest working rate, Hz, of a wave that begins.
    """
    if wave is None:
        wave = _begin(samples, working_fs)
    received = (wave.first + len(wave.values)) * wave.every + len(wave.rest)
    missing = round((samples.start - wave.origin) * wave.fs / FS) - received
    if samples.fs != wave.fs or missing > MAX_GAP_S * wave.fs:
        wave = _begin(samples, working_fs)
        missing = 0
    new = samples.values[-min(missing, 0) :]
    all_values = np.concatenate([wave.rest, np.full(max(missing, 0), np.nan), new]).astype(np.float32)
    whole = len(all_values) // wave.every * wave.every
    values = all_values[:whole].reshape(-1, wave.every).mean(axis=1, dtype=np.float64).astype(np.float32)
    return replace(wave, values=np.concatenate([wave.values, values]), rest=all_values[whole:].copy())
