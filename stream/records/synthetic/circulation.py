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

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream.records.synthetic.breathing import MEAN_VOLUME, Breaths, lung_volume
from stream.records.synthetic.gaussian_waves import gaussian_waves
from stream.records.synthetic.patient import Array, Patient, values_at
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


def strokes(patient: Patient, breathing: Breaths, beats: Beats) -> Array:
    """Return the stroke volume of each beat, as a share of that of a normal beat at the patient's heart rate."""
    normal = _filling(60 / values_at(patient.heart_rate, beats.time))
    share = _filling(beats.rr) / normal * np.where(beats.atrial, 1.0, WITHOUT_ATRIA)
    ventricular = beats.kind == "V"
    share *= np.where(ventricular, VENTRICULAR_BEAT, 1.0)
    share[1:][ventricular[:-1] & ~ventricular[1:]] *= AFTER_VENTRICULAR
    share *= 1 - RESPIRATORY_STROKE * (lung_volume(breathing, beats.time) - MEAN_VOLUME)
    return np.where(share < LEAST, 0.0, share)


def arterial_pulses(patient: Patient, beats: Beats, stroke: Array) -> Pulses:
    """Return the pulses of the arterial pressure, without the beats that eject nothing."""
    systolic, diastolic = (values_at(course, beats.time) for course in (patient.abp_systolic, patient.abp_diastolic))
    height = np.maximum(systolic - diastolic, 1.0)
    rr = 60 / values_at(patient.heart_rate, beats.time)
    floor = np.minimum(FILLING_PRESSURE, 0.8 * diastolic)
    # The decay that leads from the incisura to the diastolic pressure within a normal interval.
    diastole = rr - RADIAL.stretch * _ejection_s(rr)
    decay_s = diastole / np.log((diastolic + RADIAL.notch * height - floor) / (diastolic - floor))
    ejection_s = RADIAL.stretch * _ejection_s(np.minimum(beats.rr, rr))
    arrival = _arrival(patient, beats) - RADIAL_BEFORE_FINGER_S
    rest = floor if _begins_at_rest(patient) else diastolic
    return _follow(RADIAL, rest, arrival, stroke, height * stroke, floor, decay_s, ejection_s)


def finger_pulses(patient: Patient, beats: Beats, stroke: Array) -> Pulses:
    """Return the pulses of the plethysmogram, without the beats that eject nothing; a normal one has height 1."""
    rr = 60 / values_at(patient.heart_rate, beats.time)
    ejection_s = FINGER.stretch * _ejection_s(np.minimum(beats.rr, rr))
    level = np.zeros(stroke.shape)
    return _follow(FINGER, level, _arrival(patient, beats), stroke, stroke, level, FINGER_DECAY * rr, ejection_s)


def pulse_wave(shape: PulseShape, pulses: Pulses, time: Array, rest: float = 0.0) -> Array:
    """Return the wave of some pulses at some times; ``rest`` if there is no pulse at all."""
    if not pulses.arrival.size:
        return np.full(time.shape, rest)
    pulse = np.maximum(np.searchsorted(pulses.arrival, time, "right") - 1, 0)
    since = np.maximum(time - pulses.arrival[pulse], 0)
    kept, ejected = _law(shape, since, pulses.ejection_s[pulse], pulses.decay_s[pulse])
    floor = pulses.floor[pulse]
    return floor + kept * (pulses.foot[pulse] - floor) + ejected * pulses.height[pulse]


def venous_pressure(patient: Patient, beats: Beats, flow: Array, volume: Array, fs: float) -> Array:
    """Return the central venous pressure in mmHg.

    Parameters
    ----------
    patient : Patient
    beats : Beats
    flow : ndarray
        Cardiac output by seconds, as from `output`.
    volume : ndarray, shape (n,)
        Volume of the lung at each sample.
    fs : float
        Hz.
    """
    n, rr = volume.size, np.clip(beats.rr, 0.3, 1.2)
    time = np.arange(n) / fs
    circulating = np.interp(time, np.arange(flow.size), flow)
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
        pressure += gaussian_waves(n, fs, beats.time[chosen] + at * scale, width * scale, np.full(scale.shape, height))
    # The waves of normal beats shall not change the mean.
    area = sum(width * height for _, width, height in (A_WAVE, *VENOUS)) * np.sqrt(2 * np.pi)
    pressure -= circulating * area * values_at(patient.heart_rate, time) / 60
    return pressure


def output(patient: Patient, beats: Beats, stroke: Array, seconds: int) -> Array:
    """Return the cardiac output at each whole second up to ``seconds``, as a share of the normal one, 0 to 1."""
    time = np.arange(seconds + 1.0)
    first = 0.0 if _begins_at_rest(patient) else 1.0
    if not beats.time.size:
        return np.full(time.shape, first)
    last = np.searchsorted(beats.time, time, "right") - 1
    normal_rr = 60 / values_at(patient.heart_rate, time)
    share = np.clip(stroke[last] * normal_rr / beats.rr[last], 0, 1)
    share[time - beats.time[last] > STOPS_S] = 0
    share[last < 0] = first
    return lagged(share, OUTPUT_LAG_S)


def lagged(values: Array, lag_s: float) -> Array:
    """Return values, one per second, after a first-order lag of some seconds."""
    share, state, out = -np.expm1(-1 / lag_s), values[0], []
    for value in values.tolist():
        state += share * (value - state)
        out.append(state)
    return np.array(out)


def _follow(
    shape: PulseShape,
    rest: Array,
    arrival: Array,
    stroke: Array,
    height: Array,
    floor: Array,
    decay_s: Array,
    ejection_s: Array,
) -> Pulses:
    """Return the pulses of the beats that eject: each begins where the decay of the one before has led."""
    rest, arrival, height, floor, decay_s, ejection_s = (
        part[stroke > 0] for part in (rest, arrival, height, floor, decay_s, ejection_s)
    )
    kept, ejected = _law(shape, np.diff(arrival), ejection_s[:-1], decay_s[:-1])
    foot = [*rest[:1].tolist()]
    for share, added, base in zip(kept.tolist(), (ejected * height[:-1]).tolist(), floor[:-1].tolist(), strict=True):
        foot.append(base + share * (foot[-1] - base) + added)
    return Pulses(arrival, arrival + shape.rise * ejection_s, np.array(foot), height, floor, decay_s, ejection_s)


def _law(shape: PulseShape, since: Array, ejection_s: Array, decay_s: Array) -> tuple[Array, Array]:
    """Return what is left of the foot's level, and the pulse itself, some time after the foot, as shares."""
    rise = shape.rise * ejection_s
    rising = np.sin(np.pi / 2 * np.minimum(since / rise, 1)) ** 2
    falling = np.sin(np.pi / 2 * np.clip((since - rise) / (ejection_s - rise), 0, 1)) ** 2
    after = np.maximum(since - ejection_s, 0)
    kept = np.exp(-after / decay_s)
    dicrotic = (after / shape.dicrotic_s) ** 2 * np.exp(2 - 2 * after / shape.dicrotic_s)
    return kept, rising - (1 - shape.notch) * falling - shape.notch * (1 - kept) + shape.dicrotic * dicrotic


def _arrival(patient: Patient, beats: Beats) -> Array:
    arrival = beats.time + values_at(patient.pulse_arrival_s, beats.time)
    arrival += np.where(beats.kind == "V", VENTRICULAR_DELAY_S, 0.0)
    # No pulse overtakes the one before, even if the delay becomes much shorter at once.
    return np.maximum.accumulate(arrival)


def _begins_at_rest(patient: Patient) -> bool:
    return patient.rhythm[0].rhythm in PULSELESS


def _filling(rr: Array) -> Array:
    """Return the filling of the ventricle after an interval, as a share of that after a long one."""
    return -np.expm1(-np.maximum(np.minimum(rr, 1.5) - ISOVOLUMIC_S, 0.02) / FILLING_S)


def _ejection_s(rr: Array) -> Array:
    """Return the left ventricular ejection time in s (Weissler et al., men)."""
    return np.clip(0.413 - 0.0017 * 60 / np.minimum(rr, 1.5), 0.16, None)
