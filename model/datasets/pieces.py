"""A record as input of the analysis: its ECG and its pulse waves, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples
from stream.records.record import Record


def pieces(record: Record, size: int) -> Iterator[tuple[FloatArray, tuple[WaveSamples, ...]]]:
    """Yield the ECG of a record, ``size`` samples at once, shape (n, leads), mV, with the waves of their interval."""
    for first in range(0, record.n, size):
        piece = replace(record, adu=record.adu[first : first + size])
        yield piece.mv(), waves_within(record, first, first + piece.n)


def waves_within(record: Record, first: int, stop: int) -> tuple[WaveSamples, ...]:
    """Return the samples of each wave in the interval of the ECG from sample ``first`` to before ``stop``."""
    waves = []
    for wave in record.waves:
        start, adu = wave.within(first, stop)
        if adu.size:
            waves.append(WaveSamples(wave.signal, wave.fs, start, wave.values(adu)))
    return tuple(waves)
