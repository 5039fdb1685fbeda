"""Residual alarms scored: by hand where it can be counted, and end to end on real records."""

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

from model.anomaly import anomaly_detector as residual
from model.anomaly.episodes import Cleared, Event
from model.evaluation import anomaly_scores as scoring
from model.evaluation import baseline_forecasts, detection_metrics
from model.evaluation.anomaly_report import (
    FIGURES,
    METHODS,
    THRESHOLDS,
    RecordResult,
    ResidualReport,
    print_residual,
    print_residual_by_record,
    report_of,
)
from model.evaluation.anomaly_scores import Traced, break_even_thresholds, evaluate_residual, judge, reference_of
from model.evaluation.baseline_detectors import AHEAD, PATCH, amplitude, ar_residual, chance, patch_ends, rivals
from model.evaluation.baseline_forecasts import AR, fit_ar
from model.evaluation.time_metrics import TIME_FIGURES, TimeResult
from model.forecast.forecaster import begin, load_forecaster, step
from model.pipeline.forecast_pipeline import RESIDUAL
from stream.errors import RecordError, UsageError
from stream.records import wfdb_reader as wfdb_records
from stream.records.catalog import Catalog
from stream.records.record import Record

N = 360 * 420
"""Seven minutes, of which two are scored."""

load_whole = wfdb_records.load


def load_short(name: str, catalog: Catalog | None = None) -> Record:
    record = load_whole(name, catalog)
    return replace(record, adu=record.adu[:N])  # the annotations after it stay


@pytest.fixture(scope="module")
def catalog(mitdb_dir: Path) -> Catalog:
    return Catalog.from_environment(mitdb_dir)


@pytest.fixture(scope="module")
def report(catalog: Catalog) -> ResidualReport:
    """Score seven minutes of two records of DS1; AR is fitted to one record only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_forecasts, "AR_RECORDS", ("101",))
        patch.setattr(wfdb_records, "load", load_short)
        return evaluate_residual(("119", "122", "208"), exclude=("208",), forecaster=load_forecaster(), catalog=catalog)


@dataclass(frozen=True)
class Whole:
    """What our score makes of a record in one call."""

    score: np.ndarray
    origin: np.ndarray
    events: tuple[Event | None, ...]


def whole(record: Record) -> Whole:
    forecaster, mv = load_forecaster(), record.mv()
    [(made, _)] = step(forecaster, [begin(forecaster, 2, 0, 0)], [mv])
    found, state = residual.step(RESIDUAL, residual.begin(RESIDUAL, 0, 2), made.mean, made.scale, made.observed)
    last, _ = residual.finish(RESIDUAL, state)
    return Whole(found.score, made.origin, (*found.events, last))


def test_keys_for_machines(report: ResidualReport) -> None:
    figures = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert set(figures) == {"residual", "residual_ar180", "residual_amplitude", "residual_random"}
    for method in METHODS:
        own = figures[method]
        assert set(own) == {*FIGURES, "threshold", "break_even", "intervals", "by_time", "records"}
        assert {"auroc", "ap", "worst_auroc", "f1", "se_at_10_per_h", "false_episodes_per_h"} <= set(own)
        assert set(own["intervals"]) == set(FIGURES)
        assert set(own["records"]) == {"119", "122"}
        assert own["threshold"] == THRESHOLDS[method]
        assert own["records"]["122"]["auroc"] is None  # no VEB there
        assert own["worst_auroc"] == own["records"]["119"]["auroc"]
        assert set(own["by_time"]) == {*TIME_FIGURES, "intervals"}
        assert set(own["by_time"]["intervals"]) == set(TIME_FIGURES)
        assert set(own["records"]["119"]["by_time"]) == {"auroc", "ap", "false_alarm_s_per_h"}
    assert figures["residual"]["threshold"] == RESIDUAL.threshold


def test_ectopic_beats_of_real_patients_are_found(report: ResidualReport) -> None:
    ours, chance_alone = report.figures["residual"], report.figures["residual_random"]
    assert ours.auroc > 0.9
    assert ours.ap > chance_alone.ap + 0.3
    assert 0.3 < chance_alone.auroc < 0.7


def test_figures_by_hand(report: ResidualReport, catalog: Catalog) -> None:
    """Beats and episodes of record 119, counted a second time from one call each, in plain loops."""
    record = load_short("mitdb/119", catalog)
    assert record.annotations is not None
    output = whole(record)
    alarms = [e for e in output.events if isinstance(e, Cleared) and e.end > 108_000]
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
    ours = report.records["119"]
    assert ours.veb.tolist() == veb.tolist()
    assert 10 <= veb.sum() < len(veb) / 2
    np.testing.assert_allclose(ours.score["residual"][:80], peaks, atol=1e-3)
    false = [a for a in alarms if not any(s in "VEF" and a.onset - 54 <= r < a.end + 54 for r, s in beats)]
    assert ours.episodes["residual"] == len(alarms) > 0
    assert ours.false_episodes["residual"] == len(false)
    assert ours.hours == pytest.approx(120 / 3600)
    above = ours.score["residual"] >= RESIDUAL.threshold
    expected = 2 * (above & veb).sum() / (above.sum() + veb.sum())
    assert report.to_dict()["residual"]["records"]["119"]["f1"] == pytest.approx(expected)


def test_time_by_hand(report: ResidualReport, catalog: Catalog) -> None:
    """The moments of record 119, and its time in false alarm, counted a second time sample by sample."""
    record = load_short("mitdb/119", catalog)
    assert record.annotations is not None
    output = whole(record)
    ectopic, excused = np.zeros(N, dtype=bool), np.zeros(N, dtype=bool)
    for r, symbol in zip(record.annotations.sample.tolist(), record.annotations.symbol, strict=True):
        if symbol in "VEF!":
            (ectopic if symbol in "VE" else excused)[max(0, r - 54) : r + 91] = True
    alarm = np.zeros(N, dtype=bool)
    for event in output.events:
        if isinstance(event, Cleared):
            alarm[event.onset : event.end] = True
    counted = (output.origin >= 108_000) & ~(excused & ~ectopic)[output.origin]
    exact = detection_metrics.count(output.score[counted], ectopic[output.origin[counted]])
    own = report.to_dict()["residual"]["records"]["119"]["by_time"]
    assert own["auroc"] == pytest.approx(detection_metrics.auroc(exact), abs=1e-3)
    assert own["ap"] == pytest.approx(detection_metrics.average_precision(exact), abs=2e-3)
    false_s = (alarm & ~ectopic & ~excused)[108_000:].sum() / 360
    assert own["false_alarm_s_per_h"] == pytest.approx(false_s * 30, abs=1)
    assert report.records["119"].time.positive.sum() == ectopic[output.origin[counted]].sum() > 300


def test_by_time_ectopic_beats_stand_out_too(report: ResidualReport) -> None:
    ours, chance_alone = report.time["residual"], report.time["residual_random"]
    assert ours.auroc > 0.55
    assert ours.ap > chance_alone.ap + 0.15
    assert chance_alone.auroc == pytest.approx(0.5, abs=0.03)


def test_without(report: ResidualReport) -> None:
    alone = report.without(["122"])
    assert set(alone.records) == {"119"}
    counts = report.records["119"].counts("residual")
    assert alone.figures["residual"].auroc == pytest.approx(detection_metrics.auroc(counts))
    assert alone.time["residual"].auroc == report.to_dict()["residual"]["records"]["119"]["by_time"]["auroc"]
    assert alone.intervals["residual"]["auroc"] == pytest.approx((alone.figures["residual"].auroc,) * 2)
    with pytest.raises(UsageError, match="excluded"):
        report.without(["119", "122"])


def test_print(report: ResidualReport) -> None:
    console = Console(record=True, width=80, file=StringIO())
    print_residual(report, console)
    print_residual_by_record(report, console)
    text = console.export_text()
    for word in (
        "ours",
        "AR(180)",
        "random",
        "119",
        "122",
        "AUROC",
        "false episodes/h",
        "by time",
        "shipped threshold",
    ):
        assert word in text
    assert f"{report.figures['residual'].auroc:.3f}" in text
    assert "nan" not in text
    assert "…" not in text, "nothing is cut off on a narrow terminal"


def test_break_even_marks_as_many_beats_as_there_are_veb(catalog: Catalog, report: ResidualReport) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_forecasts, "AR_RECORDS", ("101",))
        patch.setattr(wfdb_records, "load", load_short)
        thresholds = break_even_thresholds(load_forecaster(), ("119",), catalog)
    assert tuple(thresholds) == METHODS
    record = report.records["119"]
    for method, threshold in thresholds.items():
        # Alone or beside another record, what the network says differs in its last digits.
        marked = (record.score[method] >= threshold - (1e-3 if method == "residual" else 0)).sum()
        assert record.veb.sum() <= marked <= record.veb.sum() + 3  # beats whose windows share one peak are ties


def test_which_beats_count() -> None:
    sample = np.array([100, 108_000, 108_300, 108_600, 108_900, 109_200, 109_300, 109_500, 107_999, 756_000])
    symbol = ("V", "N", "V", "F", "E", "A", "+", "!", "N", "V")
    reference = reference_of(sample, symbol, 108_000 + 360 * 1800)  # so the last V lies past the end
    assert reference.beats.tolist() == [108_000, 108_300, 108_900, 109_200]
    assert reference.veb.tolist() == [False, True, True, False]
    assert reference.excusing.tolist() == [100, 108_300, 108_600, 108_900, 109_500]
    assert reference.hours == pytest.approx(0.5)


def test_episodes_are_judged_by_the_beats_near_them() -> None:
    sample = np.array([107_990, 109_000, 110_000, 112_000, 130_000])
    reference = reference_of(sample, ("V", "N", "V", "F", "N"), 108_000 + 360 * 3600)
    first = np.array([100, 107_950, 109_000, 110_055, 110_054, 111_900, 120_000])
    last = np.array([300, 108_050, 109_100, 110_090, 110_090, 111_946, 120_010])
    at = patch_ends(140_000)
    result = judge(reference, {"residual": Traced(np.zeros(len(at)), at, first, last)})
    assert result.episodes == {"residual": 6}  # the first one was over before 5:00
    # About a normal beat; 153 ms late; about nothing. Within 150 ms of a V, or before an F, it is not false.
    assert result.false_episodes == {"residual": 3}


def test_score_of_a_beat_is_the_highest_in_its_window() -> None:
    at = patch_ends(200_000)
    score = np.zeros(len(at))
    r = 120_003
    score[at == r - 56] = 9.0  # just before the window
    score[at == r - 52] = 2.0
    score[at == r + 88] = 4.0
    score[at == r + 92] = 9.0  # just after it
    got = scoring.score_beats(Traced(score, at, at[:0], at[:0]), np.array([r]))
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


def test_pooling_worst_record_and_median() -> None:
    """Record 0 is perfect, record 1 reversed, record 2 has too few VEB to be the worst, record 3 has none."""
    many = [True] * 10 + [False] * 10
    report = report_of(
        results(
            scores=[[4.0] * 10 + [1.0] * 10, [1.0] * 10 + [4.0] * 10, [0.0, 5.0], [0.0, 2.0]],
            veb=[many, many, [True, False], [False, False]],
            false=[0, 1, 2, 10],
        )
    )
    ours = report.figures["residual"]
    assert ours.worst_auroc == 0.0
    assert ours.false_episodes_per_h == 3.0  # of 0, 2, 4, 20
    assert ours.sensitivity == pytest.approx(10 / 21)
    assert ours.f1 == pytest.approx(2 * 10 / (10 + 11 + 21))  # threshold 3: 10 hits, 11 false
    assert ours.f1_break_even == ours.f1  # no score lies between the two thresholds
    # 20 false beats are allowed in two hours: all that score 4 or 5, then the 12 of 1 or 2 are too many.
    assert ours.se_at_10_per_h == pytest.approx(10 / 21)
    pooled = detection_metrics.count(
        np.array([4.0] * 10 + [1.0] * 20 + [4.0] * 10 + [0, 5, 0, 2]),
        np.array(many + many + [True, False, False, False]),
    )
    assert ours.auroc == pytest.approx(detection_metrics.auroc(pooled))
    low, high = report.intervals["residual"]["auroc"]
    assert low < ours.auroc < high


def test_no_veb_anywhere_leaves_no_figure_but_false_episodes() -> None:
    report = report_of(results(scores=[[1.0, 2.0], [math.nan, 1.0]], veb=[[False] * 2] * 2, false=[1, 3]))
    own = report.to_dict()["residual"]
    assert own["auroc"] is own["ap"] is own["worst_auroc"] is own["f1"] is own["se_at_10_per_h"] is None
    assert own["intervals"]["auroc"] == [None, None]
    assert own["false_episodes_per_h"] == 4.0


@pytest.fixture(scope="module")
def ar() -> AR:
    rng = np.random.default_rng(0)
    return fit_ar([np.sin(np.arange(5000) / 20) + 0.01 * rng.normal(size=5000)], 180, (AHEAD,))


def test_rivals_look_back_only(ar: AR) -> None:
    rng = np.random.default_rng(1)
    mv = rng.normal(size=(6000, 2))
    changed = mv.copy()
    changed[4000:] += rng.normal(size=(2000, 2))
    known = patch_ends(6000) < 4000
    for rival in rivals(ar).values():
        before, after = rival.score("119", mv), rival.score("119", changed)
        assert len(before) == len(known)
        np.testing.assert_array_equal(before[known], after[known])
    for follows in (ar_residual(mv, ar) != ar_residual(changed, ar), amplitude(mv) != amplitude(changed)):
        assert follows[~known].any()


def test_rivals_see_what_they_are_made_for(ar: AR) -> None:
    """A jolt in a smooth wave that AR knows; a broad bump that is five times as tall as all else."""
    wave = np.sin(np.arange(36_000) / 20)[:, None]
    jolted = wave.copy()
    jolted[30_000:30_060, 0] += np.random.default_rng(2).normal(size=60)
    assert 30_000 <= patch_ends(36_000)[np.nanargmax(ar_residual(jolted, ar))] <= 30_060 + 144 + AHEAD
    bumped = wave.copy()
    bumped[30_000:30_100, 0] = 5.0
    assert 30_000 <= patch_ends(36_000)[np.nanargmax(amplitude(bumped))] <= 30_100 + 108


def test_rivals_before_they_know_anything(ar: AR) -> None:
    flat = np.zeros((1000, 1))
    residual, tall = ar_residual(flat, ar), amplitude(flat)
    assert np.isnan(residual[: (180 + AHEAD) // PATCH]).all()
    assert np.isfinite(residual[100:]).all()
    assert np.isfinite(tall[30:]).all()


def test_chance_is_the_same_each_time() -> None:
    np.testing.assert_array_equal(chance(4000, 7), chance(4000, 7))
    assert (chance(4000, 7) != chance(4000, 8)).any()


def test_cutting_into_chunks_does_not_matter(excerpt: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    mv = excerpt.mv()[54_000:68_400]
    forecaster = load_forecaster()
    traces = []
    for chunk in (3600, 997):
        monkeypatch.setattr(scoring, "CHUNK", chunk)
        traces.append(scoring.run_ours({"long": mv, "short": mv[:7000]}, forecaster))
    for one, other in itertools.pairwise(traces):
        for name in ("long", "short"):
            np.testing.assert_allclose(one[name].score, other[name].score, atol=1e-3)
            np.testing.assert_array_equal(one[name].first, other[name].first)
            np.testing.assert_array_equal(one[name].last, other[name].last)
    short, long = traces[0]["short"], traces[0]["long"]
    assert len(short.score) == 7000 // 4
    np.testing.assert_allclose(short.score, long.score[: len(short.score)], atol=1e-3)
    assert len(long.first) > 0


def test_nothing_left_to_score() -> None:
    with pytest.raises(UsageError, match="excluded"):
        evaluate_residual(("202",), exclude=("202",), forecaster=load_forecaster())


def test_too_short_and_without_reference(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        wfdb_records, "load", lambda *args: replace(load_whole(*args), adu=load_whole(*args).adu[:9000])
    )
    with pytest.raises(UsageError, match="119 is too short"):
        scoring.load(("119",), catalog)
    monkeypatch.setattr(wfdb_records, "load", lambda *args: replace(load_whole(*args), annotations=None))
    with pytest.raises(RecordError, match=r"119 has no reference beats.*\.atr"):
        scoring.load(("119",), catalog)
