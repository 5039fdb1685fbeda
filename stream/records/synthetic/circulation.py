"""Pulses of a synthetic patient: arterial and central venous pressure, plethysmogram, and the flow behind them.

An arterial pulse is a fixed shape while the heart ejects; then the pressure falls exponentially, as in a Windkessel
(N. Westerhof, J.-W. Lankhaar, B. E. Westerhof, "The arterial Windkessel", Med Biol Eng Comput 47(2):131-141, 2009), to
where the next pulse finds it, with a dicrotic wave after the closure of the aortic valve. The ejection time is that of
A. M. Weissler, W. S. Harris, C. D. Schoenfeld, "Systolic time intervals in heart failure in man", Circulation
37:149-159, 1968. The plethysmogram follows the same law with a slower rise; a pulse has a systolic and a diastolic
wave, as in Q. Tang, Z. Chen, R. Ward, M. Elgendi, "Synthetic photoplethysmogram generation using two Gaussian
functions", Sci Rep 10:13883, 2020. How stroke volume depends on filling, and the waves of the venous pressure (a, c, x,
v, y), are defined by this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream.records.synthetic.breathing import MEAN_VOLUME, Breaths, lung_volume
from stream.records.synthetic.gaussian_waves import gaussian_waves
from stream.records.synthetic.patient import Array, Patient, value_at, values_at
from stream.records.synthetic.rhythm import PULSELESS, Beats

FILLING_PRESSURE = 12.0
"""Pressure to which all vessels tend when the heart stands still, mmHg."""

ISOVOLUMIC_S, FILLING_S = 0.25, 0.25
"""Part of RR in which the ventricle does not fill, and the time constant of its filling."""

WITHOUT_ATRIA, VENTRICULAR_BEAT, AFTER_VENTRICULAR, LEAST = 0.9, 0.65, 1.2, 0.1
"""Stroke volume without the contraction of the atria, of a ventricular beat, and of the next, potentiated one; and the
least that opens the aortic valve: all as shares of a normal one."""

RESPIRATORY_STROKE, RESPIRATORY_PRESSURE, RESPIRATORY_VENOUS = 0.12, 3.0, 2.5
"""Decrease with a mean breath of spontaneous inspiration: of the pulse pressure, as a share; of arterial and venous
pressure, in mmHg."""

RADIAL_BEFORE_FINGER_S = 0.06
"""The pulse reaches the arterial line earlier than the finger."""

VENTRICULAR_DELAY_S = 0.02
"""Additional delay of the pulse of a ventricular beat, which ejects later after its R peak."""


@dataclass(frozen=True)
class PulseShape:
    """The shape of a pulse.

    Attributes
    ----------
    rise, stretch : float
        Time of the peak, as a share of the ejection; duration of the ejection as seen at this place.
    notch, dicrotic : float
        Heights of the incisura and of the dicrotic wave above the decay, as shares of the pulse.
    dicrotic_s : float
        Time from the incisura to the dicrotic wave's peak.
    """

    rise: float
    stretch: float
    notch: float
    dicrotic: float
    dicrotic_s: float


RADIAL = PulseShape(rise=0.38, stretch=1.1, notch=0.48, dicrotic=0.10, dicrotic_s=0.06)
FINGER = PulseShape(rise=0.52, stretch=1.3, notch=0.50, dicrotic=0.13, dicrotic_s=0.10)
FINGER_DECAY = 0.55
"""Time constant of the plethysmogram's fall, as a share of RR."""

# Waves of the venous pressure: time from R (s), width (s), amplitude (mmHg).
A_WAVE = (0.02, 0.035, 3.0)
CANNON_WAVE = (0.16, 0.050, 6.0)  # the atria contract against the closed valve
VENOUS = ((0.12, 0.025, 1.4), (0.24, 0.050, -2.0), (0.40, 0.055, 2.4), (0.53, 0.045, -1.4))  # c, x, v, y


STOPS_S, OUTPUT_LAG_S = 2.5, 5.0
"""Time after a beat from which its output is 0, and time constant of the mean output, s."""

WASHOUT_S = 12.0
"""Time constant with which the end-tidal CO2 follows the output, s."""


class Pulses(NamedTuple):
    """Pulses at one place, in order, shape (pulses,) each.

    Attributes
    ----------
    arrival, peak : ndarray
        Foot and peak, s.
    foot, height, floor, decay_s, ejection_s : ndarray
        Level of the foot; height of the peak above it; level and time constant of the decay; duration of the ejection.
    """

    arrival: Array
    peak: Array
    foot: Array
    height: Array
    floor: Array
    decay_s: Array
    ejection_s: Array


NO_PULSES = Pulses(*(np.empty(0) for _ in Pulses._fields))


def strokes(patient: Patient, breathing: Breaths, beats: Beats, after_ventricular: bool) -> Array:
    """Return the stroke volume of each beat, as a share of that of a normal beat at the patient's heart rate.

    Parameters
    ----------
    patient : Patient
    breathing : Breaths
    beats : Beats
    after_ventricular : bool
        Whether the beat before the first one was ventricular.
    """
    normal = _filling(60 / values_at(patient.heart_rate, beats.time))
    share = _filling(beats.rr) / normal * np.where(beats.atrial, 1.0, WITHOUT_ATRIA)
    ventricular = beats.kind == "V"
    share *= np.where(ventricular, VENTRICULAR_BEAT, 1.0)
    before = np.concatenate([[after_ventricular], ventricular[:-1]])[: ventricular.size]
    share[before & ~ventricular] *= AFTER_VENTRICULAR
    share *= 1 - RESPIRATORY_STROKE * (lung_volume(breathing, beats.time) - MEAN_VOLUME)
    return np.where(share < LEAST, 0.0, share)


def arrivals(patient: Patient, beats: Beats, before: float) -> Array:
    """Return when the pulse of each beat reaches the finger, s; that of the beat before them did at ``before``."""
    arrival = beats.time + values_at(patient.pulse_arrival_s, beats.time)
    arrival += np.where(beats.kind == "V", VENTRICULAR_DELAY_S, 0.0)
    # No pulse overtakes the one before, even if the delay becomes much shorter at once.
    return np.maximum.accumulate(np.maximum(arrival, before))


def resting_pressure(patient: Patient) -> float:
    """Return the arterial pressure before the first pulse, mmHg."""
    diastolic = value_at(patient.abp_diastolic, 0.0)
    return min(FILLING_PRESSURE, 0.8 * diastolic) if begins_at_rest(patient) else diastolic


def begins_at_rest(patient: Patient) -> bool:
    """Return whether the heart stands still at first."""
    return patient.rhythm[0].rhythm in PULSELESS


def arterial_pulses(patient: Patient, beats: Beats, arrival: Array, stroke: Array, before: Pulses) -> Pulses:
    """Return the pulses of the arterial pressure, without the beats that eject nothing.

    Parameters
    ----------
    patient : Patient
    beats : Beats
    arrival, stroke : ndarray, shape (beats,)
        From `arrivals` and `strokes`.
    before : Pulses
        The last one before them, if there is one.
    """
    systolic, diastolic = (values_at(course, beats.time) for course in (patient.abp_systolic, patient.abp_diastolic))
    height = np.maximum(systolic - diastolic, 1.0)
    rr = 60 / values_at(patient.heart_rate, beats.time)
    floor = np.minimum(FILLING_PRESSURE, 0.8 * diastolic)
    # The decay that leads from the incisura to the diastolic pressure within a normal interval.
    diastole = rr - RADIAL.stretch * _ejection_s(rr)
    decay_s = diastole / np.log((diastolic + RADIAL.notch * height - floor) / (diastolic - floor))
    ejection_s = RADIAL.stretch * _ejection_s(np.minimum(beats.rr, rr))
    later = Pulses(arrival - RADIAL_BEFORE_FINGER_S, arrival, arrival, height * stroke, floor, decay_s, ejection_s)
    return _follow(RADIAL, resting_pressure(patient), before, later, stroke > 0)


def finger_pulses(patient: Patient, beats: Beats, arrival: Array, stroke: Array, before: Pulses) -> Pulses:
    """Return the pulses of the plethysmogram, as `arterial_pulses`; a normal one has height 1."""
    rr = 60 / values_at(patient.heart_rate, beats.time)
    ejection_s = FINGER.stretch * _ejection_s(np.minimum(beats.rr, rr))
    level = np.zeros(stroke.shape)
    later = Pulses(arrival, arrival, arrival, stroke, level, FINGER_DECAY * rr, ejection_s)
    return _follow(FINGER, 0.0, before, later, stroke > 0)


def pulse_wave(shape: PulseShape, pulses: Pulses, time: Array, rest: float) -> Array:
    """Return the wave of some pulses at some times; ``rest`` before the first one."""
    if not pulses.arrival.size:
        return np.full(time.shape, rest)
    pulse = np.maximum(np.searchsorted(pulses.arrival, time, "right") - 1, 0)
    since = np.maximum(time - pulses.arrival[pulse], 0)
    kept, ejected = _law(shape, since, pulses.ejection_s[pulse], pulses.decay_s[pulse])
    floor = pulses.floor[pulse]
    return floor + kept * (pulses.foot[pulse] - floor) + ejected * pulses.height[pulse]


def venous_pressure(patient: Patient, beats: Beats, flow: Flow, volume: Array, first: int, fs: float) -> Array:
    """Return the central venous pressure in mmHg.

    Parameters
    ----------
    patient : Patient
    beats : Beats
    flow : Flow
    volume : ndarray, shape (n,)
        Volume of the lung at each sample.
    first : int
        Number of the first sample.
    fs : float
        Hz.
    """
    stop, rr = first + volume.size, np.clip(beats.rr, 0.3, 1.2)
    time = np.arange(first, stop) / fs
    circulating = flow.at(time)
    mean = values_at(patient.cvp_mean, time)
    pressure: Array = (
        mean + np.maximum(FILLING_PRESSURE - mean, 0) * (1 - circulating) - RESPIRATORY_VENOUS * (volume - MEAN_VOLUME)
    )
    atrial, ventricular = beats.atrial, beats.kind == "V"
    for chosen, (at, width, height) in (
        (atrial, A_WAVE),
        (ventricular, CANNON_WAVE),
        *((np.ones(atrial.shape, np.bool_), wave) for wave in VENOUS),
    ):
        scale = np.sqrt(rr[chosen]) if at > 0.1 else np.ones(np.count_nonzero(chosen))
        centre = beats.time[chosen] + at * scale
        pressure += gaussian_waves(first, stop, fs, centre, width * scale, np.full(scale.shape, height))
    # The waves of normal beats shall not change the mean.
    area = sum(width * height for _, width, height in (A_WAVE, *VENOUS)) * np.sqrt(2 * np.pi)
    pressure -= circulating * area * values_at(patient.heart_rate, time) / 60
    return pressure


class Flow(NamedTuple):
    """The cardiac output, as a share of the normal one, 0 to 1.

    Attributes
    ----------
    second : ndarray
        Whole seconds, one after another.
    output, washed : ndarray
        Output at each of them, and the same as the lungs see it in the CO2 that arrives.
    """

    second: Array
    output: Array
    washed: Array

    def at(self, time: Array) -> Array:
        """Return the output at some times, a second late: until then nothing later changes it."""
        return np.interp(time - 1, self.second, self.output)

    def washed_at(self, time: Array) -> Array:
        """Return what is washed out at some times, a second late."""
        return np.interp(time - 1, self.second, self.washed)


def following_flow(patient: Patient, beats: Beats, stroke: Array, before: Flow, stop_s: float) -> Flow:
    """Return the output at the next whole seconds, those before ``stop_s``.

    Parameters
    ----------
    patient : Patient
    beats : Beats
        With the last one before these seconds.
    stroke : ndarray, shape (beats,)
    before : Flow
        With the second before.
    stop_s : float
    """
    rest = 0.0 if begins_at_rest(patient) else 1.0
    time = np.arange(before.second[-1] + 1 if before.second.size else 0.0, math.ceil(stop_s))
    share = np.full(time.shape, rest)
    last = np.searchsorted(beats.time, time, "right") - 1
    begun = last >= 0
    last, at = last[begun], time[begun]
    share[begun] = np.clip(stroke[last] * (60 / values_at(patient.heart_rate, at)) / beats.rr[last], 0, 1)
    share[begun] = np.where(at - beats.time[last] > STOPS_S, 0.0, share[begun])
    output = lagged(share, OUTPUT_LAG_S, before.output[-1] if before.output.size else rest)
    return Flow(time, output, lagged(output, WASHOUT_S, before.washed[-1] if before.washed.size else rest))


def lagged(values: Array, lag_s: float, state: float) -> Array:
    """Return values, one per second, after a first-order lag of some seconds that begins at ``state``."""
    share, out = -np.expm1(-1 / lag_s), []
    for value in values.tolist():
        state += share * (value - state)
        out.append(state)
    return np.array(out)


def _follow(shape: PulseShape, rest: float, before: Pulses, later: Pulses, ejects: npt.NDArray[np.bool_]) -> Pulses:
    """Return the pulses of the beats that eject: each begins where the decay of the one before has led.

    Parameters
    ----------
    shape : PulseShape
    rest : float
        Level before the first pulse.
    before : Pulses
        The last one before, if there is one.
    later : Pulses
        Their peaks and feet are replaced.
    ejects : ndarray of bool, shape (later,)
    """
    pulses = Pulses(*(np.concatenate([old[-1:], new[ejects]]) for old, new in zip(before, later, strict=True)))
    kept, ejected = _law(shape, np.diff(pulses.arrival), pulses.ejection_s[:-1], pulses.decay_s[:-1])
    added = ejected * pulses.height[:-1]
    foot = (before.foot[-1:] if before.foot.size else np.array([rest])).tolist()
    for share, more, base in zip(kept.tolist(), added.tolist(), pulses.floor[:-1].tolist(), strict=True):
        foot.append(base + share * (foot[-1] - base) + more)
    pulses = pulses._replace(
        peak=pulses.arrival + shape.rise * pulses.ejection_s, foot=np.array(foot)[: pulses.arrival.size]
    )
    return Pulses(*(column[before.arrival[-1:].size :] for column in pulses))


def _law(shape: PulseShape, since: Array, ejection_s: Array, decay_s: Array) -> tuple[Array, Array]:
    """Return what is left of the foot's level, and the pulse itself, some time after the foot, as shares."""
    rise = shape.rise * ejection_s
    rising = np.sin(np.pi / 2 * np.minimum(since / rise, 1)) ** 2
    falling = np.sin(np.pi / 2 * np.clip((since - rise) / (ejection_s - rise), 0, 1)) ** 2
    after = np.maximum(since - ejection_s, 0)
    kept = np.exp(-after / decay_s)
    dicrotic = (after / shape.dicrotic_s) ** 2 * np.exp(2 - 2 * after / shape.dicrotic_s)
    return kept, rising - (1 - shape.notch) * falling - shape.notch * (1 - kept) + shape.dicrotic * dicrotic


def _filling(rr: Array) -> Array:
    """Return the filling of the ventricle after an interval, as a share of that after a long one."""
    return -np.expm1(-np.maximum(np.minimum(rr, 1.5) - ISOVOLUMIC_S, 0.02) / FILLING_S)


def _ejection_s(rr: Array) -> Array:
    """Return the left ventricular ejection time in s (Weissler et al., men)."""
    return np.clip(0.413 - 0.0017 * 60 / np.minimum(rr, 1.5), 0.16, None)
