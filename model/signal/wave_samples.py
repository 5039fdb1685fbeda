"""Samples of waves other than ECG, as they were received: of one message, and of the beds that step together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.signal.arrays import FloatArray, IntArray
from stream.wire.wave_message import Signal

SIGNALS: tuple[Signal, ...] = ("pleth", "abp")
"""Waves in which pulses are detected, in their order in all arrays."""

WAVES = len(SIGNALS)
"""Number of these waves."""

MIN_FS = 25.0
"""Lowest sampling rate at which pulses are detected, Hz; a slower wave is not analysed."""


@dataclass(frozen=True, slots=True)
class WaveSamples:
    """Consecutive samples of a wave.

    Attributes
    ----------
    signal : str
    fs : float
        Sampling rate, Hz.
    start : float
        Time of the first sample, in samples of the session at 360 Hz.
    values : ndarray, shape (n,)
        In the wave's unit, NaN where invalid.
    """

    signal: Signal
    fs: float
    start: float
    values: FloatArray


class WaveRows(NamedTuple):
    """Messages of the waves of some beds, in the order of beds, then of `SIGNALS`, then as received.

    Attributes
    ----------
    bed, wave : ndarray of int64, shape (messages,)
        The bed, and its wave as an index of `SIGNALS`.
    fs, start : ndarray, shape (messages,)
        As in `WaveSamples`.
    first : ndarray of int64, shape (messages + 1,)
        First value of each message, and the number of all values.
    values : ndarray, shape (n,)
        As in `WaveSamples`.
    """

    bed: IntArray
    wave: IntArray
    fs: FloatArray
    start: FloatArray
    first: IntArray
    values: FloatArray


def to_rows(waves: Sequence[Sequence[WaveSamples]]) -> WaveRows:
    """Return the messages of waves with pulses, as received; without those that are too slow to be analysed."""
    places, messages = [], []
    for bed, received in enumerate(waves):
        if not received:
            continue
        with_pulses = [samples for samples in received if samples.signal in SIGNALS and samples.fs >= MIN_FS]
        for samples in sorted(with_pulses, key=_wave):
            places.append((bed, _wave(samples)))
            messages.append(samples)
    beds_and_waves = np.array(places, np.int64).reshape(-1, 2)
    return WaveRows(
        bed=beds_and_waves[:, 0].copy(),
        wave=beds_and_waves[:, 1].copy(),
        fs=np.array([samples.fs for samples in messages], np.float64),
        start=np.array([samples.start for samples in messages], np.float64),
        first=np.cumsum([0, *(len(samples.values) for samples in messages)]),
        values=np.concatenate([np.empty(0), *(samples.values for samples in messages)]),
    )


def _wave(samples: WaveSamples) -> int:
    return SIGNALS.index(samples.signal)
