"""Do residual alarms find ectopic beats? The shipped score against the reference beats, end to end and causal.

- Every record runs through forecaster and residual from its first sample, as it would live; scored is what lies after
  5:00.
- A **beat** is scored by the highest score that became known from 150 ms before its R peak to 250 ms after it: a wide
  complex begins before its R peak, and a causal score, which averages over the last samples, peaks after it.
- **Positive** are ventricular ectopic beats (VEB: V and E). A fusion beat (F) is neither hit nor miss; every other
  beat is negative.
- A **false episode** is an alarm with no VEB and no F within its onset and end, or 150 ms of them (EC57's window for
  beats). Waves of ventricular flutter (``!``, in record 207 only) excuse an alarm, too: nobody counts beats there.

The same by time is defined in `model.evaluation.time_metrics`; what becomes of the counts is in
`model.evaluation.anomaly_report`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track

from model.anomaly import anomaly_detector
from model.anomaly.state import ANOMALY
from model.conditions.changes import Change, Ended
from model.datasets.mitdb import TRAIN, without
from model.evaluation import detection_metrics, time_metrics
from model.evaluation.anomaly_report import METHODS, OURS, THRESHOLDS, RecordResult, ResidualReport, report_of
from model.evaluation.baseline_detectors import AHEAD, Rival, patch_ends, rivals
from model.evaluation.baseline_forecasts import AR, ar180
from model.evaluation.forecast_scores import SCORED_FROM, SHORTEST
from model.evaluation.time_metrics import AFTER_R, BEFORE_R, TimeResult
from model.forecast import forecaster as forecasting
from model.forecast.checkpoint import Checkpoint
from model.forecast.config import PATCH
from model.forecast.forecaster import Forecasts
from model.signal import intake
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.gaps import hold
from stream.errors import RecordError, UsageError
from stream.records import wfdb_reader as wfdb_records
from stream.records.catalog import Catalog
from stream.timebase import FS, STRIDE

BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Annotations that are beats."""

VEB = frozenset("VE")
EXCUSING = VEB | frozenset("F!")
"""What an alarm may be about without being false."""

TOLERANCE = 54
"""Samples, 150 ms, by which a beat may lie outside an alarm that is about it."""

CHUNK = 10 * FS
"""Samples per step: whole strides."""


@dataclass(frozen=True)
class Reference:
    """The annotations of a record that say what an alarm should do; samples rising.

    Attributes
    ----------
    beats : ndarray of int64, shape (n,)
        R peaks of the beats that are hit or miss, from 5:00.
    veb : ndarray of bool, shape (n,)
    excusing : ndarray of int64
        What an alarm may be about, over the whole record.
    windows : Windows
        The samples about it.
    hours : float
        From 5:00 to the end.
    """

    beats: IntArray
    veb: BoolArray
    excusing: IntArray
    windows: time_metrics.Windows
    hours: float


@dataclass(frozen=True)
class Traced:
    """What one method made of one record: a score at each patch's end, and the first and last samples of alarms."""

    score: FloatArray
    at: IntArray
    first: IntArray
    last: IntArray


def evaluate_residual(
    records: Sequence[str], *, forecaster: Checkpoint, exclude: Sequence[str] = (), catalog: Catalog | None = None
) -> ResidualReport:
    """Score the residual alarms and their rivals on MIT-BIH records, with a progress bar.

    Parameters
    ----------
    records : sequence of str
        As `model.datasets.mitdb.parse_records` returns them.
    forecaster : Checkpoint
    exclude : sequence of str
        Records left out.
    catalog : Catalog, optional

    Raises
    ------
    UsageError
        No record is left, or one is too short to score.
    RecordError
        A record is nowhere or has no annotations, or one that AR is fitted to is nowhere.
    """
    names = without(records, exclude)
    signals, references = load(names, catalog)
    ar = ar180((AHEAD,), catalog)
    return compare(signals, references, run_ours(signals, forecaster), ar)


def compare(
    signals: Mapping[str, FloatArray], references: Mapping[str, Reference], ours: Mapping[str, Traced], ar: AR
) -> ResidualReport:
    """Run the rivals on the records that `run_ours` went through, and judge all, with a progress bar.

    Parameters
    ----------
    signals, references
        As `load` returns them.
    ours : mapping of str to Traced
        As `run_ours` returns it.
    ar : AR
        Fitted for the one horizon `model.evaluation.baseline_detectors.AHEAD`.
    """
    others = rivals(ar)
    results = {}
    for name in track(signals, description="rivals", console=Console(stderr=True), transient=True):
        traced = {OURS: ours[name]}
        for method, rival in others.items():
            traced[method] = run_rival(rival, name, signals[name], THRESHOLDS[method])
        results[name] = judge(references[name], {method: traced[method] for method in METHODS})
    return report_of(results)


def load(names: Iterable[str], catalog: Catalog | None = None) -> tuple[dict[str, FloatArray], dict[str, Reference]]:
    """Read the samples, mV of shape (n, leads) with NaN where invalid, and the reference beats of records."""
    signals, references = {}, {}
    for name in names:
        record = wfdb_records.load(f"mitdb/{name}", catalog)
        if record.annotations is None:
            raise RecordError(f"record {name} has no reference beats: put its .atr file beside it")
        if record.n < SHORTEST:
            raise UsageError(f"record {name} is too short to score: it must last {SHORTEST // FS} s or more")
        signals[name] = record.mv()
        references[name] = reference_of(record.annotations.sample, record.annotations.symbol, record.n)
    return signals, references


def reference_of(sample: IntArray, symbol: Sequence[str], n: int) -> Reference:
    """Return what the annotations of a record with n samples say; those past its end say nothing."""
    order = np.argsort(sample, kind="stable")
    order = order[sample[order] < n]
    sample, kinds = sample[order].astype(np.int64), [symbol[i] for i in order]
    veb, excusing = (np.array([kind in those for kind in kinds], dtype=bool) for those in (VEB, EXCUSING))
    scored = np.array([kind in BEATS and kind != "F" for kind in kinds], dtype=bool) & (sample >= SCORED_FROM)
    return Reference(
        beats=sample[scored],
        veb=veb[scored],
        excusing=sample[excusing],
        windows=time_metrics.windows(sample[veb], sample[excusing & ~veb], n),
        hours=(n - SCORED_FROM) / FS / 3600,
    )


def run_ours(
    signals: Mapping[str, FloatArray],
    forecaster: Checkpoint,
    watch: Callable[[str, Forecasts], None] | None = None,
) -> dict[str, Traced]:
    """Run records through forecaster and residual side by side, in chunks of 10 s, all leads, state carried.

    Parameters
    ----------
    signals
        As `load` returns them.
    forecaster : Checkpoint
    watch : callable, optional
        Is given each record's name and forecasts, chunk by chunk: whoever scores them need not make them again.
    """
    intakes = {name: intake.begin(mv.shape[1], 0, 0) for name, mv in signals.items()}
    states = {name: forecasting.begin(forecaster, mv.shape[1]) for name, mv in signals.items()}
    anomalies = {name: anomaly_detector.begin(0, [""] * mv.shape[1]) for name, mv in signals.items()}
    scores: dict[str, list[FloatArray]] = {name: [] for name in signals}
    origins: dict[str, list[IntArray]] = {name: [] for name in signals}
    changes: dict[str, list[Change]] = {name: [] for name in signals}
    chunks = range(0, max(map(len, signals.values())), CHUNK)
    for i in track(chunks, description="forecasts and alarms", console=Console(stderr=True), transient=True):
        live = [name for name, mv in signals.items() if i < len(mv)]
        strides = []
        for name in live:
            whole, intakes[name] = intake.step(intakes[name], signals[name][i : i + CHUNK])
            strides.append(whole)
        stepped = forecasting.step(forecaster, [states[name] for name in live], strides)
        for name, (made, state) in zip(live, stepped, strict=True):
            states[name] = state
            if watch is not None:
                watch(name, made)
            found, anomalies[name] = anomaly_detector.step(
                ANOMALY, anomalies[name], made.mean, made.scale, made.observed
            )
            scores[name].append(found.score)
            origins[name].append(made.origin)
            changes[name] += found.changes
    traced = {}
    for name in signals:
        last = anomaly_detector.finish(ANOMALY, anomalies[name], intakes[name].end - 1)
        ended = [change for change in (*changes[name], last) if isinstance(change, Ended)]
        traced[name] = Traced(
            np.concatenate(scores[name]),
            np.concatenate(origins[name]),
            np.array([change.onset for change in ended], dtype=np.int64),
            np.array([change.end - 1 for change in ended], dtype=np.int64),
        )
    return traced


def run_rival(rival: Rival, name: str, mv: FloatArray, threshold: float) -> Traced:
    """Run a record through a rival; its alarms last, like ours, until the score has been below for a second.

    Like ours, it has no score after the last whole stride.
    """
    held, _ = hold(mv, np.zeros(mv.shape[1]))
    at = patch_ends(len(mv) // STRIDE * STRIDE)
    score = rival.score(name, held)[: len(at)]
    first, last = detection_metrics.runs_above(score, at, threshold, ANOMALY.hold * PATCH)
    return Traced(score, at, first - rival.looks_back + 1, last)


def score_beats(traced: Traced, beats: IntArray) -> FloatArray:
    """Return the score of each beat: the highest in its window."""
    return detection_metrics.highest_within(traced.score, traced.at, beats - BEFORE_R, beats + AFTER_R)


def judge(reference: Reference, traced: Mapping[str, Traced]) -> RecordResult:
    """Hold what the methods made of a record against its reference; alarms that end before 5:00 do not count."""
    score, episodes, false = {}, {}, {}
    of_moments, false_s = {}, {}
    counted, positive = time_metrics.moments(reference.windows, traced[OURS].at, SCORED_FROM)
    for method, trace in traced.items():
        scored = trace.last >= SCORED_FROM
        alone = detection_metrics.without_any(trace.first[scored], trace.last[scored], reference.excusing, TOLERANCE)
        score[method] = score_beats(trace, reference.beats)
        episodes[method], false[method] = int(scored.sum()), int(alone.sum())
        of_moments[method] = trace.score[counted]
        false_s[method] = time_metrics.false_seconds(reference.windows, trace.first, trace.last, SCORED_FROM)
    time = TimeResult(positive, reference.hours, of_moments, false_s)
    return RecordResult(reference.veb, reference.hours, score, episodes, false, time)


def break_even_thresholds(
    forecaster: Checkpoint, names: Sequence[str] = TRAIN, catalog: Catalog | None = None
) -> dict[str, float]:
    """Return, by method, the threshold that marks as many beats as there are VEB, pooled over records.

    Sensitivity, precision and F1 are equal there. It is close to the threshold of the best F1, one rule for all
    methods, and has a meaning for a random score, too. Choose with it on DS1 only; the rivals' do not depend on
    ``forecaster``.
    """
    report = evaluate_residual(names, forecaster=forecaster, catalog=catalog)
    return {method: detection_metrics.break_even(report.counts(method)) for method in METHODS}
