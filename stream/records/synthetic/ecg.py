"""The ECG of a synthetic patient: two leads, MLII and V1.

Each beat is a sum of Gaussians over the cardiac phase, as in ECGSYN (P. E. McSharry, G. D. Clifford, L. Tarassenko,
L. A. Smith, "A dynamical model for generating synthetic electrocardiogram signals", IEEE Trans Biomed Eng 50(3):
289-294, 2003, doi:10.1109/TBME.2003.808805), evaluated in closed form instead of integrated: the events keep their
times relative to the R peak, and later ones scale with the square root of the mean RR. ECGSYN has no ventricular beats
and no fibrillation; those here are defined by this module. Fibrillation is noise in a narrow band around its dominant
frequency: about 5 Hz in the ventricles, 6.5 Hz in the atria.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream.records.synthetic.breathing import MEAN_VOLUME
from stream.records.synthetic.gaussian_waves import gaussian_waves
from stream.records.synthetic.patient import Array, Segment, SimulatedRhythm
from stream.records.synthetic.rhythm import Beats
from stream.timebase import FS

LEADS = ("MLII", "V1")

# Time from R (s), width (s), amplitude (mV) in MLII, amplitude (mV) in V1. Adult values at 60/min.
Event = tuple[float, float, float, float]

P: Event = (-0.170, 0.022, 0.12, 0.06)
ECTOPIC_P: Event = (-0.130, 0.018, -0.08, 0.08)
NARROW: tuple[Event, ...] = (
    (-0.034, 0.009, -0.12, 0.05),  # Q
    (0.000, 0.011, 1.15, 0.25),  # R
    (0.030, 0.011, -0.25, -0.85),  # S
    (0.250, 0.055, 0.20, 0.10),  # T, rising limb
    (0.295, 0.035, 0.16, 0.08),  # T, falling limb
)
VENTRICULAR: tuple[Event, ...] = (
    (-0.030, 0.022, 0.35, -0.20),
    (0.020, 0.035, 1.45, 1.10),
    (0.085, 0.030, -0.50, 0.35),
    (0.270, 0.070, -0.55, -0.40),
)


class Waves(NamedTuple):
    """Waves of a fibrillation.

    Attributes
    ----------
    frequency : float
        Dominant frequency, Hz.
    deviations : tuple of float
        About the standard deviation in each lead, mV.
    changes_hz : float
        Changes of amplitude and phase per second.
    steady : float
        Part of the amplitude that does not change.
    """

    frequency: float
    deviations: tuple[float, float]
    changes_hz: float
    steady: float


FIBRILLATION: dict[SimulatedRhythm, Waves] = {
    "ventricular fibrillation": Waves(5.0, (0.32, 0.25), 6.0, 0.3),
    "atrial fibrillation": Waves(6.5, (0.02, 0.04), 2.5, 0.75),
}
"""The waves of the ventricles change from one to the next: with fewer or smaller changes they repeat in shape, as 1.5 %
of those of cudb and vfdb do."""

BEGINS_S, FADES_S = 0.3, 120.0
"""Time in which fibrillation begins, and time constant with which that of the ventricles becomes finer, s."""

NOISE_MV = 0.008
"""Standard deviation of white noise."""


class EcgSource:
    """Draws the ECG of a patient, forward in time.

    Parameters
    ----------
    rng : Generator
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._phase = rng.uniform(0, 2 * np.pi)
        self._noise = rng.spawn(1)[0]
        self._fibrillation: _Fibrillation | None = None

    def piece(self, beats: Beats, rhythm: Sequence[Segment], volume: Array, first: int) -> Array:
        """Return the next samples in mV, shape (n, 2).

        Parameters
        ----------
        beats : Beats
            Including those just after the end, whose P waves begin before it.
        rhythm : sequence of Segment
        volume : ndarray, shape (n,)
            Volume of the lung at each sample: the heart's axis and the baseline move with it.
        first : int
            Number of the first sample.
        """
        n = volume.size
        stop = first + n
        respiration = volume - MEAN_VOLUME
        drift = 0.10 * respiration + 0.06 * np.sin(2 * np.pi * 0.03 * np.arange(first, stop) / FS + self._phase)
        axis = 1 + 0.08 * respiration
        mv = [lead * axis + drift for lead in _complexes(beats, first, stop)]
        at = first
        while at < stop:
            now, segment_stop = self._fibrillating(rhythm, at)
            end = min(segment_stop, stop)
            if now is not None:
                for lead, wave in zip(mv, now.piece(at, end), strict=True):
                    lead[at - first : end - first] += wave
            at = end
        return np.stack(mv, axis=1) + self._noise.normal(0, NOISE_MV, (n, 2))

    def _fibrillating(self, rhythm: Sequence[Segment], at: int) -> tuple[_Fibrillation | None, int]:
        """Return the fibrillation at a sample, if there is any, and the sample at which the rhythm ends."""
        starts = [round(segment.start_s * FS) for segment in rhythm]
        number = bisect_right(starts, at) - 1
        stop = starts[number + 1] if number + 1 < len(starts) else sys.maxsize
        if rhythm[number].rhythm not in FIBRILLATION:
            return None, stop
        if self._fibrillation is None or self._fibrillation.first != starts[number]:
            self._fibrillation = _Fibrillation(rhythm[number].rhythm, starts[number], self._rng.spawn(1)[0])
        return self._fibrillation, stop


def _complexes(beats: Beats, first: int, stop: int) -> tuple[Array, Array]:
    """Return the P waves, QRS complexes and T waves of all beats in each lead, mV."""
    leads = np.zeros(stop - first), np.zeros(stop - first)
    scale = np.sqrt(np.clip(beats.mean_rr, 0.4, 1.5))
    ventricular = beats.kind == "V"
    for chosen, events in (
        (beats.atrial & (beats.kind == "N"), (P,)),
        (beats.atrial & (beats.kind == "S"), (ECTOPIC_P,)),
        (~ventricular, NARROW),
        (ventricular, VENTRICULAR),
    ):
        for at, width, *amplitudes in events:
            factor = scale[chosen] if at > 0.1 else np.ones(np.count_nonzero(chosen))
            centre = beats.time[chosen] + at * factor
            wave = gaussian_waves(first, stop, FS, centre, width * factor, np.ones(factor.shape))
            for lead, amplitude in zip(leads, amplitudes, strict=True):
                lead += amplitude * wave
    return leads


class _Fibrillation:
    """An episode of fibrillation: a carrier with a changing complex envelope.

    Most of it is common to the leads. The second harmonic makes the waves pointed.

    Parameters
    ----------
    rhythm : str
    first : int
        Its first sample.
    rng : Generator
    """

    def __init__(self, rhythm: SimulatedRhythm, first: int, rng: np.random.Generator) -> None:
        self.first = first
        self._rhythm = rhythm
        self._rng = rng
        self._begin = 0
        self._knots = np.empty((0, 6))

    def piece(self, start: int, stop: int) -> list[Array]:
        """Return the next samples of each lead, mV."""
        frequency, deviations, changes_hz, steady = FIBRILLATION[self._rhythm]
        time = np.arange(start - self.first, stop - self.first) / FS
        last = int((stop - self.first) / FS * changes_hz) + 2
        drawn = self._rng.normal(0, 1, (max(last - self._begin - len(self._knots), 0), 6))
        since = int(time[0] * changes_hz)
        self._knots = np.concatenate([self._knots, drawn])[since - self._begin :]
        self._begin = since
        knots = np.arange(since, since + len(self._knots)) / changes_hz
        real, imaginary = (
            [np.interp(time, knots, part) for part in half.T] for half in (self._knots[:, :3], self._knots[:, 3:])
        )
        common, *own = (one + 1j * other for one, other in zip(real, imaginary, strict=True))
        carrier = np.exp(2j * np.pi * (frequency * time + 0.3 * np.sin(2 * np.pi * 0.2 * time)))
        course = np.minimum(time / BEGINS_S, 1)
        if self._rhythm == "ventricular fibrillation":
            course *= np.exp(-time / FADES_S)
        leads = []
        for envelope, deviation in zip(own, deviations, strict=True):
            wave = (steady + (1 - steady) * (common + envelope)) * carrier
            leads.append(deviation * np.sqrt(2) * course * (wave.real + 0.25 * (wave**2).real / (1 + np.abs(wave))))
        return leads
