"""Repetition: how well the shape of each beat repeats that of an earlier one.

The beats of a patient repeat: the normal ones each other, ventricular ones mostly each other too, also those of a
ventricular tachycardia after its first. Artefacts do not repeat, and artefacts on a beat change its shape; so the
repetition over the last beats measures how much of the signal is noise, at the frequencies that detection and
classification of beats use. With electrode motion at 24, 12, 6, 0 dB (MIT-BIH Noise Stress Test Database, 118) its
median is .99, .95, .82, .71; in MIT-BIH DS1 it is .994, and 95 % of the beats are above .90.

A weak complex (`model.beats.qrs_detector`) that repeats an earlier beat and is higher than a P wave is a missed beat:
it is not reported as a beat, but there was no pause.

Each lead is compared by itself, so a noisy lead beside a clean one does not count. Fibrillation does not repeat either:
the caller must ask the waveform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import butter

from model.beats.beat import UNKNOWN, VENTRICULAR, Beat, BeatRows, to_rows
from model.beats.qrs_detector import Qrs, QrsRows
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.batch import Batch, Strides, single
from model.signal.columns import copied, push
from model.signal.compiled import compiled, compiled_part
from model.signal.iir_filter import filter_sample
from stream.timebase import FS, STRIDE

BAND_SOS: FloatArray = butter(2, (7.0, 30.0), "bandpass", fs=FS, output="sos")
"""Band-pass filter, 7 to 30 Hz: the QRS complex without T wave and baseline. Bands from 4 and from 1 Hz on separate
noise from beats less well."""

DECIMATION = 4
"""Every fourth filtered sample is compared: 90 Hz."""

BEFORE, AFTER, MAX_SHIFT = 23, 13, 2
"""Compared part of a beat before and after the R peak, and largest shift, in decimated samples: 256, 144 and 22 ms. A
beat is reported at least 189 ms after its R peak, so this part is complete."""

WIDTH = BEFORE + AFTER + 1
"""Decimated samples in a compared part."""

KEPT = BEFORE + MAX_SHIFT + 2 * STRIDE // DECIMATION + 2
"""Decimated samples kept from step to step: those before the R peak of a beat that is reported up to 200 ms later."""

EARLIER_BEATS = 6
"""Earlier beats that a beat is compared with. More would match artefacts by chance more often; fewer would miss the
last ectopic beat of the same shape."""

AVERAGED_BEATS = 10
"""Beats in the mean repetition."""

MIN_BEATS = 5
"""Smallest number of beats for a mean repetition."""

MAX_SILENCE = 2 * FS
"""Samples without a beat after which nothing is known: a pause is no artefact."""

RUN_BEATS, MIN_RUN_REPETITION = 5, 0.8
"""Last beats whose mean repetition must reach the second value for a ventricular beat to be trusted: an artefact that
has just begun is a run of beats that repeat nothing. The least of them is left out: the first beat of a tachycardia has
a new shape. In the true ventricular tachycardias of MIT-BIH DS1 the mean is .83 or more, in the runs of false beats at
the onset of electrode motion (118 at 0 and -6 dB) .65 to .73."""

FAST_RR = 100
"""Mean of the last two RR intervals, samples, below which a ventricular beat is trusted whatever its shape: 216/min. A
polymorphic tachycardia is that fast and does not repeat (v571l of the PhysioNet Challenge 2015); the false beats of
electrode motion mostly are slower."""

ECG_REPETITION = 0.85
"""Mean repetition that only an ECG reaches. 95 % of the time with electrode motion at 0 dB are below."""

MIN_MISSED_REPETITION = 0.8
"""Repetition from which a weak complex is a missed beat."""

MIN_MISSED_MV, HALF_COMPLEX = 0.15, 9
"""Peak-to-peak value, mV, below which it is none, within so many decimated samples (100 ms) of its R peak. ANSI/AAMI
EC13 wants no QRS complex of 0.15 mV or less to be detected, because P waves are that high."""

COMPLETE = (AFTER + MAX_SHIFT + 1) * DECIMATION
"""Samples after the R peak with which the compared part is complete at every shift."""

MIN_NORM_MV = 0.02
"""Lowest norm of a compared part, mV (an RMS of 3 µV); a flat lead repeats nothing."""


class RepetitionState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    filter : ndarray of float64, shape (beds, leads, sections, 2)
    recent : ndarray of float64, shape (beds, leads, KEPT), mV
        Last filtered samples, at 90 Hz.
    beats : ndarray of int64, shape (beds,)
        Number of beats.
    shapes : ndarray of float64, shape (beds, leads, EARLIER_BEATS, WIDTH)
        Compared parts of the last beats: zero mean, unit norm, or 0 where the lead is flat. That of beat k is in row
        k modulo EARLIER_BEATS.
    last_rr : ndarray of int64, shape (beds,)
        RR interval before the last beat, samples; -1 if unknown.
    last : ndarray of int64, shape (beds,)
        Sample at which the last beat was reported.
    by_lead : ndarray of float64, shape (beds, leads, AVERAGED_BEATS)
        Repetition of the last beats, oldest first, without the very first beat.
    ecg_seen : ndarray of bool, shape (beds,)
        Whether the beats have ever repeated as only those of an ECG do.
    weak : ndarray of int64, shape (beds,)
        R peak of the last weak complex, until it is complete and compared; -1 without one.
    """

    filter: FloatArray
    recent: FloatArray
    beats: IntArray
    shapes: FloatArray
    last_rr: IntArray
    last: IntArray
    by_lead: FloatArray
    ecg_seen: BoolArray
    weak: IntArray


class Repetition(NamedTuple):
    """Repetition in the strides of some beds.

    Attributes
    ----------
    trusted : ndarray of bool, shape (rows,)
        Whether each beat can be a ventricular one rather than an artefact.
    mean : ndarray, shape (beds, strides)
        Mean over the last beats at the end of each stride, in the best lead; NaN before `MIN_BEATS` and
        `MAX_SILENCE` after the last one.
    ecg_seen : ndarray of bool, shape (beds, strides)
        Whether the beats up to the end of each stride have ever repeated as only those of an ECG do.
    missed : ndarray of int64, shape (beds, strides)
        R peak of a missed beat that was found in the stride; -1 without one.
    """

    trusted: BoolArray
    mean: FloatArray
    ecg_seen: BoolArray
    missed: IntArray


def begin(leads: int) -> RepetitionState:
    """Return the state of one bed before the first sample."""
    return RepetitionState(
        filter=np.zeros((1, leads, len(BAND_SOS), 2)),
        recent=np.zeros((1, leads, KEPT)),
        beats=np.zeros(1, np.int64),
        shapes=np.zeros((1, leads, EARLIER_BEATS, WIDTH)),
        last_rr=np.full(1, -1),
        last=np.zeros(1, np.int64),
        by_lead=np.zeros((1, leads, AVERAGED_BEATS)),
        ecg_seen=np.zeros(1, np.bool_),
        weak=np.full(1, -1),
    )


def after_gap(state: RepetitionState) -> RepetitionState:
    """Return the state of one bed after lost samples: the shapes of the last beats are kept."""
    fresh = begin(state.recent.shape[1])
    return state._replace(filter=fresh.filter, recent=fresh.recent, last_rr=fresh.last_rr, weak=fresh.weak)


def step(
    state: RepetitionState, strides: Strides, beats: Sequence[Beat], weak: Sequence[Qrs] = ()
) -> tuple[Repetition, RepetitionState]:
    """Push the next strides of one bed, and the beats and weak complexes reported in them in order."""
    state = copied(state)
    found = np.array([(at.index, at.at, at.strength) for at in weak]).reshape(-1, 3)
    r_peak, at = found[:, 0].astype(np.int64), found[:, 1].astype(np.int64)
    rows = QrsRows(np.array([0, len(weak)]), r_peak, at, found[:, 2].copy())
    return advance(state, single(strides), to_rows([beats]), rows), state


def advance(columns: RepetitionState, batch: Batch, beats: BeatRows, weak: QrsRows) -> Repetition:
    """Push the strides of the beds of a batch, and what was reported in them; change their slots of ``columns``.

    Parameters
    ----------
    columns : RepetitionState
    batch : Batch
    beats : BeatRows
    weak : QrsRows
        Weak complexes.
    """
    shape = len(batch.slots), batch.strides
    trusted, missed = np.empty(len(beats.at), np.bool_), np.empty(shape, np.int64)
    repetition = Repetition(trusted, np.empty(shape), np.empty(shape, np.bool_), missed)
    _advance(columns, batch, beats, weak, repetition)
    return repetition


def trusted(beats: BeatRows, repetition: Repetition) -> BeatRows:
    """Return the beats of a step for the rhythm: a ventricular one amid artefacts has no type (``Q``)."""
    doubtful = (beats.kind == VENTRICULAR) & ~repetition.trusted
    return beats._replace(kind=np.where(doubtful, UNKNOWN, beats.kind))


@compiled
def _advance(columns: RepetitionState, batch: Batch, beats: BeatRows, weak: QrsRows, repetition: Repetition) -> None:
    """Push the strides of the beds of a batch, and their complexes, in place; fill ``repetition``."""
    samples = np.empty((columns.recent.shape[1], KEPT + batch.mv.shape[1] // DECIMATION))
    for bed in range(len(batch.slots)):
        slot, start, row, suspected = batch.slots[bed], batch.start[bed], beats.first[bed], weak.first[bed]
        _filter(columns.filter[slot], columns.recent[slot], batch.mv[bed], samples)
        by_lead, ecg_seen = columns.by_lead[slot], columns.ecg_seen[slot]
        for stride in range(repetition.mean.shape[1]):
            now = start + (stride + 1) * STRIDE - 1
            while row < beats.first[bed + 1] and beats.at[row] <= now:
                r = (beats.r_peak[row] - start) // DECIMATION + KEPT
                repetition.trusted[row] = _push_beat(columns, slot, samples, r, beats.at[row], beats.rr[row])
                row += 1
            compared = _compared(columns.beats[slot])
            known = compared >= MIN_BEATS and now - columns.last[slot] < MAX_SILENCE
            mean = _mean(by_lead, compared) if known else math.nan
            ecg_seen = ecg_seen or (compared == AVERAGED_BEATS and mean >= ECG_REPETITION)
            repetition.mean[bed, stride], repetition.ecg_seen[bed, stride] = mean, ecg_seen
            while suspected < weak.first[bed + 1] and weak.at[suspected] <= now:
                columns.weak[slot] = weak.r_peak[suspected]
                suspected += 1
            repetition.missed[bed, stride] = _missed(columns, slot, samples, start, now)
        columns.ecg_seen[slot] = ecg_seen


@compiled_part
def _push_beat(columns: RepetitionState, slot: int, samples: FloatArray, r: int, at: int, rr: int) -> bool:
    """Compare a beat of a bed with its earlier ones, in place, and return whether it is trusted.

    Parameters
    ----------
    samples : ndarray, shape (leads, n), mV
        Filtered samples at 90 Hz.
    r : int
        Column of its R peak.
    at : int
        Sample at which it was reported.
    rr : int
        RR interval before it, samples; -1 if unknown.
    """
    by_lead, last_rr = columns.by_lead[slot], columns.last_rr[slot]
    _compare(samples, r, columns.beats[slot], columns.shapes[slot], by_lead)
    if columns.beats[slot]:
        columns.last[slot] = at
    columns.beats[slot] += 1
    columns.last_rr[slot] = rr
    fast = rr >= 0 and last_rr >= 0 and rr + last_rr < 2 * FAST_RR
    return fast or _run_mean(by_lead, _compared(columns.beats[slot])) >= MIN_RUN_REPETITION


@compiled_part
def _missed(columns: RepetitionState, slot: int, samples: FloatArray, start: int, now: int) -> int:
    """Return the R peak of the weak complex of a bed if it is complete and a missed beat; otherwise -1.

    Parameters
    ----------
    samples : ndarray, shape (leads, n), mV
        Filtered samples at 90 Hz.
    start : int
        First sample of the batch.
    now : int
        Last sample of the stride.
    """
    r_peak, window, best = columns.weak[slot], np.empty(WIDTH), 0.0
    if r_peak < 0 or r_peak + COMPLETE > now:
        return -1
    known, r = min(columns.beats[slot], EARLIER_BEATS), (r_peak - start) // DECIMATION + KEPT
    for lead in range(len(samples)):
        complex_mv = samples[lead, r - HALF_COMPLEX : r + HALF_COMPLEX + 1]
        if complex_mv.max() - complex_mv.min() > MIN_MISSED_MV:
            best = max(best, _repetition(samples[lead], r, columns.shapes[slot, lead], known, window))
    columns.weak[slot] = -1
    return int(r_peak) if best >= MIN_MISSED_REPETITION else -1


@compiled_part
def _filter(state: FloatArray, recent: FloatArray, mv: FloatArray, samples: FloatArray) -> None:
    """Filter new samples, in place, and write the recent ones and each fourth new one into ``samples``.

    Parameters
    ----------
    state : ndarray of float64, shape (leads, sections, 2)
    recent : ndarray of float64, shape (leads, KEPT), mV
    mv : ndarray of float64, shape (n, leads), mV
    samples : ndarray of float64, shape (leads, KEPT + n / 4), mV
    """
    new = samples.shape[1] - KEPT
    for lead in range(len(samples)):
        for i in range(KEPT):
            samples[lead, i] = recent[lead, i]
        for i in range(len(mv)):
            filtered = filter_sample(BAND_SOS, state[lead], mv[i, lead])
            if i % DECIMATION == DECIMATION - 1:
                samples[lead, KEPT + i // DECIMATION] = filtered
        for i in range(KEPT):
            recent[lead, i] = samples[lead, new + i]


@compiled_part
def _compare(samples: FloatArray, r: int, beats: int, shapes: FloatArray, by_lead: FloatArray) -> None:
    """Compare the beat at column ``r`` of the samples, (leads, n), with earlier ones; push its shape and repetition.

    ``beats`` is the number of earlier beats. The repetition is the largest correlation, at least 0.
    """
    known, window = min(beats, EARLIER_BEATS), np.empty(WIDTH)
    for lead in range(len(samples)):
        if known:
            push(by_lead[lead], _compared(beats), _repetition(samples[lead], r, shapes[lead], known, window))
        begin = r - BEFORE
        _normalize(samples[lead, begin : begin + WIDTH], shapes[lead, beats % EARLIER_BEATS])


@compiled_part
def _repetition(samples: FloatArray, r: int, shapes: FloatArray, known: int, window: FloatArray) -> float:
    """Return the largest correlation of a complex with the known shapes in one lead, at least 0."""
    repetition = 0.0
    for shift in range(2 * MAX_SHIFT + 1):
        begin = r - BEFORE - MAX_SHIFT + shift
        _normalize(samples[begin : begin + WIDTH], window)
        for k in range(known):
            correlation = 0.0
            for i in range(WIDTH):
                correlation += window[i] * shapes[k, i]
            repetition = max(repetition, correlation)
    return repetition


@compiled_part
def _compared(beats: int) -> int:
    """Return the number of known values in ``by_lead`` after a number of beats."""
    return max(min(beats - 1, AVERAGED_BEATS), 0)


@compiled_part
def _normalize(samples: FloatArray, window: FloatArray) -> None:
    """Write samples with zero mean and unit norm into a window; about 0 if they are flat."""
    mean, power = samples.mean(), 0.0
    for i in range(WIDTH):
        window[i] = samples[i] - mean
        power += window[i] * window[i]
    norm = max(math.sqrt(power), MIN_NORM_MV)
    for i in range(WIDTH):
        window[i] /= norm


@compiled_part
def _mean(by_lead: FloatArray, compared: int) -> float:
    """Return the mean over beats, in the best lead."""
    best = 0.0
    for lead in range(len(by_lead)):
        best = max(best, by_lead[lead, :compared].mean())
    return best


@compiled_part
def _run_mean(by_lead: FloatArray, compared: int) -> float:
    """Return the mean of the last beats but the one that repeats least, in the best lead; 1 for less than two."""
    n, best = min(compared, RUN_BEATS), 0.0
    if n < 2:
        return 1.0
    for lead in range(len(by_lead)):
        values = by_lead[lead, compared - n : compared]
        best = max(best, (values.sum() - values.min()) / (n - 1))
    return best
