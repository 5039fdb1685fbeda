"""Anomaly alarms against the reference beats: the shipped score and the baselines, run causally over whole records.

- Every record is processed from its first sample; results from 5:00 on are scored, of records shorter than ten minutes
  in other databases from 1:40 on (`model.evaluation.database_forecasts`).
- The score of a beat is the highest score that became known in its window (`model.evaluation.anomaly_targets`).
- A *false episode* is an alarm without a VEB, a fusion beat or a flutter wave between its onset and end, or within
  150 ms of them.

Time-based metrics are defined in `model.evaluation.time_metrics`, summaries in `model.evaluation.anomaly_report`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.anomaly import anomaly_detector
from model.anomaly.state import DEFAULT_CONFIG
from model.conditions.changes import Change, Ended
from model.console.progress import track
from model.datasets.annotated_signal import load_annotated
from model.datasets.mitdb import TRAIN, without
from model.datasets.reference import Reference
from model.evaluation import detection_metrics, time_metrics
from model.evaluation.anomaly_metrics import ANOMALY, METHODS, THRESHOLDS, RecordResult
from model.evaluation.anomaly_report import AnomalyReport, report_of
from model.evaluation.anomaly_targets import AFTER_R, BEFORE_R, AnomalyTargets, targets_of
from model.evaluation.baseline_detectors import AHEAD, BaselineDetector, baseline_detectors, patch_ends
from model.evaluation.baseline_forecasts import AR, ar180
from model.evaluation.ec57_beats import WINDOW
from model.evaluation.forecast_scores import SHORTEST
from model.evaluation.time_metrics import TimeResult
from model.forecast import forecaster as forecasting
from model.forecast.config import PATCH
from model.forecast.forecaster import Forecasts
from model.forecast.forecaster_weights import TrainedForecaster
from model.signal import intake
from model.signal.arrays import FloatArray, IntArray
from model.signal.batch import Strides
from model.signal.gaps import fill_gaps
from stream.errors import UsageError
from stream.records.catalog import Catalog
from stream.timebase import FS, STRIDE

CHUNK = 10 * FS
"""Samples per step: whole strides."""


@dataclass(frozen=True)
class DetectorOutput:
    """Output of one method on one record.

    Attributes
    ----------
    score : ndarray of float64, shape (k,)
        One for each patch; NaN during the learning period.
    at : ndarray of int64, shape (k,)
        The sample at which each score became known, rising.
    first, last : ndarray of int64, shape (episodes,)
        First and last sample of each alarm.
    """

    score: FloatArray
    at: IntArray
    first: IntArray
    last: IntArray


def evaluate_anomalies(
    records: Sequence[str],
    *,
    forecaster: TrainedForecaster,
    exclude: Sequence[str] = (),
    catalog: Catalog | None = None,
) -> AnomalyReport:
    """Score anomaly alarms and baselines; parameters and errors as in `model.evaluation.evaluation.evaluate`."""
    signals, references = load(without(records, exclude), catalog)
    targets = {name: targets_of(references[name], len(mv)) for name, mv in signals.items()}
    ar = ar180((AHEAD,), catalog)
    return report_of(score_all(signals, targets, run_detector(signals, forecaster), ar))


def score_all(
    signals: Mapping[str, FloatArray],
    targets: Mapping[str, AnomalyTargets],
    own: Mapping[str, DetectorOutput],
    ar: AR | None,
) -> dict[str, RecordResult]:
    """Run the baselines and score all methods on each record, with progress.

    Parameters
    ----------
    signals : mapping of str to ndarray of float64, shape (n, leads)
        As `load` returns them.
    targets : mapping of str to AnomalyTargets
    own : mapping of str to DetectorOutput
        As `run_detector` returns it.
    ar : AR, optional
        Fitted for the single horizon `model.evaluation.baseline_detectors.AHEAD`; without it this baseline is left out.
    """
    baselines = baseline_detectors(ar)
    results = {}
    for name in track(targets, "baseline detectors"):
        outputs = {ANOMALY: own[name]}
        for method, baseline in baselines.items():
            outputs[method] = run_baseline(baseline, name, signals[name], THRESHOLDS[method])
        results[name] = score_record(targets[name], outputs)
    return results


def load(names: Iterable[str], catalog: Catalog | None = None) -> tuple[dict[str, FloatArray], dict[str, Reference]]:
    """Read the samples of records, mV of shape (n, leads) with NaN where invalid, and their beats.

    Raises
    ------
    UsageError
        A record is too short to score.
    RecordError
        A record cannot be found or has no annotations.
    """
    signals, references = {}, {}
    for name in names:
        record = load_annotated(name, catalog)
        n = len(record.mv)
        if n < SHORTEST:
            raise UsageError(f"record {name} is too short to score: it must last {SHORTEST // FS} s or more")
        signals[name], references[name] = record.mv, record.reference
    return signals, references


def run_detector(
    signals: Mapping[str, FloatArray],
    forecaster: TrainedForecaster,
    on_forecasts: Callable[[str, Strides, Forecasts], None] | None = None,
) -> dict[str, DetectorOutput]:
    """Run forecaster and anomaly detector over all records in parallel, in chunks of 10 s, all leads, state carried.

    Parameters
    ----------
    signals
        As `load` returns them.
    forecaster : TrainedForecaster
    on_forecasts : callable, optional
        Called with the name of a record, and strides and forecasts of one chunk, so that these can be scored in the
        same pass.
    """
    intakes = {name: intake.begin(mv.shape[1], 0, 0) for name, mv in signals.items()}
    forecast_states = {name: forecasting.begin(forecaster, mv.shape[1]) for name, mv in signals.items()}
    detector_states = {name: anomaly_detector.begin(0, [""] * mv.shape[1]) for name, mv in signals.items()}
    scores: dict[str, list[FloatArray]] = {name: [] for name in signals}
    origins: dict[str, list[IntArray]] = {name: [] for name in signals}
    changes: dict[str, list[Change]] = {name: [] for name in signals}
    chunks = range(0, max(map(len, signals.values())), CHUNK)
    for i in track(chunks, "forecasts and anomaly scores"):
        live = [name for name, mv in signals.items() if i < len(mv)]
        strides = []
        for name in live:
            own, intakes[name] = intake.step(intakes[name], signals[name][i : i + CHUNK])
            strides.append(own)
        stepped = forecasting.step(forecaster, [forecast_states[name] for name in live], strides)
        for name, own, (forecasts, state) in zip(live, strides, stepped, strict=True):
            forecast_states[name] = state
            if on_forecasts is not None:
                on_forecasts(name, own, forecasts)
            found, detector_states[name] = anomaly_detector.step(
                DEFAULT_CONFIG, detector_states[name], forecasts.mean, forecasts.scale, forecasts.observed
            )
            scores[name].append(found.score)
            origins[name].append(forecasts.origin)
            changes[name] += found.changes
    outputs = {}
    for name in signals:
        last = anomaly_detector.finish(DEFAULT_CONFIG, detector_states[name].notes, int(intakes[name].end[0]) - 1)
        ended = [change for change in (*changes[name], last) if isinstance(change, Ended)]
        outputs[name] = DetectorOutput(
            np.concatenate(scores[name]),
            np.concatenate(origins[name]),
            np.array([change.onset for change in ended], dtype=np.int64),
            np.array([change.end - 1 for change in ended], dtype=np.int64),
        )
    return outputs


def run_baseline(baseline: BaselineDetector, name: str, mv: FloatArray, threshold: float) -> DetectorOutput:
    """Run a baseline on a record; its alarms end like the shipped ones, when the score has been low for a second.

    Like the shipped detector, it has no score after the last whole stride.
    """
    held, _ = fill_gaps(mv, np.zeros(mv.shape[1]))
    at = patch_ends(len(mv) // STRIDE * STRIDE)
    score = baseline.score(name, held)[: len(at)]
    first, last = detection_metrics.episodes_above(score, at, threshold, DEFAULT_CONFIG.hold * PATCH)
    return DetectorOutput(score, at, first - baseline.window + 1, last)


def score_beats(output: DetectorOutput, beats: IntArray) -> FloatArray:
    """Return the score of each beat: the highest in its window."""
    return detection_metrics.peak_in_windows(output.score, output.at, beats - BEFORE_R, beats + AFTER_R)


def score_record(targets: AnomalyTargets, outputs: Mapping[str, DetectorOutput]) -> RecordResult:
    """Compare the outputs with the targets of a record; alarms that end before its scored part do not count."""
    since = targets.scored_from
    score, episodes, false = {}, {}, {}
    patch_score, false_s = {}, {}
    scored_patches, positive = time_metrics.scored_patches(targets.windows, outputs[ANOMALY].at, since)
    for method, output in outputs.items():
        scored = output.last >= since
        alone = detection_metrics.contains_none(output.first[scored], output.last[scored], targets.excusing, WINDOW)
        score[method] = score_beats(output, targets.beats)
        episodes[method], false[method] = int(scored.sum()), int(alone.sum())
        patch_score[method] = output.score[scored_patches]
        false_s[method] = time_metrics.false_seconds(targets.windows, output.first, output.last, since)
    time = TimeResult(positive, targets.hours, patch_score, false_s)
    return RecordResult(targets.veb, targets.hours, score, episodes, false, time, since)


def break_even_thresholds(
    forecaster: TrainedForecaster, names: Sequence[str] = TRAIN, catalog: Catalog | None = None
) -> dict[str, float]:
    """Return, by method, the threshold that detects as many beats as there are VEB, pooled over records.

    Sensitivity, precision and F1 are equal there. The threshold is close to that of the best F1, and is defined for a
    random score too. Thresholds must be chosen on DS1. Those of the baselines do not depend on ``forecaster``.
    """
    report = evaluate_anomalies(names, forecaster=forecaster, catalog=catalog)
    return {method: detection_metrics.break_even(report.counts(method)) for method in METHODS}
