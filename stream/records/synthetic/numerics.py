"""The numbers that a monitor would show for a synthetic patient, once a second.

They are computed from the model's own beats, pulses, breaths and pressures, without the noise of the waves: averaged
over the last seconds as in a monitor, and missing while there is nothing to measure. Pressures and pulse rate need
pulses; saturation is that of blood that has travelled from the lungs to the finger, and needs pulses, too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.records.synthetic.breathing import MEAN_VOLUME, lung_volume
from stream.records.synthetic.circulation import RESPIRATORY_PRESSURE, lagged
from stream.records.synthetic.events import Events
from stream.records.synthetic.patient import Array, Patient, values_at
from stream.records.synthetic.rhythm import segment_at
from stream.records.synthetic.waves import WAVE_FS
from stream.wire.numerics_message import NumericName

AVERAGED_S, RATE_S, BREATHS_S = 8.0, 10.0, 32.0
"""Seconds over which pressures, heart and pulse rate, and respiration rate are averaged."""

MEAN_SAMPLES = round(AVERAGED_S * WAVE_FS)
"""Samples of a pressure over which it is averaged."""

ABSENT_S, APNOEA_S = 4.0, 20.0
"""Time without a beat or pulse, and without a breath, after which there is no rate, s."""

TRAVEL_S, OXIMETER_S = 10.0, 5.0
"""Delay of the saturation: the way of the blood to the finger, and the time constant of the oximeter's average, s. Half
of a step is shown after 14 s."""


class NumericsSource:
    """Computes the numbers of a patient, forward in time."""

    def __init__(self) -> None:
        self._saturation: float | None = None
        self._pressures = np.empty((2, 0))
        self._begin = 0

    def piece(
        self, patient: Patient, events: Events, abp: Array, cvp: Array, first: int, stop: int
    ) -> dict[NumericName, Array]:
        """Return each number by its name at some whole seconds; NaN where missing.

        Parameters
        ----------
        patient : Patient
        events : Events
        abp, cvp : ndarray, shape (n,)
            The next samples of arterial and central venous pressure without noise, up to the last of these seconds,
            mmHg.
        first, stop : int
            The next seconds.
        """
        self._add(np.stack([abp, cvp]))
        time = np.arange(first, stop, dtype=np.float64)
        beats, radial, finger, breaths = events.beats, events.radial, events.finger, events.breaths
        pulse_rate = _rate(finger.peak, time, RATE_S, ABSENT_S)
        at_peak, at_foot = (
            RESPIRATORY_PRESSURE * (lung_volume(breaths, at) - MEAN_VOLUME) for at in (radial.peak, radial.arrival)
        )
        abp_mean, cvp_mean = self._means(time)
        values: dict[NumericName, Array] = {
            "heart_rate": np.where(_standstill(patient, events, time), 0.0, _rate(beats.time, time, RATE_S, ABSENT_S)),
            "pulse_rate": pulse_rate,
            "spo2": np.where(np.isnan(pulse_rate), np.nan, self._saturations(patient, time)),
            "abp_systolic": _mean(radial.peak, radial.foot + radial.height - at_peak, time),
            "abp_diastolic": _mean(radial.peak, radial.foot - at_foot, time),
            "abp_mean": abp_mean,
            "cvp_mean": cvp_mean,
            "respiration_rate": _respiration_rate(events, time),
            "etco2": _latest(breaths.onset + breaths.period, events.end_tidal, time),
        }
        rounded = {name: np.rint(value) for name, value in values.items()}
        rounded["temperature"] = np.round(values_at(patient.temperature, time), 1)
        return rounded

    def _saturations(self, patient: Patient, time: Array) -> Array:
        if not time.size:
            return time
        at_lungs = values_at(patient.spo2, time - TRAVEL_S)
        shown = lagged(at_lungs, OXIMETER_S, at_lungs[0] if self._saturation is None else self._saturation)
        self._saturation = float(shown[-1])
        return shown

    def _add(self, pressures: Array) -> None:
        """Add samples of the pressures, and forget those that no mean needs any more."""
        old = max(self._pressures.shape[1] - MEAN_SAMPLES, 0)
        self._pressures = np.concatenate([self._pressures[:, old:], pressures], axis=1)
        self._begin += old

    def _means(self, time: Array) -> Array:
        """Return the means of both pressures over the last seconds, shape (2, n)."""
        means = np.empty((2, time.size))
        for place, at in enumerate(time.tolist()):
            stop = int(at * WAVE_FS) + 1 - self._begin
            for pressure, mean in zip(self._pressures, means, strict=True):
                mean[place] = pressure[max(stop - MEAN_SAMPLES, 0) : stop].mean()
        return means


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
    known = (stop > first) & (_age(at, time) <= ABSENT_S)
    mean = np.full(time.shape, np.nan)
    for place in np.flatnonzero(known).tolist():
        mean[place] = values[first[place] : stop[place]].mean()
    return mean


def _latest(at: Array, values: Array, time: Array) -> Array:
    """Return the value of the last breath that has ended; NaN if that is long ago, or there is none."""
    number = np.searchsorted(at, time, "right")
    latest = np.concatenate([[np.nan], values])[number]
    return np.where(_age(at, time) > APNOEA_S, np.nan, latest)
