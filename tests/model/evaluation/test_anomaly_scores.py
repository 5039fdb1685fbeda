"""Anomaly alarms: scores of small examples, and of real records against an independent computation."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.anomaly import anomaly_detector
from model.anomaly.state import DEFAULT_CONFIG
from model.conditions.changes import Change, Ended
from model.datasets.reference import reference_of
from model.evaluation import anomaly_scores as scoring
from model.evaluation import baseline_forecasts, detection_metrics
from model.evaluation.anomaly_metrics import METHODS, METRICS, THRESHOLDS, RecordResult
from model.evaluation.anomaly_report import AnomalyReport, report_of
from model.evaluation.anomaly_scores import DetectorOutput, break_even_thresholds, evaluate_anomalies, score_record
from model.evaluation.anomaly_tables import print_anomalies, print_anomalies_by_record
from model.evaluation.anomaly_targets import AnomalyTargets, targets_of
from model.evaluation.baseline_detectors import patch_ends
from model.evaluation.time_metrics import TIME_METRICS, TimeResult
from model.forecast.forecaster import begin, load_forecaster, step
from model.signal.intake import strides_of
from stream.errors import RecordError, UsageError
from stream.records import wfdb_reader as wfdb_records
from stream.records.catalog import Catalog
from stream.records.record import Record

N = 360 * 420
"""Seven minutes; the last two are scored."""

load_whole = wfdb_records.load


def load_short(name: str, catalog: Catalog | None = None) -> Record:
    record = load_whole(name, catalog)
    return replace(record, adu=record.adu[:N])  # annotations after the end stay


@pytest.fixture(scope="module")
def catalog(mitdb_dir: Path) -> Catalog:
    return Catalog.from_environment(mitdb_dir)


@pytest.fixture(scope="module")
def report(catalog: Catalog) -> AnomalyReport:
    """Score seven minutes of two records of DS1; AR is fitted to one record only, which is faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_forecasts, "AR_RECORDS", ("101",))
        patch.setattr(wfdb_records, "load", load_short)
        return evaluate_anomalies(
            ("119", "122", "208"), exclude=("208",), forecaster=load_forecaster(), catalog=catalog
        )


@dataclass(frozen=True)
class Whole:
    """Output of the detector on a whole record in one call."""

    score: np.ndarray
    origin: np.ndarray
    changes: tuple[Change | None, ...]


def whole(record: Record) -> Whole:
    forecaster, mv = load_forecaster(), record.mv()
    [(forecasts, _)] = step(forecaster, [begin(forecaster, 2)], [strides_of(mv)])
    found, state = anomaly_detector.step(
        DEFAULT_CONFIG,
        anomaly_detector.begin(0, record.leads),
        forecasts.mean,
        forecasts.scale,
        forecasts.observed,
    )
    last = anomaly_detector.finish(DEFAULT_CONFIG, state.notes, len(mv) // 36 * 36 - 1)
    return Whole(found.score, forecasts.origin, (*found.changes, last))


def test_json_keys(report: AnomalyReport) -> None:
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert set(values) == {"residual", "residual_ar180", "residual_amplitude", "residual_random"}
    for method in METHODS:
        own = values[method]
        assert set(own) == {*METRICS, "threshold", "break_even", "intervals", "by_time", "records"}
        assert {"auroc", "ap", "worst_auroc", "f1", "se_at_10_per_h", "false_episodes_per_h"} <= set(own)
        assert set(own["intervals"]) == set(METRICS)
        assert set(own["records"]) == {"119", "122"}
        assert own["threshold"] == THRESHOLDS[method]
        assert own["records"]["122"]["auroc"] is None  # no VEB there
        assert own["worst_auroc"] == own["records"]["119"]["auroc"]
        assert set(own["by_time"]) == {*TIME_METRICS, "intervals"}
        assert set(own["by_time"]["intervals"]) == set(TIME_METRICS)
        assert set(own["records"]["119"]["by_time"]) == {"auroc", "ap", "false_alarm_s_per_h"}
    assert values["residual"]["threshold"] == DEFAULT_CONFIG.threshold


def test_ectopic_beats_of_real_records_are_detected(report: AnomalyReport) -> None:
    ours, random = report.metrics["residual"], report.metrics["residual_random"]
    assert ours.auroc > 0.9
    assert ours.ap > random.ap + 0.3
    assert 0.3 < random.auroc < 0.7


def test_beat_metrics_equal_an_independent_computation(report: AnomalyReport, catalog: Catalog) -> None:
    """Beats and episodes of record 119, from one call of each stage and plain loops."""
    record = load_short("mitdb/119", catalog)
    assert record.annotations is not None
    output = whole(record)
    alarms = [e for e in output.changes if isinstance(e, Ended) and e.end > 108_000]
    beats = [
        (r, symbol)
        for r, symbol in zip(record.annotations.sample.tolist(), record.annotations.symbol, strict=True)
        if symbol in "NVLRAaJSEejfQ/"
    ]
    scored = [(r, symbol in "VE") for r, symbol in beats if 108_000 <= r < N]
    veb = np.array([is_veb for _, is_veb in scored])
    peaks = np.array(
        [output.score[(output.origin >= r - 54) & (output.origin <= r + 90)].max() for r, _ in scored[:80]]
    )
    result = report.records["119"]
    assert result.veb.tolist() == veb.tolist()
    assert 10 <= veb.sum() < len(veb) / 2
    np.testing.assert_allclose(result.score["residual"][:80], peaks, atol=1e-3)
    false = [a for a in alarms if not any(s in "VEF" and a.onset - 54 <= r < a.end + 54 for r, s in beats)]
    assert result.episodes["residual"] == len(alarms) > 0
    assert result.false_episodes["residual"] == len(false)
    assert result.hours == pytest.approx(120 / 3600)
    above = result.score["residual"] >= DEFAULT_CONFIG.threshold
    expected = 2 * (above & veb).sum() / (above.sum() + veb.sum())
    assert report.to_dict()["residual"]["records"]["119"]["f1"] == pytest.approx(expected)


def test_time_metrics_equal_an_independent_computation(report: AnomalyReport, catalog: Catalog) -> None:
    """Patches of record 119 and its time in false alarm, sample by sample."""
    record = load_short("mitdb/119", catalog)
    assert record.annotations is not None
    output = whole(record)
    veb, excluded = np.zeros(N, dtype=bool), np.zeros(N, dtype=bool)
    for r, symbol in zip(record.annotations.sample.tolist(), record.annotations.symbol, strict=True):
        if symbol in "VEF!":
            (veb if symbol in "VE" else excluded)[max(0, r - 54) : r + 91] = True
    alarm = np.zeros(N, dtype=bool)
    for event in output.changes:
        if isinstance(event, Ended):
            alarm[event.onset : event.end] = True
    counted = (output.origin >= 108_000) & ~(excluded & ~veb)[output.origin]
    exact = detection_metrics.count(output.score[counted], veb[output.origin[counted]])
    own = report.to_dict()["residual"]["records"]["119"]["by_time"]
    assert own["auroc"] == pytest.approx(detection_metrics.auroc(exact), abs=1e-3)
    assert own["ap"] == pytest.approx(detection_metrics.average_precision(exact), abs=2e-3)
    false_s = (alarm & ~veb & ~excluded)[108_000:].sum() / 360
    assert own["false_alarm_s_per_h"] == pytest.approx(false_s * 30, abs=1)
    assert report.records["119"].time.positive.sum() == veb[output.origin[counted]].sum() > 300


def test_time_metrics_of_real_records(report: AnomalyReport) -> None:
    ours, random = report.time["residual"], report.time["residual_random"]
    assert ours.auroc > 0.55
    assert ours.ap > random.ap + 0.15
    assert random.auroc == pytest.approx(0.5, abs=0.03)


def test_report_without_a_record(report: AnomalyReport) -> None:
    alone = report.without(["122"])
    assert set(alone.records) == {"119"}
    counts = report.records["119"].counts("residual")
    assert alone.metrics["residual"].auroc == pytest.approx(detection_metrics.auroc(counts))
    assert alone.time["residual"].auroc == report.to_dict()["residual"]["records"]["119"]["by_time"]["auroc"]
    assert alone.intervals["residual"]["auroc"] == pytest.approx((alone.metrics["residual"].auroc,) * 2)
    with pytest.raises(UsageError, match="excluded"):
        report.without(["119", "122"])


def test_tables(report: AnomalyReport) -> None:
    console = Console(record=True, width=80, file=StringIO())
    print_anomalies(report, console)
    print_anomalies_by_record(report, console)
    text = console.export_text()
    for word in (
        "bedside",
        "AR(180)",
        "random",
        "119",
        "122",
        "AUROC",
        "false episodes/h",
        "time-based",
        "alarm threshold",
    ):
        assert word in text
    assert f"{report.metrics['residual'].auroc:.3f}" in text
    assert "nan" not in text
    assert "…" not in text, "no text may be cut off at 80 columns"


def test_break_even_detects_as_many_beats_as_there_are_veb(catalog: Catalog, report: AnomalyReport) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_forecasts, "AR_RECORDS", ("101",))
        patch.setattr(wfdb_records, "load", load_short)
        thresholds = break_even_thresholds(load_forecaster(), ("119",), catalog)
    assert tuple(thresholds) == METHODS
    record = report.records["119"]
    for method, threshold in thresholds.items():
        # The forecasts depend on the batch in their last digits.
        detected = (record.score[method] >= threshold - (1e-3 if method == "residual" else 0)).sum()
        assert record.veb.sum() <= detected <= record.veb.sum() + 3  # beats that share a peak are ties


def targets(sample: np.ndarray, symbol: tuple[str, ...], n: int) -> AnomalyTargets:
    return targets_of(reference_of(sample, symbol, n), n)


def test_targets_of_each_class() -> None:
    sample = np.array([100, 108_000, 108_300, 108_600, 108_900, 109_200, 109_300, 109_500, 107_999, 756_000])
    symbol = ("V", "N", "V", "F", "E", "A", "+", "!", "N", "V")
    labels = targets(sample, symbol, 108_000 + 360 * 1800)  # the last V lies after the end
    assert labels.beats.tolist() == [108_000, 108_300, 108_900, 109_200]
    assert labels.veb.tolist() == [False, True, True, False]
    assert labels.excusing.tolist() == [100, 108_300, 108_600, 108_900, 109_500]
    assert labels.hours == pytest.approx(0.5)


def test_false_episodes_have_no_ectopic_beat_nearby() -> None:
    sample = np.array([107_990, 109_000, 110_000, 112_000, 130_000])
    labels = targets(sample, ("V", "N", "V", "F", "N"), 108_000 + 360 * 3600)
    first = np.array([100, 107_950, 109_000, 110_055, 110_054, 111_900, 120_000])
    last = np.array([300, 108_050, 109_100, 110_090, 110_090, 111_946, 120_010])
    at = patch_ends(140_000)
    result = score_record(labels, {"residual": DetectorOutput(np.zeros(len(at)), at, first, last)})
    assert result.episodes == {"residual": 6}  # the first one ended before 5:00
    # False: at a normal beat, 153 ms after a V, at no beat. Not false: within 150 ms of a V, shortly before an F.
    assert result.false_episodes == {"residual": 3}


def test_beat_score_is_the_highest_in_its_window() -> None:
    at = patch_ends(200_000)
    score = np.zeros(len(at))
    r = 120_003
    score[at == r - 56] = 9.0  # just before the window
    score[at == r - 52] = 2.0
    score[at == r + 88] = 4.0
    score[at == r + 92] = 9.0  # just after it
    got = scoring.score_beats(DetectorOutput(score, at, at[:0], at[:0]), np.array([r]))
    assert got.tolist() == [4.0]


def results(*, scores: list[list[float]], veb: list[list[bool]], false: list[int]) -> dict[str, RecordResult]:
    return {
        str(i): RecordResult(
            np.array(y),
            0.5,
            dict.fromkeys(METHODS, np.array(s)),
            dict.fromkeys(METHODS, f),
            dict.fromkeys(METHODS, f),
            TimeResult(np.array(y), 0.5, dict.fromkeys(METHODS, np.array(s)), dict.fromkeys(METHODS, 0.0)),
        )
        for i, (s, y, f) in enumerate(zip(scores, veb, false, strict=True))
    }


def test_pooled_metrics_worst_record_and_median() -> None:
    """Record 0 is perfect, record 1 reversed; record 2 has too few VEB to be the worst, record 3 has none."""
    many = [True] * 10 + [False] * 10
    report = report_of(
        results(
            scores=[[4.0] * 10 + [1.0] * 10, [1.0] * 10 + [4.0] * 10, [0.0, 5.0], [0.0, 2.0]],
            veb=[many, many, [True, False], [False, False]],
            false=[0, 1, 2, 10],
        )
    )
    own = report.metrics["residual"]
    assert own.worst_auroc == 0.0
    assert own.false_episodes_per_h == 3.0  # of 0, 2, 4, 20
    assert own.sensitivity == pytest.approx(10 / 21)
    assert own.f1 == pytest.approx(2 * 10 / (10 + 11 + 21))  # threshold 3: 10 true, 11 false positives
    assert own.f1_break_even == own.f1  # no score lies between the two thresholds
    # 20 false positives are allowed in two hours: those that score 4 or 5; 12 more at 1 or 2 are too many.
    assert own.se_at_10_per_h == pytest.approx(10 / 21)
    pooled = detection_metrics.count(
        np.array([4.0] * 10 + [1.0] * 20 + [4.0] * 10 + [0, 5, 0, 2]),
        np.array(many + many + [True, False, False, False]),
    )
    assert own.auroc == pytest.approx(detection_metrics.auroc(pooled))
    low, high = report.intervals["residual"]["auroc"]
    assert low < own.auroc < high


def test_without_veb_only_false_episodes_are_defined() -> None:
    report = report_of(results(scores=[[1.0, 2.0], [math.nan, 1.0]], veb=[[False] * 2] * 2, false=[1, 3]))
    own = report.to_dict()["residual"]
    assert own["auroc"] is own["ap"] is own["worst_auroc"] is own["f1"] is own["se_at_10_per_h"] is None
    assert own["intervals"]["auroc"] == [None, None]
    assert own["false_episodes_per_h"] == 4.0


def test_output_does_not_depend_on_the_chunk_size(excerpt: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    mv = excerpt.mv()[54_000:68_400]
    forecaster = load_forecaster()
    runs = []
    for chunk in (3600, 997):
        monkeypatch.setattr(scoring, "CHUNK", chunk)
        runs.append(scoring.run_detector({"long": mv, "short": mv[:7000]}, forecaster))
    for one, other in itertools.pairwise(runs):
        for name in ("long", "short"):
            np.testing.assert_allclose(one[name].score, other[name].score, atol=1e-3)
            np.testing.assert_array_equal(one[name].first, other[name].first)
            np.testing.assert_array_equal(one[name].last, other[name].last)
    short, long = runs[0]["short"], runs[0]["long"]
    assert len(short.score) == 7000 // 36 * 36 // 4
    np.testing.assert_allclose(short.score, long.score[: len(short.score)], atol=1e-3)
    assert len(long.first) > 0


def test_no_record_to_score_is_an_error() -> None:
    with pytest.raises(UsageError, match="excluded"):
        evaluate_anomalies(("202",), exclude=("202",), forecaster=load_forecaster())


def test_short_record_and_missing_annotations_are_errors(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        wfdb_records, "load", lambda *args: replace(load_whole(*args), adu=load_whole(*args).adu[:9000])
    )
    with pytest.raises(UsageError, match="119 is too short"):
        scoring.load(("119",), catalog)
    monkeypatch.setattr(wfdb_records, "load", lambda *args: replace(load_whole(*args), annotations=None))
    with pytest.raises(RecordError, match=r"119 has no reference annotations.*\.atr"):
        scoring.load(("119",), catalog)
