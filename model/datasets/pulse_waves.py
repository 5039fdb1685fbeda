"""The pulse waves of a record as input of the analysis."""

from __future__ import annotations

from model.signal.pulse_detector import WaveSamples
from stream.records.record import Record


def waves_within(record: Record, first: int, stop: int) -> tuple[WaveSamples, ...]:
    """Return the samples of each wave in the interval of the ECG from sample ``first`` to before ``stop``."""
    waves = []
    for wave in record.waves:
        start, adu = wave.within(first, stop)
        if adu.size:
            waves.append(WaveSamples(wave.signal, wave.fs, start, wave.values(adu)))
    return tuple(waves)
