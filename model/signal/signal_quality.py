"""Signal quality and technical conditions, lead by lead.

Of each stride (100 ms) five figures are kept: its highest and lowest sample, its mean, its power between 30 and
100 Hz, and its share of invalid samples. The last two seconds of them show

- *off*: nothing has moved for 1.5 s, by half a count of a usual recorder, or most samples are invalid. A heart that
  stands still leaves the noise of the body and of the amplifier on the line (8 µV or more within 1.5 s in the true
  asystoles of the Challenge 2015); an open line does not.
- *saturated*: the line is stuck far from zero, or at the end of a swing that fills the screen.
- *noise*: muscle between the complexes is so strong, against them, that a QRS cannot be detected, or the baseline
  leaps by more than any heart does. What is steady in it counts (the level that the calmest two fifths of the strides
  keep below), because QRS complexes have power in that band, too, for a tenth of a second.

None of them asks whether there are beats: a quiet line is a good one, and asystole is never hidden by it. The index is
1 for a line without noise, 0.5 where a QRS cannot be detected, and 0 where there is no signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter

from model.conditions.changes import Began, Change, Ended
from model.signal.arrays import BoolArray, FloatArray
from model.signal.blocks import STRIDES_PER_BLOCK, Blocks
from model.signal.iir_filter import sosfilt
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import AlarmKind

MUSCLE = butter(2, (30.0, 100.0), "bandpass", fs=FS, output="sos")
"""Above the QRS complex's main power (5 to 20 Hz), below what resampled records lack."""

WINDOW = 20
"""Strides that the index looks back on: 2 s, so that there is a beat in it at 30/min or more."""

STILL = 15
"""Strides without any movement after which a lead is off: 1.5 s."""

FLAT_MV = 0.0025
"""Half a count of a recorder with 200 adu/mV; the least that moved in 1.5 s of a true asystole was 0.0076 mV."""

RAIL_MV = 4.5
"""Beyond this a line that does not move is stuck; amplifiers of monitors end at about 5 mV."""

STUCK_MV = 0.02
"""Movement within a stride that a stuck amplifier may show after filters; a live line moves more."""

SWING_MV = 2.0
"""A flat stride at the end of a swing of this height is clipped, wherever the rail is."""

CALM = 8
"""The stride, of the last `WINDOW` sorted by power, that stands for the noise between the complexes."""

OWN_MV = 0.012
"""Noise of the recorder itself, root mean square between 30 and 100 Hz (MIT-BIH: 0.008 to 0.012); it does not count."""

LEAST_QRS_MV = 0.3
"""A lower line is judged as if it had complexes of this height: noise that could not hide them is no noise."""

NOISE = 0.08
"""Noise over the height of the complexes at which a QRS cannot be detected; white noise alone reaches 0.11. In DS1
without 201 and 208 the index is below 0.5 for 0.02 % of the time where the annotators noted no noise, for 1.8 % where
they did: most of that noise hides nothing."""

LEAP_MV = 3.0
"""Movement of the baseline (mean of half a second) in 2 s at which a QRS cannot be detected."""

BAD, GOOD = 0.5, 0.6
"""Noise begins below the first index and ends above the second."""

KINDS: tuple[AlarmKind, ...] = ("lead_off", "saturation", "noise")

CONFIRM = (1, 3, 10)
"""Strides after which each kind is confirmed; a lead that is off has been so for `STILL` strides before."""

RELEASE = (10, 10, 20)
"""Strides after which the end of each kind is confirmed."""

LAG = (STILL - 1, 0, 0)
"""Strides that a kind has lasted when its criterion is first met."""

HIGH, LOW, MEAN, POWER, INVALID_SHARE, BASELINE = range(6)


@dataclass(frozen=True, slots=True)
class Tracker:
    """One kind of technical condition, on all leads.

    Attributes
    ----------
    on : tuple of bool
        Does it hold, by lead?
    against : tuple of int
        Strides in a row that contradict it, by lead.
    onset : int
        First sample of the condition that was reported last.
    """

    on: tuple[bool, ...]
    against: tuple[int, ...]
    onset: int = 0


@dataclass(frozen=True, slots=True)
class QualityState:
    """All that is carried from step to step.

    Attributes
    ----------
    leads : tuple of str
    start : int
        Index of the first sample of the epoch.
    filter : ndarray, shape (sections, 2, leads)
    recent : ndarray, shape (up to WINDOW + 3, 5, leads)
        The figures of the last strides.
    trackers : tuple of Tracker
        One for each of `KINDS`.
    """

    leads: tuple[str, ...]
    start: int
    filter: FloatArray
    recent: FloatArray
    trackers: tuple[Tracker, ...]


@dataclass(frozen=True, slots=True)
class QualityOutput:
    """Quality of each stride of the blocks of one step.

    Attributes
    ----------
    first : int
        The last sample of the first of these strides; the next ones end ``STRIDE`` later each.
    index : ndarray, shape (k, leads)
        0 to 1.
    usable : ndarray of bool, shape (k, leads)
        No technical condition holds on this lead.
    changes : tuple of Began or Ended
        In order; one condition of a kind covers all leads it holds on, and names them.
    """

    first: int
    index: FloatArray
    usable: BoolArray
    changes: tuple[Change, ...]

    @property
    def bed(self) -> FloatArray:
        """Index of the best lead, shape (k,)."""
        return np.asarray(self.index.max(axis=1))


def begin(start: int, leads: Sequence[str]) -> QualityState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``."""
    n = len(leads)
    tracker = Tracker((False,) * n, (0,) * n)
    return QualityState(
        tuple(leads), start, np.zeros((len(MUSCLE), 2, n)), np.empty((0, 5, n)), (tracker,) * len(KINDS)
    )


def step(state: QualityState, blocks: Blocks) -> tuple[QualityOutput, QualityState]:
    """Push the next blocks of one bed, which may be none.

    Returns
    -------
    QualityOutput, QualityState
    """
    k, leads = len(blocks.mv) * STRIDES_PER_BLOCK, blocks.mv.shape[2]
    first = blocks.start + STRIDE - 1
    if not k:
        nothing = np.empty((0, leads))
        return QualityOutput(first, nothing, nothing > 0, ()), state
    muscle, carried = sosfilt(MUSCLE, blocks.mv.reshape(k * STRIDE, leads), state.filter)
    strides = blocks.mv.reshape(k, STRIDE, leads)
    figures = np.empty((k, 5, leads))
    strides.max(axis=1, out=figures[:, HIGH])
    strides.min(axis=1, out=figures[:, LOW])
    strides.mean(axis=1, out=figures[:, MEAN])
    np.square(muscle).reshape(strides.shape).mean(axis=1, out=figures[:, POWER])
    blocks.invalid.reshape(strides.shape).mean(axis=1, out=figures[:, INVALID_SHARE])
    # Before the epoch nothing is known: its first stride stands in.
    before = state.recent if len(state.recent) else np.repeat(figures[:1], WINDOW + 3, axis=0)
    known = np.concatenate([before, figures])
    index, met, over = _judge(known, np.nan_to_num(blocks.zero), (blocks.start - state.start) // STRIDE)

    usable = np.empty((k, leads), bool)
    changes: list[Change] = []
    trackers = list(state.trackers)
    for i, (begins, ends) in enumerate(zip(met.tolist(), over.tolist(), strict=True)):
        for number, tracker in enumerate(trackers):
            trackers[number], found = _follow(
                tracker, number, begins[number], ends[number], first + i * STRIDE, state.start, state.leads
            )
            changes += found
        usable[i] = [not any(held) for held in zip(*(tracker.on for tracker in trackers), strict=True)]
    state = replace(state, filter=carried, recent=known[-(WINDOW + 3) :].copy(), trackers=tuple(trackers))
    return QualityOutput(first, index, usable, tuple(changes)), state


def _judge(known: FloatArray, zero: FloatArray, done: int) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Judge the strides after the first ``WINDOW + 3``, of which ``done`` lay before in this epoch.

    Parameters
    ----------
    known : ndarray, shape (WINDOW + 3 + k, 5, leads)
    zero : ndarray, shape (leads,), mV
        What the figures are counted from.

    Returns
    -------
    index : ndarray, shape (k, leads)
    met, over : ndarray of bool, shape (k, len(KINDS), leads)
        Criterion by which each kind begins, and that by which it ends.
    """
    means = known[:, MEAN]
    baseline = (means[4:] + means[3:-1] + means[2:-2] + means[1:-3] + means[:-4]) / 5
    both = np.concatenate([known[4:], baseline[:, None]], axis=1)
    past = np.lib.stride_tricks.sliding_window_view(both, WINDOW, axis=0)
    high, low = past[:, HIGH].max(axis=-1), past[:, LOW].min(axis=-1)
    swing = high - low
    now = known[WINDOW + 3 :]
    spread = now[:, HIGH] - now[:, LOW]
    far = np.abs(now[:, MEAN] + zero) >= RAIL_MV

    latest = past[..., -STILL:]
    still = latest[:, HIGH].max(axis=-1) - latest[:, LOW].min(axis=-1) <= FLAT_MV
    missing = latest[:, INVALID_SHARE].mean(axis=-1) > 0.5
    enough = done + 1 + np.arange(len(now)) >= STILL
    off = ((still & ~far) | missing) & enough[:, None]
    at_end = (now[:, HIGH] >= high - FLAT_MV) | (now[:, LOW] <= low + FLAT_MV)
    clipped = (spread <= FLAT_MV) & at_end & (swing >= SWING_MV)
    stuck = (((spread <= STUCK_MV) & far) | clipped) & (now[:, INVALID_SHARE] <= 0.5)

    calm = np.sort(past[:, POWER], axis=-1)[..., CALM]
    muscle = np.sqrt(np.maximum(calm - OWN_MV**2, 0.0)) / np.maximum(swing, LEAST_QRS_MV)
    leap = past[:, BASELINE].max(axis=-1) - past[:, BASELINE].min(axis=-1)
    index = 1 / (1 + np.square(np.maximum(muscle / NOISE, leap / LEAP_MV)))
    dead = off | stuck
    noisy = (index < BAD) & ~dead
    calmed = (index > GOOD) | dead
    return (
        np.where(dead | (now[:, INVALID_SHARE] > 0.5), 0.0, index),
        np.stack([off, stuck, noisy], axis=1),
        np.stack([~off, ~stuck, calmed], axis=1),
    )


def _follow(
    tracker: Tracker, number: int, met: list[bool], over: list[bool], at: int, start: int, leads: tuple[str, ...]
) -> tuple[Tracker, list[Change]]:
    """Push one stride, which ends with the sample ``at``, for the kind ``KINDS[number]``."""
    if not (any(tracker.on) or any(tracker.against) or any(met)):
        return tracker, []
    on, against = list(tracker.on), list(tracker.against)
    for lead, held in enumerate(tracker.on):
        against[lead] = against[lead] + 1 if (over if held else met)[lead] else 0
        if against[lead] < (RELEASE if held else CONFIRM)[number]:
            continue
        on[lead], against[lead] = not held, 0
    if tuple(on) == tracker.on:
        return Tracker(tracker.on, tuple(against), tracker.onset), []

    # One condition covers all leads: when another joins or leaves, it ends and begins anew with other names.
    changes: list[Change] = []
    here = at + 1 - STRIDE
    if any(tracker.on):
        end = here if any(on) else at + 1 - RELEASE[number] * STRIDE
        changes.append(
            Ended(
                KINDS[number],
                tracker.onset,
                max(end, tracker.onset + 1),
                at,
                "leads_changed" if any(on) else "rule_no_longer_met",
                leads=_names(tracker.on, leads),
            )
        )
    onset = tracker.onset
    if any(on):
        before = (CONFIRM[number] + LAG[number]) * STRIDE
        onset = here if any(tracker.on) else max(at + 1 - before, start)
        changes.append(Began(KINDS[number], onset, at, "rule_met", leads=_names(on, leads)))
    return Tracker(tuple(on), tuple(against), onset), changes


def _names(on: Sequence[bool], leads: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(lead for lead, held in zip(leads, on, strict=True) if held)
