"""Features of one lead per stride (100 ms), from which the signal quality is measured."""

from __future__ import annotations

from scipy.signal import butter

from model.signal.arrays import BoolArray, FloatArray
from model.signal.compiled import compiled, compiled_part
from model.signal.iir_filter import filter_sample
from model.signal.small_arrays import shift
from stream.timebase import FS, STRIDE

MUSCLE_SOS = butter(2, (30.0, 100.0), "bandpass", fs=FS, output="sos")
"""Band-pass filter for muscle artefact, 30 to 100 Hz: above the main power of the QRS complex (5 to 20 Hz), and below
the frequencies that resampled records lack."""

WINDOW_STRIDES = 20
"""Strides in the window of the index: 2 s, which contains a beat at 30/min or more."""

HIGH, LOW, MEAN, POWER, INVALID, BASELINE = range(6)
"""Indices of the features: maximum, minimum, mean, power between 30 and 100 Hz, number of invalid samples, and the
mean of the last five means."""

FEATURES = 6
"""Number of features."""


@compiled
def push_stride(
    features: FloatArray, state: FloatArray, mv: FloatArray, invalid: BoolArray, lead: int, first: bool
) -> None:
    """Append the features of a stride to those of the last strides.

    Parameters
    ----------
    features : ndarray, shape (FEATURES, WINDOW_STRIDES)
        Changed in place.
    state : ndarray, shape (sections, 2)
        State of the filter, changed in place.
    mv : ndarray, shape (STRIDE, leads), mV
    invalid : ndarray of bool, shape (STRIDE, leads)
    lead : int
        Column of the lead.
    first : bool
        Whether this is the first stride of the epoch: there are no features before, its own are repeated.
    """
    for feature in range(FEATURES):
        shift(features[feature], 1)
    high = low = mv[0, lead]
    total, power, missing = 0.0, 0.0, 0
    for sample in range(STRIDE):
        value = mv[sample, lead]
        high, low = max(high, value), min(low, value)
        total += value
        power += filter_sample(MUSCLE_SOS, state, value) ** 2
        missing += invalid[sample, lead]
    new = features[:, -1]
    new[HIGH], new[LOW], new[MEAN] = high, low, total / STRIDE
    new[POWER], new[INVALID] = power / STRIDE, missing
    if first:
        for feature in range(BASELINE):
            _repeat(features[feature])
    means = features[MEAN]
    new[BASELINE] = (means[-1] + means[-2] + means[-3] + means[-4] + means[-5]) / 5
    if first:
        _repeat(features[BASELINE])


@compiled_part
def _repeat(values: FloatArray) -> None:
    """Replace all values by the last one."""
    for i in range(len(values)):
        values[i] = values[-1]


@compiled
def highest(values: FloatArray, first: int) -> float:
    """Return the maximum of the values from index ``first`` on."""
    found = values[first]
    for i in range(first + 1, len(values)):
        found = max(found, values[i])
    return float(found)


@compiled
def lowest(values: FloatArray, first: int) -> float:
    """Return the minimum of the values from index ``first`` on."""
    found = values[first]
    for i in range(first + 1, len(values)):
        found = min(found, values[i])
    return float(found)
