"""Where reality leaves the forecast: a surprise that is calibrated on the patient's own recent past.

Every patch of observed samples is compared with what was forecast for it at several horizons, relative to the
predicted scale. The horizons and leads vote; the vote is averaged over about one QRS complex, because an ectopic
beat is a stretch and not a sample. What counts is not the size of that average but how it compares with *this
patient's* last two minutes: the quieter of their seconds say where the patient's usual peaks lie, an extreme-value
(Gumbel) law says how they scatter, and the score is ``-log10`` of the chance that a second of the usual rhythm peaks
that high. A threshold is thereby a rate of false alarms: 3 is one in 1,000 s. A smooth ectopic beat may be easier to
forecast than a sharp normal one: this is why the error in mV alone does not do.

What was chosen here was chosen on MIT-BIH DS1 without records 201 and 208, by how well the score tells ventricular
beats from the others: horizons of about 50 to 150 ms say more than shorter ones; and with every fifth beat ectopic,
the median of the last peaks is ectopic too, and their spread says nothing, while the lowest tenth stays usual.

All functions are pure. Everything advances on the grid of patches, counted from the start of the epoch, and looks
back only: cutting a signal into other chunks, or changing its future, changes no output.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import numpy.typing as npt

from model.config import DAMAGED_STATE
from model.episodes import Cleared, Deviation, Event, Stretch, Surprise, close, follow
from stream.errors import StorageError
from stream.messages import FS

TRUST = 0.5
"""Power of the predicted scale by which an error is divided; 1 would believe the scale fully, 0 not at all."""

LEAST_VOTE = 0.1
"""Mean votes below count as this, so that a flat line does not make everything after it a surprise."""

USUAL_SHARE = 0.1
"""Share of the remembered peaks that are taken as usual beyond doubt; the law is put on their upper end."""

SPREAD = 0.072
"""Spread of the Gumbel law of log peaks, one for all patients: with it a score of 3 came, without a ventricular beat,
about once in 1,000 s on the median record. A spread fitted to each patient separated ventricular beats worse."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResidualConfig:
    """How surprise is measured and when it becomes an alarm; durations are counted in patches of 4 samples (11 ms).

    Attributes
    ----------
    lags : tuple of int
        Horizons that vote, in patches ahead.
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
        Blocks in alarm after which they are learnt after all, so that a change that lasts becomes usual.
    """

    lags: tuple[int, ...] = (4, 9, 13)
    smooth: int = 10
    block: int = 90
    memory: int = 120
    warm: int = 12
    threshold: float = 3.0
    release: float = 1.8
    hold: int = 90
    renew: int = 30


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for this patient: log mean votes, one peak per block.

    Attributes
    ----------
    peaks : tuple of float
        The remembered blocks, oldest first.
    set_aside : tuple of float
        Blocks of the alarm that lasts; not learnt until there are ``renew`` of them.
    location : float
        Of the Gumbel law; NaN while learning.
    """

    peaks: tuple[float, ...] = ()
    set_aside: tuple[float, ...] = ()
    location: float = math.nan


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

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return msgspec.msgpack.encode(self, enc_hook=_pack_array)

    @classmethod
    def from_bytes(cls, data: bytes) -> ResidualState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            return msgspec.msgpack.decode(data, type=cls, dec_hook=_unpack_array)
        except (msgspec.DecodeError, TypeError, ValueError) as error:
            raise StorageError(DAMAGED_STATE) from error


def _pack_array(value: object) -> object:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is no part of the state")
    return value.shape, np.ascontiguousarray(value, "<f4").tobytes()


def _unpack_array(_: type, packed: tuple[Sequence[int], bytes]) -> npt.NDArray[np.float32]:
    shape, data = packed
    return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)


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
        Mean over horizons, samples and leads of the square root of error / scale ** TRUST: the root, so that no
        sample outvotes a stretch. NaN where nothing is known.
    deviations : list of Deviation
        The largest error of each patch; its ``scales`` is NaN where nothing is known.
    state : ResidualState
        With the forecasts that later patches need.
    """
    k, patch, leads = observed.shape
    lags = np.asarray(config.lags)
    ahead = (lags[:, None] - 1) * patch + np.arange(patch)
    means = np.concatenate([state.mean, mean[:, ahead]])
    scales = np.concatenate([state.scale, scale[:, ahead]])
    longest = len(state.mean)
    made = longest + np.arange(k)[:, None] - lags  # which origin spoke of patch k, lag patches before
    each = np.arange(len(lags))
    predicted = means[made, each].astype(np.float64)
    scale_then = scales[made, each].astype(np.float64)
    error = np.abs(observed[:, None] - predicted)

    known = np.isfinite(error)
    opinions = np.where(known, np.sqrt(error / scale_then**TRUST), 0.0)
    count = known.sum(axis=(1, 2, 3))
    votes = np.where(count > 0, opinions.sum(axis=(1, 2, 3)) / np.maximum(count, 1), np.nan)

    in_scales = error / scale_then
    flat = np.where(known, in_scales, -1.0).reshape(k, len(lags) * patch * leads)
    best = flat.argmax(axis=1)
    deviations = []
    for row, (lag, within, lead) in enumerate(zip(*np.unravel_index(best, error.shape[1:]), strict=True)):
        deviations.append(
            Deviation(
                scales=float(in_scales[row, lag, within, lead]),
                sample=state.start + (state.patches + row) * patch + int(within),
                lead=int(lead),
                horizon_ms=float(ahead[lag, within] + 1) * 1000 / FS,
                observed=float(observed[row, within, lead]),
                predicted=float(predicted[row, lag, within, lead]),
            )
        )
    carried = replace(state, mean=means[k:], scale=scales[k:])
    return votes, deviations, carried


def locate(peaks: Sequence[float]) -> float:
    """Return the location of the Gumbel law whose quantile ``USUAL_SHARE`` is that of the peaks.

    The quantile p of the law is ``location - SPREAD * log(-log(p))``.
    """
    return float(np.quantile(np.asarray(peaks), USUAL_SHARE)) + SPREAD * math.log(-math.log(USUAL_SHARE))


def rarity(level: float, location: float) -> float:
    """Return ``-log10`` of the chance that a block of the patient's usual rhythm peaks above a log mean vote."""
    if math.isnan(level) or math.isnan(location):
        return math.nan
    y = max((level - location) / SPREAD, -5.0)
    # Beyond 30 the chance is exp(-y) to the last digit, and would underflow later.
    return y / math.log(10) if y > 30 else -math.log10(-math.expm1(-math.exp(-y)))


def level_of(score: float, location: float) -> float:
    """Return the log mean vote whose `rarity` is ``score``."""
    return location - SPREAD * math.log(-math.log1p(-(10.0**-score)))


@dataclass(frozen=True, slots=True)
class Surprises:
    """What a chunk brought.

    Attributes
    ----------
    score : ndarray, shape (k,)
        ``-log10`` of a chance per block, for each new patch; NaN while learning.
    events : tuple of Raised or Cleared
    """

    score: FloatArray
    events: tuple[Event, ...]


def step(
    config: ResidualConfig,
    state: ResidualState,
    mean: npt.NDArray[np.float32],
    scale: npt.NDArray[np.float32],
    observed: FloatArray,
) -> tuple[Surprises, ResidualState]:
    """Take new patches of one bed; the arguments are those of `compare`.

    Returns
    -------
    Surprises, ResidualState
    """
    votes, deviations, state = compare(config, state, mean, scale, observed)
    scores = np.empty(len(votes))
    events = []
    for i, (vote, deviation) in enumerate(zip(votes.tolist(), deviations, strict=True)):
        scores[i], event, state = _advance(config, state, vote, deviation)
        if event is not None:
            events.append(event)
    return Surprises(scores, tuple(events)), state


def finish(config: ResidualConfig, state: ResidualState) -> tuple[Cleared | None, ResidualState]:
    """End what is open, because the epoch ends: nothing comes after the samples that were seen."""
    patch = state.mean.shape[2]
    at = state.start + state.patches * patch - 1
    return close(state.stretch, at, config.threshold), replace(state, stretch=None)


def _advance(
    config: ResidualConfig, state: ResidualState, vote: float, deviation: Deviation
) -> tuple[float, Event | None, ResidualState]:
    """Take one patch."""
    patch = state.mean.shape[2]
    votes = (*state.votes, vote)[-config.smooth :]
    deviations = (*state.deviations, deviation)[-config.smooth :]
    patches = state.patches + 1
    known = [v for v in votes if not math.isnan(v)]
    # A mean over less than half of its length says little.
    level = math.log(max(sum(known) / len(known), LEAST_VOTE)) if 2 * len(known) >= config.smooth else math.nan
    score = rarity(level, state.usual.location)

    end = state.start + patches * patch
    surprise = None
    if score >= config.release:
        surprise = _surprise(votes, deviations, level_of(config.release, state.usual.location), end, patch)
    stretch, event = follow(state.stretch, score, end - 1, surprise, threshold=config.threshold, hold=config.hold)

    usual = state.usual
    peak = max(state.block_peak, level) if not math.isnan(level) else state.block_peak
    alarmed = state.block_alarmed or (stretch is not None and stretch.raised)
    if patches % config.block == 0:
        usual = learn(config, usual, peak, alarmed)
        peak, alarmed = -math.inf, False
    return (
        score,
        event,
        replace(
            state,
            patches=patches,
            votes=votes,
            deviations=deviations,
            block_peak=peak,
            block_alarmed=alarmed,
            usual=usual,
            stretch=stretch,
        ),
    )


def _surprise(
    votes: tuple[float, ...], deviations: tuple[Deviation, ...], level: float, end: int, patch: int
) -> Surprise:
    """Return what is surprising among the patches under the average, the last of which ends at ``end``."""
    # Some vote reaches the mean, and the mean the level; the maximum stands in where rounding denies it.
    enough = min(math.exp(level), max(v for v in votes if not math.isnan(v)))
    which = [i for i, v in enumerate(votes) if v >= enough]
    furthest = max((deviations[i] for i in which), key=lambda deviation: deviation.scales)
    place = end - len(votes) * patch
    return Surprise(place + which[0] * patch, place + (which[-1] + 1) * patch, furthest)


def learn(config: ResidualConfig, usual: Usual, peak: float, alarmed: bool) -> Usual:
    """Remember a block.

    A block in alarm is set aside, so that an anomaly does not make itself usual; once ``renew`` of them have come in
    one alarm they join the memory. A new state has become usual when it fills nearly all of the memory.
    """
    if not math.isfinite(peak):
        return usual
    if alarmed:
        set_aside = (*usual.set_aside, peak)
        if len(set_aside) < config.renew:
            return replace(usual, set_aside=set_aside)
        peaks = (*usual.peaks, *set_aside)
    else:
        peaks = (*usual.peaks, peak)
    peaks = peaks[-config.memory :]
    if len(peaks) < config.warm:
        return Usual(peaks)
    return Usual(peaks, (), locate(peaks))
