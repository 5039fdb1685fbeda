"""Training examples of the anomaly classifier: feature segments around and between reference beats.

An example is a segment of 400 ms. There is one for each selected reference beat, and one after each of some beats
where no alarm should be raised. Records are augmented with irregular rhythm (`model.training.augment_rhythm`), aberrant
conduction (`model.training.augment_conduction`) and noise (`model.training.augment_noise`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.anomaly import anomaly_detector, comparison
from model.datasets.annotated_signal import AnnotatedSignal, load_annotated
from model.datasets.beat_codes import AAMI_CLASS, FLUTTER_WAVE, NORMAL, SUPRAVENTRICULAR
from model.evaluation.anomaly_scores import CHUNK
from model.evaluation.anomaly_targets import BEFORE_R
from model.forecast import forecaster as forecasting
from model.forecast.config import PATCH
from model.forecast.forecaster_weights import TrainedForecaster
from model.signal import intake
from model.signal.arrays import BoolArray, Float32Array, FloatArray
from model.training import augment_conduction, augment_noise, augment_rhythm
from model.training.augment_rhythm import REMOVED
from stream.records.catalog import Catalog
from stream.timebase import FS

FIT_FROM = 60 * FS
"""First sample from which beats become examples."""

VENTRICULAR = frozenset(code for code, aami in AAMI_CLASS.items() if aami == "V")
EXCUSING = VENTRICULAR | frozenset(("F", FLUTTER_WAVE))
"""Codes near which an alarm is not false."""

RARE = VENTRICULAR | (SUPRAVENTRICULAR - NORMAL) | frozenset(REMOVED)
"""Codes of beats that all become examples: ventricular ones, and those easily confused with them."""

EVERY = 6
"""Of all other beats, every sixth becomes an example."""

SEGMENT, STRIDE = 36, 4
"""Patches of an example, of which every fourth is used."""

QUIET_BEFORE, QUIET_AFTER = 450, 250
"""Samples before and after the start of an example between beats in which no ventricular beat may lie."""

VARIANT_SEED = 1
"""Seed of the augmentation, combined with the record's number."""


@dataclass(frozen=True)
class Examples:
    """Examples of one signal.

    Attributes
    ----------
    features : ndarray of float32, shape (n, SEGMENT / STRIDE, FEATURES)
    veb : ndarray of bool, shape (n,)
        Which examples are ventricular ectopic beats.
    weight : ndarray of float32, shape (n,)
    """

    features: Float32Array
    veb: BoolArray
    weight: Float32Array


def load_variants(name: str, catalog: Catalog | None = None) -> tuple[AnnotatedSignal, ...]:
    """Read a record, and augment it with irregular rhythm, aberrant conduction and noise; the first one is as recorded.

    Raises
    ------
    RecordError
        The record cannot be found or has no annotations.
    """
    recorded = load_annotated(name, catalog)
    seed = VARIANT_SEED + 1000 * int(name)
    augmentations = (augment_rhythm, augment_conduction, augment_noise)
    return (recorded, *(augmentation.augment(recorded, seed) for augmentation in augmentations))


def features_of(signals: Sequence[FloatArray], forecaster: TrainedForecaster) -> list[Float32Array]:
    """Return the features of whole signals as the live detector computes them, each of shape (patches, FEATURES)."""
    intakes = [intake.begin(mv.shape[1], 0, 0) for mv in signals]
    forecast_states = [forecasting.begin(forecaster, mv.shape[1]) for mv in signals]
    detector_states = [anomaly_detector.begin(0, [""] * mv.shape[1]) for mv in signals]
    found: list[list[Float32Array]] = [[] for _ in signals]
    for begins in range(0, max(map(len, signals)), CHUNK):
        received = [intake.step(state, mv[begins : begins + CHUNK]) for state, mv in zip(intakes, signals, strict=True)]
        intakes = [state for _, state in received]
        stepped = forecasting.step(forecaster, forecast_states, [strides for strides, _ in received])
        forecast_states = [state for _, state in stepped]
        for i, (forecasts, _) in enumerate(stepped):
            features, detector_states[i] = comparison.compare(
                detector_states[i], forecasts.mean, forecasts.scale, forecasts.observed
            )
            found[i].append(features.astype(np.float32))
    return [np.concatenate(parts) for parts in found]


def examples_of(signal: AnnotatedSignal, features: Float32Array) -> Examples:
    """Cut the features of a signal into examples.

    The total weight of a signal is the square root of its number of beats.

    Parameters
    ----------
    signal : AnnotatedSignal
    features : ndarray of float32, shape (patches, FEATURES)
    """
    sample, codes = signal.sample, signal.symbol
    excusing = sample[[code in EXCUSING for code in codes]]
    beat = np.array([code in AAMI_CLASS and code != "F" for code in codes])
    beat &= (sample > FIT_FROM) & (sample < len(features) * PATCH - FS)
    at = sample[beat]
    beat_codes = [code for code, chosen in zip(codes, beat, strict=True) if chosen]
    veb, rare = (np.array([code in group for code in beat_codes]) for group in (VENTRICULAR, RARE))
    common = np.arange(len(at)) % EVERY == 0
    between = at + SEGMENT * PATCH - BEFORE_R
    alone = np.searchsorted(excusing, between - QUIET_BEFORE) == np.searchsorted(excusing, between + QUIET_AFTER)

    chosen, gaps = rare | common, common & alone
    begins = np.concatenate([at[chosen] - BEFORE_R, between[gaps]])
    # The score of a patch is known at its last sample.
    first = -(-(begins - (PATCH - 1)) // PATCH)
    segments = features[first[:, None] + np.arange(0, SEGMENT, STRIDE)]
    weight = np.concatenate([np.where(rare[chosen], 1.0, EVERY), np.full(int(gaps.sum()), float(EVERY))])
    usable = np.isfinite(segments).all(axis=(1, 2))
    return Examples(
        segments[usable],
        np.concatenate([veb[chosen], np.zeros(int(gaps.sum()), bool)])[usable],
        (weight / weight.sum() ** 0.5).astype(np.float32)[usable],
    )
