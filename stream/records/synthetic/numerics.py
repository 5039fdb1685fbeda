"""The numbers that a monitor would show for a synthetic patient, once a second.

They are computed from the model's own beats, pulses, breaths and pressures, without the noise of the waves: averaged
over the last seconds as in a monitor, and missing while there is nothing to measure. Pressures and pulse rate need
pulses; saturation is that of blood that has travelled from the lungs to the finger, and needs pulses, too.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from stream.records.synthetic.breathing import MEAN_VOLUME, lung_volume
from stream.records.synthetic.circulation import RESPIRATORY_PRESSURE, lagged
from stream.records.synthetic.events import Events
from stream.records.synthetic.patient import Array, Patient, values_at
from stream.records.synthetic.rhythm import segment_at
from stream.wire.numerics_message import NumericName

AVERAGED_S, RATE_S, BREATHS_S = 8.0, 10.0, 32.0
"""Seconds over which pressures, heart and pulse rate, and respiration rate are averaged."""

ABSENT_S, APNOEA_S = 4.0, 20.0
"""Time without a beat or pulse, and without a breath, after which there is no rate, s."""

TRAVEL_S, OXIMETER_S = 10.0, 5.0
"""Delay of the saturation: the way of the blood to the finger, and the time constant of the oximeter's average, s. Half
of a step is shown after 14 s."""


def numerics(patient: Patient, events: Events, abp: Array, cvp: Array, fs: float) -> dict[NumericName, Array]:
    """Return each number by its name, at 0, 1, 2 … s; NaN where missing.

    Parameters
    ----------
    patient : Patient
    events : Events
    abp, cvp : ndarray, shape (n,)
        Arterial and central venous pressure without noise, mmHg.
    fs : float
        Sampling rate of the pressures, Hz.
    """
    time = np.arange(math.ceil(abp.size / fs), dtype=np.float64)
    beats, radial, finger, breaths = events.beats, events.radial, events.finger, events.breaths
    pulse_rate = _rate(finger.peak, time, RATE_S, ABSENT_S)
    saturation = lagged(values_at(patient.spo2, time - TRAVEL_S), OXIMETER_S)
    swing = [RESPIRATORY_PRESSURE * (lung_volume(breaths, at) - MEAN_VOLUME) for at in (radial.peak, radial.arrival)]
    expired = breaths.onset + breaths.period
    values: dict[NumericName, Array] = {
        "heart_rate": np.where(_standstill(patient, events, time), 0.0, _rate(beats.time, time, RATE_S, ABSENT_S)),
        "pulse_rate": pulse_rate,
        "spo2": np.where(np.isnan(pulse_rate), np.nan, saturation),
        "abp_systolic": _mean(radial.peak, radial.foot + radial.height - swing[0], time),
        "abp_diastolic": _mean(radial.peak, radial.foot - swing[1], time),
        "abp_mean": _moving_mean(abp, fs, time),
        "cvp_mean": _moving_mean(cvp, fs, time),
        "respiration_rate": _respiration_rate(events, time),
        "etco2": _latest(expired, events.end_tidal, time),
    }
    rounded = {name: np.rint(value) for name, value in values.items()}
    rounded["temperature"] = np.round(values_at(patient.temperature, time), 1)
    for value in rounded.values():
        value.flags.writeable = False
    return rounded


def _standstill(patient: Patient, events: Events, time: Array) -> npt.NDArray[np.bool_]:
    """Return whether there is asystole, long enough for a rate of 0."""
    asystole = np.array([segment_at(patient.rhythm, at)[0] == "asystole" for at in time.tolist()], np.bool_)
    return np.logical_and(asystole, _age(events.beats.time, time) > ABSENT_S)


def _respiration_rate(events: Events, time: Array) -> Array:
    """Return the rate of the breaths in 1/min; 0 in apnoea."""
    rate = _rate(events.breaths.onset, time, BREATHS_S, APNOEA_S)
    return np.where(_age(events.breaths.onset, time) > APNOEA_S, 0.0, rate)


def _age(at: Array, time: Array) -> Array:
    """Return the time since the last of some events, or since the start if there is none, s."""
    number = np.searchsorted(at, time, "right")
    last: Array = np.concatenate([[0.0], at])[number]
    return time - last


def _rate(at: Array, time: Array, window_s: float, absent_s: float) -> Array:
    """Return the rate of the events of the last seconds in 1/min; NaN with fewer than two, or if the last is old."""
    first, stop = np.searchsorted(at, time - window_s, "right"), np.searchsorted(at, time, "right")
    rate = np.full(time.shape, np.nan)
    known = (stop - first >= 2) & (_age(at, time) <= absent_s)
    first, last = first[known], stop[known] - 1
    rate[known] = 60 * (last - first) / (at[last] - at[first])
    return rate


def _mean(at: Array, values: Array, time: Array) -> Array:
    """Return the mean value of the events of the last seconds; NaN if the last is old, or there is none."""
    first, stop = np.searchsorted(at, time - AVERAGED_S, "right"), np.searchsorted(at, time, "right")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    known = (stop > first) & (_age(at, time) <= ABSENT_S)
    mean = np.full(time.shape, np.nan)
    mean[known] = (sums[stop[known]] - sums[first[known]]) / (stop - first)[known]
    return mean


def _latest(at: Array, values: Array, time: Array) -> Array:
    """Return the value of the last breath that has ended; NaN if that is long ago, or there is none."""
    number = np.searchsorted(at, time, "right")
    latest = np.concatenate([[np.nan], values])[number]
    return np.where(_age(at, time) > APNOEA_S, np.nan, latest)


def _moving_mean(wave: Array, fs: float, time: Array) -> Array:
    """Return the mean of the last seconds of a wave."""
    stop = np.minimum(np.floor(time * fs).astype(np.int64) + 1, wave.size)
    first = np.maximum(stop - round(AVERAGED_S * fs), 0)
    sums = np.concatenate([[0.0], np.cumsum(wave)])
    mean: Array = (sums[stop] - sums[first]) / (stop - first)
    return mean
