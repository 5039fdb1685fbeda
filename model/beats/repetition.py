"""Repetition: how well the shape of each beat repeats that of an earlier one.

The beats of a patient repeat: the normal ones each other, ventricular ones mostly each other too, also those of a
ventricular tachycardia after its first. Artefacts do not repeat, and artefacts on a beat change its shape; so the
repetition over the last beats measures how much of the signal is noise, at the frequencies that detection and
classification of beats use. With electrode motion at 24, 12, 6, 0 dB (MIT-BIH Noise Stress Test Database, 118) its
median is .99, .95, .82, .71; in MIT-BIH DS1 it is .994, and 95 % of the beats are above .90.

Each lead is compared by itself, so a noisy lead beside a clean one does not count. Fibrillation does not repeat either:
the caller must ask the waveform.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter

from model.beats.beat_detector import Beat
from model.signal.arrays import BoolArray, FloatArray
from model.signal.iir_filter import sosfilt
from model.signal.intake import Strides
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

MIN_NORM_MV = 0.02
"""Lowest norm of a compared part, mV (an RMS of 3 µV); a flat lead repeats nothing."""


@dataclass(frozen=True, slots=True)
class RepetitionState:
    """State carried from step to step.

    Attributes
    ----------
    filter : ndarray, shape (sections, 2, leads)
    recent : ndarray, shape (KEPT, leads), mV
        Last filtered samples, at 90 Hz.
    shapes : ndarray, shape (up to EARLIER_BEATS, WIDTH, leads)
        Compared parts of the last beats, oldest first: zero mean, unit norm, or 0 where the lead is flat.
    last_rr : int or None
        RR interval before the last beat, samples.
    last : int
        Sample at which the last beat was reported.
    by_lead : tuple of tuple of float
        Repetition of the last beats by lead, at most `AVERAGED_BEATS`, without the very first.
    ecg_seen : bool
        Whether the beats have ever repeated as only those of an ECG do.
    """

    filter: FloatArray
    recent: FloatArray
    shapes: FloatArray
    last_rr: int | None = None
    last: int = 0
    by_lead: tuple[tuple[float, ...], ...] = ()
    ecg_seen: bool = False


@dataclass(frozen=True, slots=True)
class Repetition:
    """Repetition in the strides of one step.

    Attributes
    ----------
    trusted : tuple of bool
        Whether each beat can be a ventricular one rather than an artefact.
    mean : ndarray, shape (k,)
        Mean over the last beats at the end of each stride, in the best lead; NaN before `MIN_BEATS` and
        `MAX_SILENCE` after the last one.
    ecg_seen : ndarray of bool, shape (k,)
        Whether the beats up to the end of each stride have ever repeated as only those of an ECG do.
    """

    trusted: tuple[bool, ...]
    mean: FloatArray
    ecg_seen: BoolArray


def begin(leads: int) -> RepetitionState:
    """Return the state before the first sample."""
    return RepetitionState(np.zeros((len(BAND_SOS), 2, leads)), np.zeros((KEPT, leads)), np.zeros((0, WIDTH, leads)))


def after_gap(state: RepetitionState) -> RepetitionState:
    """Return the state after lost samples: the shapes of the last beats are kept."""
    fresh = begin(state.filter.shape[2])
    return replace(state, filter=fresh.filter, recent=fresh.recent, last_rr=None)


def step(state: RepetitionState, strides: Strides, beats: Sequence[Beat]) -> tuple[Repetition, RepetitionState]:
    """Push the next strides of one bed, and the beats reported in them in order."""
    filtered, carried = sosfilt(BAND_SOS, strides.mv, state.filter)
    samples = np.concatenate([state.recent, filtered[DECIMATION - 1 :: DECIMATION]])
    first = strides.start - KEPT * DECIMATION
    shapes, last, by_lead, seen = state.shapes, state.last, state.by_lead, state.ecg_seen
    is_trusted, mean, ecg_seen = [], [], []
    last_rr = state.last_rr
    pending = list(beats)
    for now in strides.last_samples:
        while pending and pending[0].at <= now:
            beat = pending.pop(0)
            correlation, own_shape = _compare(samples, (beat.index - first) // DECIMATION, shapes)
            if len(shapes):
                last, by_lead = beat.at, (*by_lead, correlation)[-AVERAGED_BEATS:]
            shapes = np.concatenate([shapes, own_shape])[-EARLIER_BEATS:]
            fast = beat.rr is not None and last_rr is not None and beat.rr + last_rr < 2 * FAST_RR
            is_trusted.append(fast or _run_mean(by_lead[-RUN_BEATS:]) >= MIN_RUN_REPETITION)
            last_rr = beat.rr
        known = len(by_lead) >= MIN_BEATS and now - last < MAX_SILENCE
        mean.append(_mean(by_lead) if known else math.nan)
        seen = seen or (len(by_lead) == AVERAGED_BEATS and mean[-1] >= ECG_REPETITION)
        ecg_seen.append(seen)
    output = Repetition(tuple(is_trusted), np.array(mean), np.array(ecg_seen))
    return output, RepetitionState(carried, samples[-KEPT:].copy(), shapes, last_rr, last, by_lead, seen)


def trusted(beats: Sequence[Beat], repetition: Repetition) -> tuple[Beat, ...]:
    """Return the beats of a step for the rhythm: a ventricular one amid artefacts has no type (``Q``)."""
    return tuple(
        beat if beat.type != "V" or is_trusted else replace(beat, type="Q")
        for beat, is_trusted in zip(beats, repetition.trusted, strict=True)
    )


def _compare(samples: FloatArray, r: int, shapes: FloatArray) -> tuple[tuple[float, ...], FloatArray]:
    """Compare the beat at row ``r`` with earlier ones.

    Returns
    -------
    tuple of float
        Largest correlation, by lead, at least 0; 1 if there is no earlier beat.
    ndarray, shape (1, WIDTH, leads)
        Shape of the beat.
    """
    piece = samples[r - BEFORE - MAX_SHIFT : r + AFTER + MAX_SHIFT + 1]
    windows = _normalized(np.lib.stride_tricks.sliding_window_view(piece, WIDTH, axis=0).transpose(0, 2, 1))
    correlation = np.einsum("swl,kwl->skl", windows, shapes).max(axis=(0, 1), initial=0.0)
    if not len(shapes):
        correlation = np.ones(piece.shape[1])
    return tuple(correlation.tolist()), windows[MAX_SHIFT : MAX_SHIFT + 1]


def _mean(by_lead: Sequence[Sequence[float]]) -> float:
    """Return the mean over beats, in the best lead."""
    leads: Iterable[tuple[float, ...]] = zip(*by_lead, strict=True)
    return max(map(sum, leads)) / len(by_lead)


def _run_mean(by_lead: Sequence[Sequence[float]]) -> float:
    """Return the mean of all beats but the one that repeats least, in the best lead; 1 for less than two beats."""
    if len(by_lead) < 2:
        return 1.0
    leads: Iterable[tuple[float, ...]] = zip(*by_lead, strict=True)
    return max(sum(lead) - min(lead) for lead in leads) / (len(by_lead) - 1)


def _normalized(windows: FloatArray) -> FloatArray:
    """Return windows, shape (n, WIDTH, leads), with zero mean and unit norm; about 0 where a lead is flat."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.sqrt((centred * centred).sum(axis=1, keepdims=True)), MIN_NORM_MV))
