"""Alarm scores of a monitor that knows the annotations, of a silent one, and of wrong ones in between."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.beats.beat import Beat
from model.conditions.changes import Began, Change, Ended
from model.datasets.beat_codes import AAMI_CLASS
from model.datasets.reference import reference_of
from model.evaluation.alarm_report import TIMED, AlarmReport
from model.evaluation.alarm_scores import evaluate_alarms
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.record_scores import Scores, score_record
from model.evaluation.reference_events import events_of
from model.evaluation.truth import truth_of
from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.records.record import Annotations, Record
from stream.records.wfdb_reader import load
from stream.records.wfdb_writer import write
from stream.timebase import FS
from stream.wire.messages import Rhythm


def patient(minutes: float = 8) -> Record:
    """Return a record at 75/min with a PVC every tenth beat, a pause, a VT, and two minutes of AF at the end."""
    n = round(minutes * 60 * FS)
    at, symbol, aux = [100], ["+"], ["(N"]
    place, number = 200, 0
    while place < n - FS:
        number += 1
        rr = 0.8
        mark = "V" if number % 10 == 0 else "N"
        if 400 <= number < 408:
            rr, mark = 0.45, "V"
        at.append(place)
        symbol.append(mark)
        aux.append("")
        place += round((5.0 if number == 300 else rr) * FS)
    fib = n - 120 * FS
    where = int(np.searchsorted(at, fib))
    at.insert(where, fib)
    symbol.insert(where, "+")
    aux.insert(where, "(AFIB")
    annotations = Annotations(np.array(at, np.int64), tuple(symbol), tuple(aux))
    return Record("patient", ("MLII",), (200.0,), (0,), np.zeros((n, 1), np.int16), True, "test", annotations)


def oracle(record: Record) -> MonitorOutput:
    """Return the output of a monitor that reads the annotations."""
    notes = record.annotations
    assert notes is not None
    reference = reference_of(notes.sample, notes.symbol, record.n)
    beats = [Beat(int(at), int(at) + 60, AAMI_CLASS[code], None, 1.0) for at, code in zip(*_beats(notes), strict=True)]
    changes: list[Change] = []
    for event in events_of(reference):
        changes.append(Began(event.kind, event.first, event.met + 36, "rule_met"))
        changes.append(Ended(event.kind, event.first, event.stop, event.stop, "rule_no_longer_met"))
    seconds = range(FS - 1, record.n, FS)
    fib = record.n - 120 * FS
    rhythm: list[tuple[int, Rhythm]] = [(s, "atrial fibrillation" if s > fib else "sinus") for s in seconds]
    return MonitorOutput(record.n, tuple(beats), tuple(rhythm), tuple(changes))


def silent(records: Sequence[Record]) -> list[MonitorOutput]:
    """Find nothing."""
    return [MonitorOutput(record.n, (), (), ()) for record in records]


def score(record: Record, output: MonitorOutput) -> Scores:
    """Return the scores of a record."""
    return score_record("patient", truth_of(record), output)


def _beats(notes: Annotations) -> tuple[Iterator[int], Iterator[str]]:
    kept = [(int(at), s) for at, s in zip(notes.sample, notes.symbol, strict=True) if s in AAMI_CLASS]
    return iter([at for at, _ in kept]), iter([s for _, s in kept])


def test_oracle_scores_are_perfect() -> None:
    record = patient()
    scores = score(record, oracle(record))
    assert scores.beats.qrs.sensitivity == scores.beats.qrs.positive_predictivity == 1
    assert scores.beats.veb.missed == scores.beats.veb.false == 0
    assert scores.beats.veb.found > 10
    # The pause also makes five beats slow.
    found = {key: (e.events, e.found) for key, e in scores.episodes.items() if e.events}
    assert found == {"af": (1, 0), "asystole": (1, 1), "brady": (1, 1), "vt": (1, 1), "either": (1, 1)}
    assert scores.episodes["vt"].delay_s_max == pytest.approx(0.1)
    assert scores.false == ()
    report = AlarmReport({"100": scores}, {}, {})
    assert report.af == (1.0, 1.0)
    assert report.false_high_per_h == 0


def test_silent_monitor_finds_nothing() -> None:
    record = patient()
    scores = score(record, MonitorOutput(record.n, (), (), ()))
    assert scores.beats.qrs.sensitivity == 0
    assert [e.found for e in scores.episodes.values() if e.events] == [0] * 5
    assert AlarmReport({"100": scores}, {}, {}).af == (0.0, 1.0)


def test_late_alarm_is_missed() -> None:
    record = patient()
    output = oracle(record)
    late = tuple(
        replace(c, at=c.at + 4 * FS) if isinstance(c, Began) else replace(c, at=c.at + 9 * FS) for c in output.changes
    )
    scores = score(record, replace(output, changes=late))
    assert [e.found for e in scores.episodes.values() if e.events] == [0] * 5


def test_event_reported_by_a_silencing_kind_is_found_and_counted_separately() -> None:
    record = patient()
    output = oracle(record)
    silencing = tuple(
        replace(change, kind="ventricular_fibrillation") if change.kind == "ventricular_tachycardia" else change
        for change in output.changes
    )
    scores = score(record, replace(output, changes=silencing)).episodes["vt"]
    assert (scores.events, scores.found, scores.by_graver) == (1, 1, 1)
    assert score(record, output).episodes["vt"].by_graver == 0


def test_alarm_without_event_is_false() -> None:
    record = patient()
    wrong = (
        Began("asystole", 90_000, 91_000, "rule_met"),
        Ended("asystole", 90_000, 91_500, 91_500, "rule_no_longer_met"),
    )
    scores = score(record, replace(oracle(record), changes=wrong))
    [false] = scores.false
    assert (false.record, false.kind, round(false.at_s)) == ("patient", "asystole", 253)


def test_record_without_annotations_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mitdb").mkdir()
    write(tmp_path / "mitdb" / "100", patient(1).adu, leads=["MLII"], gain=[200.0], zero=[0])
    with pytest.raises(RecordError, match=r"\.atr"):
        evaluate_alarms(["100"], silent, Catalog(data_dir=tmp_path))


def test_challenge_and_vfdb_are_scored_if_present(mitdb_dir: Path) -> None:
    if not (mitdb_dir / "challenge2015" / "ALARMS").is_file():
        pytest.skip("needs challenge2015 and vfdb beside mitdb")
    lengths: list[int] = []

    def monitor(records: Sequence[Record]) -> list[MonitorOutput]:
        lengths.extend(record.n for record in records)
        return silent(records)

    report = evaluate_alarms([], monitor, Catalog(data_dir=mitdb_dir))
    total = sum(s.tp + s.tn + s.fp + s.fn for s in report.challenge.values())
    assert total == 107
    assert sum(s.fn for s in report.challenge.values()) == 42
    assert max(lengths[:107]) == round(299.9 * FS), "nothing after the alarm may be used"
    assert set(report.to_dict()["vfdb"]) == set(TIMED)
    assert all((scores["se"], scores["sp"]) == (0, 1) for scores in report.to_dict()["vfdb"].values())


def test_flutter_of_record_207_is_found_in_its_annotations(mitdb_dir: Path) -> None:
    record = load("mitdb/207", Catalog(data_dir=mitdb_dir))
    assert record.annotations is not None
    reference = reference_of(record.annotations.sample, record.annotations.symbol, record.n)
    kinds = [event.kind for event in events_of(reference)]
    assert kinds.count("ventricular_fibrillation") == 6
