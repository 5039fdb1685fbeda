"""Where reality leaves the forecast: a surprise that is calibrated on the patient's own recent past.

Every patch of observed samples is compared with what was forecast for it at several horizons, in units of the
predicted scale. The horizons and leads vote; the vote is averaged over about one QRS complex and its neighbourhood,
because an ectopic beat is a stretch and not a sample. What counts as much is not the size of that energy but its
rarity *for this patient*: the peaks of the last minutes, one per second, give an extreme-value (Gumbel) law, and
the score is ``-log10`` of the chance that a second of the patient's usual rhythm peaks that high. A threshold is
thereby a rate of false alarms. A smooth ectopic beat may be easier to forecast than a sharp normal one: this is why
the error itself, in mV, decides nothing.

All functions are pure. Everything advances on the grid of patches, counted from the start of the epoch, and looks
back only: cutting a signal into other chunks, or changing its future, changes no output.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResidualConfig:
    """How surprise is measured and when it becomes an alarm; durations are counted in patches of 4 samples (11 ms).

    Attributes
    ----------
    lags : tuple of int
        Horizons that vote, in patches ahead.
    limit : float
        An error counts for at most this many predicted scales, so that one sample cannot outvote a stretch.
    smooth : int
        Length of the causal average over the votes.
    block : int
        The patient's past is remembered as one peak per block; 90 patches are one second, the unit of the chance.
    memory : int
        Number of blocks remembered.
    warm : int
        Blocks needed before the first score.
    threshold : float
        Score at which an alarm is raised.
    release : float
        The alarm lasts while the score reaches this.
    hold : int
        Patches below ``release`` after which the alarm is cleared.
    renew : int
        Blocks in alarm after which the new state is taken as this patient's usual one.
    """

    lags: tuple[int, ...] = (1, 2, 4, 9, 18)
    limit: float = 8.0
    smooth: int = 22
    block: int = 90
    memory: int = 90
    warm: int = 12
    threshold: float = 3.0
    release: float = 1.5
    hold: int = 90
    renew: int = 30
    quantiles: tuple[float, float] = (0.25, 0.75)


@dataclass(frozen=True, slots=True)
class Deviation:
    """The sample that lay furthest from its forecast, measured in predicted scales.

    Attributes
    ----------
    scales : float
        Distance in predicted scales.
    sample : int
        Its index since the session began.
    lead : int
        Its column.
    horizon_ms : float
        How far ahead it had been forecast.
    observed, predicted : float
        In mV.
    """

    scales: float
    sample: int
    lead: int
    horizon_ms: float
    observed: float
    predicted: float


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm begins.

    Attributes
    ----------
    onset : int
        First sample of the surprising stretch; it lies before ``at``.
    at : int
        The last observed sample when the alarm was raised.
    score : float
        Highest score so far, ``-log10`` of a chance per second.
    threshold : float
    furthest : Deviation
        Where observed and predicted were furthest apart since ``onset``.
    """

    onset: int
    at: int
    score: float
    threshold: float
    furthest: Deviation


@dataclass(frozen=True, slots=True)
class Cleared:
    """An alarm is over; the fields of `Raised`, of the whole stretch, and ``end``, the index after its last sample."""

    onset: int
    end: int
    at: int
    score: float
    threshold: float
    furthest: Deviation


Event = Raised | Cleared


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for this patient: log energies, one peak per block.

    Attributes
    ----------
    peaks : tuple of float
        The remembered blocks, oldest first.
    set_aside : tuple of float
        Blocks of the alarm that lasts; not learnt unless it lasts ``renew`` blocks.
    location, spread : float
        Of the Gumbel law fitted to ``peaks``; NaN while learning.
    """

    peaks: tuple[float, ...] = ()
    set_aside: tuple[float, ...] = ()
    location: float = math.nan
    spread: float = math.nan


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of scores that began at or above ``release``; an alarm once it reached ``threshold``."""

    onset: int
    end: int
    raised: bool
    quiet: int
    score: float
    furthest: Deviation


@dataclass(frozen=True, slots=True)
class ResidualState:
    """All that is carried from chunk to chunk.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    patches : int
        Patches seen in this epoch.
    mean, scale : ndarray, shape (max(lags), len(lags), patch, leads), float32, mV
        What the last origins forecast for the patches that vote; NaN before the epoch.
    votes : tuple of float
        The last ``smooth`` votes; NaN where nothing is known.
    deviations : tuple of Deviation
        The largest deviation in each of the last ``smooth`` patches.
    block_peak, block_alarmed : float, bool
        The block that is being filled.
    usual : Usual
    stretch : Stretch or None
    """

    start: int
    patches: int
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    votes: tuple[float, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    block_peak: float = -math.inf
    block_alarmed: bool = False
    usual: Usual = Usual()
    stretch: Stretch | None = None


def begin(config: ResidualConfig, start: int, leads: int, patch: int = 4) -> ResidualState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``."""
    shape = (max(config.lags), len(config.lags), patch, leads)
    empty = np.full(shape, np.nan, np.float32)
    return ResidualState(start=start, patches=0, mean=empty, scale=empty)


def compare(
    config: ResidualConfig,
    state: ResidualState,
    mean: npt.NDArray[np.float32],
    scale: npt.NDArray[np.float32],
    observed: FloatArray,
) -> tuple[FloatArray, list[Deviation], ResidualState]:
    """Compare new patches with what was forecast for them.

    Parameters
    ----------
    mean, scale : ndarray, shape (k, horizon, leads), mV
        The forecasts made at the ends of the ``k`` new patches.
    observed : ndarray, shape (k, patch, leads), mV
        The new patches; NaN where invalid.

    Returns
    -------
    votes : ndarray, shape (k,)
        Mean over horizons, samples and leads of the limited error in predicted scales; NaN where nothing is known.
    deviations : list of Deviation
        The largest error of each patch; its ``scales`` is NaN where nothing is known.
    state : ResidualState
        With the forecasts that later patches need.
    """
    k, patch, _ = observed.shape
    lags = np.asarray(config.lags)
    ahead = (lags[:, None] - 1) * patch + np.arange(patch)
    means = np.concatenate([state.mean, mean[:, ahead]])
    scales = np.concatenate([state.scale, scale[:, ahead]])
    longest = len(state.mean)
    made = longest + np.arange(k)[:, None] - lags  # which origin spoke of patch k, lag patches before
    each = np.arange(len(lags))
    predicted = means[made, each].astype(np.float64)
    error = np.abs(observed[:, None] - predicted) / scales[made, each]

    known = np.isfinite(error)
    limited = np.minimum(np.where(known, error, 0.0), config.limit)
    count = known.sum(axis=(1, 2, 3))
    votes = np.where(count > 0, limited.sum(axis=(1, 2, 3)) / np.maximum(count, 1), np.nan)

    flat = np.where(known, error, -1.0).reshape(k, -1)
    best = flat.argmax(axis=1)
    deviations = []
    for row, (lag, within, lead) in enumerate(zip(*np.unravel_index(best, error.shape[1:]), strict=True)):
        deviations.append(
            Deviation(
                scales=float(error[row, lag, within, lead]),
                sample=state.start + (state.patches + row) * patch + int(within),
                lead=int(lead),
                horizon_ms=float(ahead[lag, within] + 1) * 1000 / FS,
                observed=float(observed[row, within, lead]),
                predicted=float(predicted[row, lag, within, lead]),
            )
        )
    carried = replace(state, mean=means[k:], scale=scales[k:])
    return votes, deviations, carried


def fit(peaks: Sequence[float], quantiles: tuple[float, float]) -> tuple[float, float]:
    """Return location and spread of the Gumbel law that has the peaks' two quantiles.

    A Gumbel law has the quantile ``location - spread * log(-log(p))``. Quantiles, and not moments: the ectopic
    beats among the peaks should move neither.
    """
    low, high = np.quantile(np.asarray(peaks), quantiles)
    place_low, place_high = (-math.log(-math.log(p)) for p in quantiles)
    spread = max(float(high - low) / (place_high - place_low), LEAST_SPREAD)
    return float(low) - spread * place_low, spread


def rarity(usual: Usual, level: float) -> float:
    """Return ``-log10`` of the chance that a block of the patient's usual rhythm peaks above a log energy."""
    if math.isnan(level) or math.isnan(usual.location):
        return math.nan
    y = max((level - usual.location) / usual.spread, -5.0)
    # Beyond 30 the chance is exp(-y) to the last digit, and 1 - exp(-exp(-y)) would underflow later.
    return y / math.log(10) if y > 30 else -math.log10(-math.expm1(-math.exp(-y)))


def level_of(usual: Usual, score: float) -> float:
    """Return the log energy whose `rarity` is ``score``."""
    return usual.location - usual.spread * math.log(-math.log1p(-(10.0**-score)))
