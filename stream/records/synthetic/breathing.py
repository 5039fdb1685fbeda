"""Breaths, and what follows from them: the lung's volume, the respiration wave and the capnogram.

The volume rises as a squared sine during inspiration and falls as a critically damped response during expiration. The
capnogram has the phases of textbooks: none of the dead space's gas at first, a steep rise, a slightly rising alveolar
plateau whose end is the end-tidal CO2, and a steep fall at the next inspiration (M. B. Jaffe, "Infrared measurement of
carbon dioxide in the human breath", Anesth Analg 107(3):890-904, 2008). The shapes are defined by this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream.records.synthetic.patient import Array, Patient, value_at

APNOEA = 2.0
"""Rate below which no breath begins, 1/min."""

SEARCH_S = 0.1
"""In apnoea, time between the moments at which a breath may begin, s."""

INSPIRATION = 0.38
"""Share of a breath."""

EXPIRATION = 0.17
"""Time constant of the expiration, as a share of its duration."""

MEAN_VOLUME = 0.36
"""Mean of the volume over a breath of mean depth."""

DEAD_SPACE_S, RISE_S, WASHOUT_S, DIFFUSION_S = 0.25, 0.09, 0.07, 4.0
"""Capnogram, s: gas without CO2 after the start of expiration; time constants of the rise, of the fall in inspiration,
and of the fall if no breath follows."""

PLATEAU = 0.9
"""Height of the plateau at its start, as a share of the end-tidal CO2."""


class Breaths(NamedTuple):
    """Breaths, in order.

    Attributes
    ----------
    onset, period, depth : ndarray, shape (breaths,)
        Begin of inspiration and planned duration, s; volume at the end of inspiration, 1 on average.
    residual : ndarray, shape (breaths,)
        Volume at the start of inspiration.
    """

    onset: Array
    period: Array
    depth: Array
    residual: Array


@dataclass
class BreathSource:
    """Draws breaths, one after another.

    Attributes
    ----------
    rng : Generator
    at : float
        Onset of the next breath, or the next time at which it is looked for, s.
    last : tuple of float or None
        Onset, period and depth of the last breath.
    """

    rng: np.random.Generator
    at: float = 0.3
    last: tuple[float, float, float] | None = None

    def until(self, patient: Patient, stop_s: float) -> Breaths:
        """Return the next breaths, those that begin before ``stop_s``."""
        found = []
        while self.at < stop_s:
            rate = value_at(patient.respiration_rate, self.at)
            if rate < APNOEA:
                self.at += SEARCH_S
                continue
            length, deep = np.clip(self.rng.standard_normal(2), -2, 2).tolist()
            period, depth = 60 / rate * (1 + 0.04 * length), 1 + 0.08 * deep
            found.append((self.at, period, depth, self._residual()))
            self.last = self.at, period, depth
            self.at += period
        onset, period_s, depths, residual = np.array(found).reshape(-1, 4).T
        return Breaths(onset, period_s, depths, residual)

    def _residual(self) -> float:
        """Return the volume at the start of the next breath."""
        if self.last is None:
            return 0.0
        onset, period, depth = self.last
        expired = np.array([self.at - onset - INSPIRATION * period])
        return depth * float(_expiration(expired, np.array([period]))[0])


def lung_volume(breathing: Breaths, time: Array) -> Array:
    """Return the volume above that after a full expiration at some times, in mean breaths."""
    if not breathing.onset.size:
        return np.zeros(time.shape)
    breath, since = _last(breathing, time)
    onset, period, depth, residual = (part[breath] for part in breathing)
    inspired = residual + (depth - residual) * np.sin(np.pi / 2 * since / (INSPIRATION * period)) ** 2
    volume = np.where(since < INSPIRATION * period, inspired, depth * _expiration(since - INSPIRATION * period, period))
    return np.where(time < onset, 0.0, volume)


def capnogram(breathing: Breaths, end_tidal: Array, time: Array) -> Array:
    """Return the CO2 at the airway at some times, in mmHg.

    Parameters
    ----------
    breathing : Breaths
    end_tidal : ndarray, shape (breaths,)
        CO2 at the end of each breath, mmHg.
    time : ndarray
        s.
    """
    if not breathing.onset.size:
        return np.zeros(time.shape)
    breath, since = _last(breathing, time)
    onset, period = breathing.onset[breath], breathing.period[breath]
    expired = since - INSPIRATION * period - DEAD_SPACE_S
    duration = np.maximum((1 - INSPIRATION) * period - DEAD_SPACE_S, 0.1)
    share = np.clip(expired / duration, 0, 1)
    plateau = end_tidal[breath] * (PLATEAU + (1 - PLATEAU) * share) * -np.expm1(-np.maximum(expired, 0) / RISE_S)
    plateau *= np.exp(-np.maximum(since - period, 0) / DIFFUSION_S)
    # What is left of the breath before, which a pause may have washed out.
    before = np.maximum(breath - 1, 0)
    pause = np.maximum(onset - breathing.onset[before] - breathing.period[before], 0)
    washed = np.exp(-pause / DIFFUSION_S - np.maximum(since, 0) / WASHOUT_S)
    left = np.where(breath > 0, end_tidal[before], 0.0) * washed
    return np.where(time < onset, 0.0, np.maximum(plateau, left))


def _last(breathing: Breaths, time: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Return the last breath begun at each time, or the first one, and the time since its onset."""
    breath = np.maximum(np.searchsorted(breathing.onset, time, "right") - 1, 0)
    return breath, time - breathing.onset[breath]


def _expiration(since: Array, period: Array) -> Array:
    """Return the share of a breath's depth that is left some time after the end of inspiration."""
    x = np.maximum(since, 0) / (EXPIRATION * (1 - INSPIRATION) * period)
    return (1 + x) * np.exp(-x)
