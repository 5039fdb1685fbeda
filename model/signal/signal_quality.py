"""Signal quality index and technical conditions, per lead.

Five features are computed per stride (100 ms): maximum, minimum, mean, power between 30 and 100 Hz, and share of
invalid samples. From the features of the last 2 s three conditions are detected:

- *lead off*: the signal has not changed for 1.5 s by more than half a count of a typical recorder, or most samples are
  invalid. During asystole a connected lead still shows body and amplifier noise (8 µV or more within 1.5 s in the true
  asystoles of the PhysioNet Challenge 2015); an open lead does not.
- *saturation*: the signal is constant far from zero, or constant at an extreme of a large swing.
- *noise*: muscle artefact between the complexes is too strong, relative to them, for QRS detection, or the baseline
  jumps by more than an ECG can. QRS complexes also have power in the noise band, for about 100 ms each. The noise level
  is therefore the value below which the quietest two fifths of the strides lie.

No condition requires beats: a flat but connected lead has good quality, so asystole is not masked. The index is 1
without noise, 0.5 where a QRS cannot be detected, and 0 without a signal.
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

MUSCLE_SOS = butter(2, (30.0, 100.0), "bandpass", fs=FS, output="sos")
"""Band-pass filter for muscle artefact, 30 to 100 Hz: above the main power of the QRS complex (5 to 20 Hz), and below
the frequencies that resampled records lack."""

WINDOW_STRIDES = 20
"""Strides in the window of the index: 2 s, which contains a beat at 30/min or more."""

FLAT_STRIDES = 15
"""Strides without change after which a lead is off: 1.5 s."""

FLAT_MV = 0.0025
"""Largest peak-to-peak value of a flat signal, mV: half a count of a recorder with 200 adu/mV. The smallest value
within 1.5 s of a true asystole was 0.0076 mV."""

RAIL_MV = 4.5
"""Absolute mean, mV, from which a signal that does not change is saturated; monitor amplifiers end at about 5 mV."""

STUCK_MV = 0.02
"""Largest peak-to-peak value within a stride, mV, of a saturated amplifier followed by filters; an ECG changes more."""

CLIPPED_SWING_MV = 2.0
"""Peak-to-peak value within the window, mV, from which a flat stride at an extreme is clipped, whatever the rail."""

NOISE_RANK = 8
"""Rank of the stride, among those of the window sorted by power, whose power is the noise between the complexes."""

RECORDER_NOISE_MV = 0.012
"""RMS noise of the recorder between 30 and 100 Hz, mV (MIT-BIH: 0.008 to 0.012). It is subtracted."""

MIN_QRS_MV = 0.3
"""Lower bound of the QRS height that noise is compared with, mV, so that small noise on a flat lead is not reported."""

NOISE_RATIO = 0.08
"""Ratio of noise to QRS height at which a QRS cannot be detected; white noise alone reaches 0.11. In MIT-BIH DS1
without 201 and 208 the index is below 0.5 for 0.02 % of the time without annotated noise, and for 1.8 % of the time
with annotated noise: most of that noise does not prevent QRS detection."""

BASELINE_JUMP_MV, WAVE_JUMP_MV = 2.5, 3.0
"""Change of the baseline (mean over half a second) within 2 s, mV, at which a QRS cannot be detected, and at which the
waveform cannot be measured at all. The first is that of an amplifier recovering from an overload. Ventricular beats of
+4 and -5 mV (svdb 884) exceed 2.0 mV 114 times in half an hour, 2.5 mV 8 times. Coarse fibrillation exceeds it, too."""

MIN_REPETITION = 0.75
"""Mean repetition of the beats (`model.beats.repetition`) at which they may be artefacts."""

ATTACHED_MV = 0.1
"""Peak-to-peak value within 2 s, mV, that an attached lead exceeds at the first beat; until then it is off."""

NOISE_ONSET_INDEX, NOISE_END_INDEX = 0.5, 0.6
"""The noise condition begins below the first index and ends above the second."""

KINDS: tuple[AlarmKind, ...] = ("lead_off", "saturation", "noise")
"""Technical conditions detected here."""

CONFIRM_STRIDES = (1, 3, 10)
"""Consecutive strides that confirm the onset, by kind. A lead that is off has been flat for `FLAT_STRIDES` before."""

RELEASE_STRIDES = (10, 10, 20)
"""Consecutive strides that confirm the end, by kind."""

LAG_STRIDES = (FLAT_STRIDES - 1, 0, 0)
"""Strides between the onset of a condition and the first stride that meets its criterion, by kind."""

HIGH, LOW, MEAN, POWER, INVALID_SHARE, BASELINE = range(6)
"""Indices of the features; `BASELINE` is derived from `MEAN`."""


@dataclass(frozen=True, slots=True)
class Tracker:
    """State of one kind of technical condition on all leads.

    Attributes
    ----------
    active : tuple of bool
        Whether the condition holds, by lead.
    contradicting : tuple of int
        Consecutive strides that contradict ``active``, by lead.
    onset : int
        First sample of the last reported condition.
    """

    active: tuple[bool, ...]
    contradicting: tuple[int, ...]
    onset: int = 0


@dataclass(frozen=True, slots=True)
class QualityState:
    """State carried from step to step.

    Attributes
    ----------
    leads : tuple of str
    start : int
        Index of the first sample of the epoch.
    filter : ndarray, shape (sections, 2, leads)
    recent : ndarray, shape (up to WINDOW_STRIDES + 3, 5, leads)
        Features of the last strides.
    attached : ndarray of bool, shape (leads,)
        Leads that have exceeded `ATTACHED_MV`.
    repetition : float
        Mean repetition at the end of the last block, 1 where it says nothing.
    trackers : tuple of Tracker
        One for each of `KINDS`.
    """

    leads: tuple[str, ...]
    start: int
    filter: FloatArray
    recent: FloatArray
    attached: BoolArray
    repetition: float
    trackers: tuple[Tracker, ...]


@dataclass(frozen=True, slots=True)
class QualityOutput:
    """Signal quality of the k strides of one step.

    Attributes
    ----------
    first : int
        Last sample of the first stride; each further stride ends ``STRIDE`` samples later.
    index : ndarray, shape (k, leads)
        Signal quality, 0 to 1.
    usable : ndarray of bool, shape (k, leads)
        True where no technical condition holds.
    measurable : ndarray of bool, shape (k, leads)
        True where the waveform can be measured, even if the beats do not repeat: nor does fibrillation.
    changes : tuple of Began or Ended
        In order. One condition of a kind covers all affected leads and lists them.
    """

    first: int
    index: FloatArray
    usable: BoolArray
    measurable: BoolArray
    changes: tuple[Change, ...]

    @property
    def bed(self) -> FloatArray:
        """Quality index of the bed: that of its best lead, shape (k,)."""
        return np.asarray(self.index.max(axis=1))


def begin(start: int, leads: Sequence[str]) -> QualityState:
    """Return the state at the start of an epoch whose first sample has index ``start``."""
    n = len(leads)
    tracker = Tracker((False,) * n, (0,) * n)
    return QualityState(
        tuple(leads),
        start,
        np.zeros((len(MUSCLE_SOS), 2, n)),
        np.empty((0, 5, n)),
        np.zeros(n, np.bool_),
        1.0,
        (tracker,) * len(KINDS),
    )


def after_gap(state: QualityState, start: int) -> QualityState:
    """Return the state after lost samples, before sample ``start``: leads that were attached are known to be."""
    return replace(begin(start, state.leads), attached=state.attached)


def step(state: QualityState, blocks: Blocks, repetition: FloatArray) -> tuple[QualityOutput, QualityState]:
    """Push the next blocks of one bed, possibly none.

    Parameters
    ----------
    state : QualityState
    blocks : Blocks
    repetition : ndarray, shape (number of blocks,)
        Mean repetition of the beats at the end of each block (`model.beats.repetition`); NaN where it says nothing.

    Returns
    -------
    QualityOutput, QualityState
    """
    k, leads = len(blocks.mv) * STRIDES_PER_BLOCK, blocks.mv.shape[2]
    first = blocks.start + STRIDE - 1
    if not k:
        nothing = np.empty((0, leads))
        return QualityOutput(first, nothing, nothing > 0, nothing > 0, ()), state
    muscle, carried = sosfilt(MUSCLE_SOS, blocks.mv.reshape(k * STRIDE, leads), state.filter)
    strides = blocks.mv.reshape(k, STRIDE, leads)
    features = np.empty((k, 5, leads))
    strides.max(axis=1, out=features[:, HIGH])
    strides.min(axis=1, out=features[:, LOW])
    strides.mean(axis=1, out=features[:, MEAN])
    np.square(muscle).reshape(strides.shape).mean(axis=1, out=features[:, POWER])
    blocks.invalid.reshape(strides.shape).mean(axis=1, out=features[:, INVALID_SHARE])
    # There are no features before the epoch: those of its first stride are repeated.
    before = state.recent if len(state.recent) else np.repeat(features[:1], WINDOW_STRIDES + 3, axis=0)
    all_features = np.concatenate([before, features])
    # The last stride of a block ends when its repetition is known; the strides before use that of the last block.
    known = np.where(np.isnan(repetition), 1.0, repetition)
    by_stride = np.append(state.repetition, known[:-1]).repeat(STRIDES_PER_BLOCK)
    by_stride[STRIDES_PER_BLOCK - 1 :: STRIDES_PER_BLOCK] = known
    swing, attached = _swing(all_features, state.attached)
    index, without_noise, onset_met, end_met = _evaluate(
        all_features,
        swing,
        attached,
        by_stride[:, None],
        np.nan_to_num(blocks.offset),
        (blocks.start - state.start) // STRIDE,
    )

    usable, measurable = np.empty((k, leads), bool), np.empty((k, leads), bool)
    changes: list[Change] = []
    trackers = list(state.trackers)
    for i, (stride_onset, stride_end) in enumerate(zip(onset_met.tolist(), end_met.tolist(), strict=True)):
        for kind_index, tracker in enumerate(trackers):
            trackers[kind_index], new_changes = _track(
                tracker,
                kind_index,
                stride_onset[kind_index],
                stride_end[kind_index],
                first + i * STRIDE,
                state.start,
                state.leads,
            )
            changes += new_changes
        lead_off, saturation, noise = np.array([tracker.active for tracker in trackers])
        usable[i] = ~(lead_off | saturation | noise)
        measurable[i] = ~(lead_off | saturation | (noise & ~without_noise[i]))
    state = replace(
        state,
        filter=carried,
        recent=all_features[-(WINDOW_STRIDES + 3) :].copy(),
        attached=attached[-1].copy(),
        repetition=float(known[-1]),
        trackers=tuple(trackers),
    )
    return QualityOutput(first, index, usable, measurable, tuple(changes)), state


def _swing(all_features: FloatArray, attached: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Return the peak-to-peak value of the window of each new stride, and which leads have been attached by then."""
    windows = np.lib.stride_tricks.sliding_window_view(all_features[4:], WINDOW_STRIDES, axis=0)
    swing = windows[:, HIGH].max(axis=-1) - windows[:, LOW].min(axis=-1)
    return swing, attached | np.logical_or.accumulate(swing >= ATTACHED_MV, axis=0)


def _evaluate(
    all_features: FloatArray,
    swing: FloatArray,
    attached: BoolArray,
    repetition: FloatArray,
    offset: FloatArray,
    strides_before: int,
) -> tuple[FloatArray, BoolArray, BoolArray, BoolArray]:
    """Return quality index and criteria of the last k strides.

    Parameters
    ----------
    all_features : ndarray, shape (WINDOW_STRIDES + 3 + k, 5, leads)
        Features of the strides before and of the k new ones.
    swing, attached : ndarray, shape (k, leads)
        As `_swing` returns them.
    repetition : ndarray, shape (k, 1)
    offset : ndarray, shape (leads,), mV
        Value that has been subtracted from the samples.
    strides_before : int
        Strides of this epoch before the new ones.

    Returns
    -------
    index : ndarray, shape (k, leads)
    without_noise : ndarray of bool, shape (k, leads)
        Whether the waveform can be measured, as far as muscle artefact and baseline are concerned.
    onset_met, end_met : ndarray of bool, shape (k, len(KINDS), leads)
        Whether the stride meets the criterion for the onset, and for the end, of each kind.
    """
    means = all_features[:, MEAN]
    baseline = (means[4:] + means[3:-1] + means[2:-2] + means[1:-3] + means[:-4]) / 5
    extended = np.concatenate([all_features[4:], baseline[:, None]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(extended, WINDOW_STRIDES, axis=0)
    high, low = windows[:, HIGH].max(axis=-1), windows[:, LOW].min(axis=-1)
    new = all_features[WINDOW_STRIDES + 3 :]
    spread = new[:, HIGH] - new[:, LOW]
    at_rail = np.abs(new[:, MEAN] + offset) >= RAIL_MV

    latest = windows[..., -FLAT_STRIDES:]
    flat = latest[:, HIGH].max(axis=-1) - latest[:, LOW].min(axis=-1) <= FLAT_MV
    missing = latest[:, INVALID_SHARE].mean(axis=-1) > 0.5
    enough = strides_before + 1 + np.arange(len(new)) >= FLAT_STRIDES
    waited = strides_before + 1 + np.arange(len(new)) >= WINDOW_STRIDES
    lead_off = (((flat & ~at_rail) | missing) & enough[:, None]) | (~attached & waited[:, None])
    at_end = (new[:, HIGH] >= high - FLAT_MV) | (new[:, LOW] <= low + FLAT_MV)
    clipped = (spread <= FLAT_MV) & at_end & (swing >= CLIPPED_SWING_MV)
    saturated = (((spread <= STUCK_MV) & at_rail) | clipped) & (new[:, INVALID_SHARE] <= 0.5)

    noise_power = np.sort(windows[:, POWER], axis=-1)[..., NOISE_RANK]
    muscle = np.sqrt(np.maximum(noise_power - RECORDER_NOISE_MV**2, 0.0)) / np.maximum(swing, MIN_QRS_MV)
    jump = windows[:, BASELINE].max(axis=-1) - windows[:, BASELINE].min(axis=-1)
    muscle /= NOISE_RATIO
    without_noise = _index(np.maximum(muscle, jump / WAVE_JUMP_MV)) > NOISE_ONSET_INDEX
    motion = np.maximum(jump / BASELINE_JUMP_MV, (1 - repetition) / (1 - MIN_REPETITION))
    index = _index(np.maximum(muscle, motion))
    no_signal = lead_off | saturated
    noisy = (index < NOISE_ONSET_INDEX) & ~no_signal
    noise_over = (index > NOISE_END_INDEX) | no_signal
    return (
        np.where(no_signal | (new[:, INVALID_SHARE] > 0.5), 0.0, index),
        without_noise,
        np.stack([lead_off, saturated, noisy], axis=1),
        np.stack([~lead_off, ~saturated, noise_over], axis=1),
    )


def _index(noise: FloatArray) -> FloatArray:
    """Return the index of a noise level relative to its limit."""
    return np.asarray(1 / (1 + np.square(noise)))


def _track(
    tracker: Tracker,
    kind_index: int,
    onset_met: list[bool],
    end_met: list[bool],
    at: int,
    start: int,
    leads: tuple[str, ...],
) -> tuple[Tracker, list[Change]]:
    """Update the tracker of ``KINDS[kind_index]`` with the stride that ends with sample ``at``."""
    if not (any(tracker.active) or any(tracker.contradicting) or any(onset_met)):
        return tracker, []
    active, contradicting = list(tracker.active), list(tracker.contradicting)
    for lead, is_active in enumerate(tracker.active):
        contradicting[lead] = contradicting[lead] + 1 if (end_met if is_active else onset_met)[lead] else 0
        if contradicting[lead] < (RELEASE_STRIDES if is_active else CONFIRM_STRIDES)[kind_index]:
            continue
        active[lead], contradicting[lead] = not is_active, 0
    if tuple(active) == tracker.active:
        return Tracker(tracker.active, tuple(contradicting), tracker.onset), []

    # One condition covers all affected leads: when they change, it ends and a new one begins.
    changes: list[Change] = []
    stride_start = at + 1 - STRIDE
    if any(tracker.active):
        end = stride_start if any(active) else at + 1 - RELEASE_STRIDES[kind_index] * STRIDE
        changes.append(
            Ended(
                KINDS[kind_index],
                tracker.onset,
                max(end, tracker.onset + 1),
                at,
                "leads_changed" if any(active) else "rule_no_longer_met",
                leads=_names(tracker.active, leads),
            )
        )
    onset = tracker.onset
    if any(active):
        before = (CONFIRM_STRIDES[kind_index] + LAG_STRIDES[kind_index]) * STRIDE
        onset = stride_start if any(tracker.active) else max(at + 1 - before, start)
        changes.append(Began(KINDS[kind_index], onset, at, "rule_met", leads=_names(active, leads)))
    return Tracker(tuple(active), tuple(contradicting), onset), changes


def _names(active: Sequence[bool], leads: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(lead for lead, is_active in zip(leads, active, strict=True) if is_active)
