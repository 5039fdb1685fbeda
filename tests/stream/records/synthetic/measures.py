"""Simple measures of the waves of a record, independent of the generator and of the analysis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import find_peaks

from stream.records.record import Record
from stream.timebase import FS
from stream.wire.numerics_message import NumericName
from stream.wire.wave_message import Signal

Array = npt.NDArray[np.float64]


def wave(record: Record, signal: Signal) -> tuple[Array, Array]:
    """Return the times in s and the values of a wave."""
    [found] = [wave for wave in record.waves if wave.signal == signal]
    return np.arange(found.adu.size) / found.fs, found.values(found.adu)


def numeric(record: Record, name: NumericName) -> Array:
    [found] = [numeric for numeric in record.numerics if numeric.name == name]
    return found.values


def r_peaks(record: Record) -> Array:
    """Return the times of the R peaks in s, from MLII."""
    found, _ = find_peaks(record.mv()[:, 0], height=0.7, distance=FS // 4)
    return found / FS


def beats(record: Record, symbols: str) -> Array:
    """Return the times of the annotated beats of some kinds, s."""
    assert record.annotations is not None
    chosen = [symbol in symbols for symbol in record.annotations.symbol]
    return record.annotations.sample[chosen] / FS


def peaks(time: Array, values: Array, prominence: float, apart_s: float = 0.1) -> tuple[Array, Array]:
    """Return the times and the values of the maxima."""
    found, _ = find_peaks(values, prominence=prominence, distance=round(apart_s / (time[1] - time[0])))
    return time[found], values[found]


def rate(times: Array) -> float:
    """Return the mean rate of some events, 1/min."""
    return 60 * (len(times) - 1) / (times[-1] - times[0])


def pulse_after(time: Array, values: Array, beat: Array) -> tuple[Array, Array]:
    """Return how long after each beat its pulse begins, s, and the height of the pulse."""
    starts, heights = [], []
    for at in beat:
        inside = (time >= at + 0.05) & (time < at + 0.75)
        foot = int(np.argmin(values[inside][: np.argmax(values[inside]) + 1]))
        starts.append(time[inside][foot] - at)
        heights.append(values[inside].max() - values[inside][foot])
    return np.array(starts), np.array(heights)
