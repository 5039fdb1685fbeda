"""Ventricular fibrillation and flutter, from the waveform alone, because there are no beats to go by.

Fibrillation is a wave that never rests, and it is nearly a sine. Two published measures, over the last 3 s of each
lead, are added without weights:

- *rest*: the share of samples at which the signal hardly moves. Any rhythm with QRS complexes rests between them
  (the slope baseline of Irusta, Ruiz et al., "A high-temporal resolution algorithm to discriminate shockable from
  nonshockable rhythms", Resuscitation 83, 2012);
- *leakage*: what is left of the signal when it is added to itself half a period later, which leaves nothing of a sine
  (the VF filter of Kuo and Dillman 1978, as Amann, Tratnig and Unterkofler, BioMedical Engineering OnLine 4:60, 2005,
  give it).

A logistic regression on the two, on MIT-BIH DS1 and the Malignant Ventricular Ectopy Database, each record judged by a
fit without it, gave them equal weights. Eleven more measures (threshold crossing sample count, Hjorth's mobility and
complexity, crest factors …) found no more at one false window in a thousand.

A wave slower than `LEAST_HZ`, or one that repeats itself slowly, is no fibrillation; one lower than `LEAST_MV`
may as well be asystole. The leads that can be judged are averaged: noise rarely looks like fibrillation in two leads at
once.

Fast ventricular tachycardia without rest between its complexes looks the same, and the two are not distinguished:
by its autocorrelation flutter is as regular as tachycardia (docs/experiments.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter

from model.signal.arrays import BoolArray, FloatArray
from model.signal.blocks import BLOCK, Blocks
from model.signal.iir_filter import sosfilt
from stream.timebase import FS

THIN = 4
"""One filtered sample in four is used: 90 Hz are enough for what lies below 30 Hz."""

KEPT = BLOCK // THIN
"""Such samples in a block."""

BAND = butter(2, (1.0, 30.0), "bandpass", fs=FS, output="sos")

WINDOW = 6
"""Blocks of half a second that are measured; each new block ends one window."""

RESTING = 0.1
"""Part of the steepest slope below which the signal rests."""

LIMIT = 1.0
"""Rest + leakage below this looks like fibrillation. In ten hours of MIT-BIH (DS1 without 201 and 208), away from
flutter and ventricular tachycardia, the lowest was 1.06; in 94 % of the windows full of fibrillation or flutter, in
seven records, it was below."""

RELEASE = 1.1
"""What has begun ends above this."""

AGREEING = 3
"""Windows in a row that must agree: together they cover the 4 s that the rule asks for."""

LEAST_HZ = 2.6
"""Mean frequency; fibrillation and flutter begin at about 150/min."""

MOST_HZ = 10.0
"""Mean frequency above which a lead is mostly noise (white noise within the band has 14 Hz). One lead at least must be
slower."""

LEAST_MV = 0.15
"""Height of the window, from its lowest to its highest sample, below which a lead is not judged; asystole is drawn at
about 0.1 mV."""

MOST_INVALID = 0.25
"""Share of invalid samples above which a lead is not judged."""

BEFORE = 2 * FS
"""Samples from the onset to the end of the first window that looks like it, about."""

LAGS = np.arange(9, 109)
"""Lags at which a wave may repeat itself: 0.1 to 1.2 s at 90 Hz."""

SLOW = 36
"""A period longer than this, 0.4 s, is too long for fibrillation: 150/min."""

REGULAR = 0.8
"""Autocorrelation at its period above which a wave is regular."""

NOT_JUDGED = 2.0
"""Rest + leakage when no lead can be judged: as far from fibrillation as can be."""


@dataclass(frozen=True, slots=True)
class FibrillationState:
    """All that is carried from step to step.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    filter : ndarray, shape (sections, 2, leads)
    recent : ndarray, shape (up to (WINDOW - 1) * KEPT, leads), mV
        The last filtered samples, at 90 Hz.
    invalid : ndarray, shape (up to WINDOW - 1, leads)
        Share of invalid samples in each of their blocks.
    contradicting : int
        Windows in a row that contradict the present decision.
    first : int
        Onset according to the first of them.
    since : int or None
        Onset of the fibrillation that lasts.
    """

    start: int
    filter: FloatArray
    recent: FloatArray
    invalid: FloatArray
    contradicting: int = 0
    first: int = 0
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Fibrillation:
    """The decision after one window.

    Attributes
    ----------
    at : int
        The last sample that was observed.
    since : int or None
        First sample of the fibrillation that lasts; None where there is none.
    margin : float
        ``LIMIT`` minus rest + leakage: above 0 the window looks like fibrillation. ``LIMIT - NOT_JUDGED`` in the first
        blocks, and while no lead can be judged.
    """

    at: int
    since: int | None
    margin: float


def begin(start: int, leads: int) -> FibrillationState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``."""
    return FibrillationState(start, np.zeros((len(BAND), 2, leads)), np.zeros((0, leads)), np.zeros((0, leads)))


def step(state: FibrillationState, blocks: Blocks) -> tuple[tuple[Fibrillation, ...], FibrillationState]:
    """Push the next blocks of one bed, which may be none.

    Returns
    -------
    tuple of Fibrillation
        One for each block, in order.
    state : FibrillationState
    """
    k, _, leads = blocks.mv.shape
    if not k:
        return (), state
    filtered, carried = sosfilt(BAND, blocks.mv.reshape(k * BLOCK, leads), state.filter)
    recent = np.concatenate([state.recent, filtered[THIN - 1 :: THIN]])
    shares = np.concatenate([state.invalid, blocks.invalid.mean(axis=1)])
    # Blocks at hand up to and with each of the new ones.
    ends = [end for end in range(len(state.invalid) + 1, len(shares) + 1) if end >= WINDOW]
    margins = [LIMIT - NOT_JUDGED] * (k - len(ends))
    if ends:
        windows = np.stack([recent[(end - WINDOW) * KEPT : end * KEPT].T for end in ends])
        missing = np.stack([shares[end - WINDOW : end].mean(axis=0) for end in ends])
        margins += (LIMIT - rest_and_leakage(windows, missing <= MOST_INVALID)).tolist()

    state = replace(
        state,
        filter=carried,
        recent=recent[-(WINDOW - 1) * KEPT :].copy(),
        invalid=shares[-(WINDOW - 1) :].copy(),
    )
    found = []
    for i, margin in enumerate(margins):
        at = blocks.start + (i + 1) * BLOCK - 1
        state = _decide(state, margin, at)
        found.append(Fibrillation(at, state.since, margin))
    return tuple(found), state


def rest_and_leakage(windows: FloatArray, valid: BoolArray) -> FloatArray:
    """Measure windows of all leads.

    Parameters
    ----------
    windows : ndarray, shape (m, leads, WINDOW * KEPT), mV
        At 90 Hz, within `BAND`.
    valid : ndarray of bool, shape (m, leads)
        May this lead be judged?

    Returns
    -------
    ndarray, shape (m,)
        Mean over the leads that can be judged; ``NOT_JUDGED`` where there is none. A lead whose wave is
        too slow counts as that much.
    """
    length = windows.shape[2]
    wave = windows - windows.mean(axis=2, keepdims=True)
    size = np.abs(wave)
    slope = np.abs(np.diff(wave, axis=2))
    total, travelled = size.sum(axis=2), slope.sum(axis=2)
    valid = valid & (np.ptp(windows, axis=2) >= LEAST_MV)
    steepest = np.maximum(slope.max(axis=2), 1e-9)
    rest = (slope < RESTING * steepest[:, :, None]).mean(axis=2)
    # Of a sine, the ratio of these sums is its angular frequency in radians a sample.
    pace = np.maximum(travelled, 1e-9) / np.maximum(total, 1e-9)
    half = np.clip(np.rint(np.pi / pace), 1, length // 4).astype(np.int64)
    earlier = np.arange(length) - half[:, :, None]
    known = earlier >= 0
    earlier = np.maximum(earlier, 0)
    left = np.where(known, np.abs(wave + np.take_along_axis(wave, earlier, axis=2)), 0.0).sum(axis=2)
    whole = np.where(known, size + np.take_along_axis(size, earlier, axis=2), 0.0).sum(axis=2)
    leakage = left / np.maximum(whole, 1e-9)
    hz = pace * (FS / THIN / (2 * np.pi))
    each = np.where(hz >= LEAST_HZ, rest + leakage, NOT_JUDGED)
    judged = (valid & (hz <= MOST_HZ)).any(axis=1)
    mean = _mean(each, valid, judged)
    # The period of what is far from fibrillation anyway does not matter.
    near = np.flatnonzero(mean <= RELEASE)
    if near.size:
        each[near] = np.where(_is_slow_and_regular(wave[near]), NOT_JUDGED, each[near])
        mean = _mean(each, valid, judged)
    return mean


def _mean(each: FloatArray, valid: BoolArray, judged: BoolArray) -> FloatArray:
    """Return the mean over the valid leads, shape (m,), where something can be judged at all."""
    mean = np.where(valid, each, 0.0).sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    return np.where(judged, mean, NOT_JUDGED)


def _is_slow_and_regular(wave: FloatArray) -> BoolArray:
    """Tell whether a wave, shape (m, leads, n), repeats itself after a time that is too long for fibrillation.

    Its period is the shortest lag at which the autocorrelation has a peak nearly as high as its highest.
    """
    length = wave.shape[2]
    spectrum = np.fft.rfft(wave, 2 * length, axis=2)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 2 * length, axis=2)
    at = correlation[:, :, LAGS] / np.maximum(correlation[:, :, :1], 1e-9) * (length / (length - LAGS))
    inner = at[:, :, 1:-1]
    peaks = np.where((inner >= at[:, :, :-2]) & (inner > at[:, :, 2:]), inner, 0.0)
    period = (peaks >= 0.85 * peaks.max(axis=2, keepdims=True)).argmax(axis=2)
    height = np.take_along_axis(peaks, period[:, :, None], axis=2)[:, :, 0]
    return np.asarray((LAGS[1:-1][period] > SLOW) & (height > REGULAR))


def _decide(state: FibrillationState, margin: float, at: int) -> FibrillationState:
    """Push the margin of one window, which ends with the sample ``at``."""
    lasting = state.since is not None
    contradicts = margin < LIMIT - RELEASE if lasting else margin > 0
    if not contradicts:
        return replace(state, contradicting=0)
    contradicting = state.contradicting + 1
    first = max(at + 1 - BEFORE, state.start) if contradicting == 1 else state.first
    if contradicting < AGREEING:
        return replace(state, contradicting=contradicting, first=first)
    return replace(state, contradicting=0, first=first, since=None if lasting else first)
