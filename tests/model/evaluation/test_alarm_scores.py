"""The scorer is scored: a monitor that knows the annotations is perfect, one that says nothing finds nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.beats.beat_detector import Beat
from model.conditions.changes import Began, Change, Ended
from model.evaluation.alarm_report import AlarmReport
from model.evaluation.alarm_scores import Watched, evaluate_alarms, score_record
from model.evaluation.ec57_beats import CLASS, reference_of
from model.evaluation.reference_events import events_of
from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.records.record import Annotations, Record
from stream.records.wfdb_reader import load
from stream.timebase import FS
from stream.wire.messages import Rhythm


def patient(minutes: float = 8) -> Record:
    """Return a record of 75/min with a PVC each tenth beat, a pause, a VT, and two minutes of AF at the end."""
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
    return Record("made", ("MLII",), (200.0,), (0,), np.zeros((n, 1), np.int16), True, "test", annotations)


def oracle(record: Record) -> Watched:
    """Return what a monitor would say that read the annotations."""
    notes = record.annotations
    assert notes is not None
    reference = reference_of(notes, record.n)
    beats = [Beat(int(at), int(at) + 60, CLASS[label], None, 1.0) for at, label in zip(*_beats(notes), strict=True)]
    changes: list[Change] = []
    for event in events_of(reference):
        changes.append(Began(event.kind, event.first, event.met + 36, "rule_met"))
        changes.append(Ended(event.kind, event.first, event.stop, event.stop, "rule_no_longer_met"))
    seconds = range(FS - 1, record.n, FS)
    fib = record.n - 120 * FS
    rhythm: list[tuple[int, Rhythm]] = [(s, "atrial fibrillation" if s > fib else "sinus") for s in seconds]
    return Watched(record.n, tuple(beats), tuple(rhythm), tuple(changes))


def _beats(notes: Annotations) -> tuple[Iterator[int], Iterator[str]]:
    kept = [(int(at), s) for at, s in zip(notes.sample, notes.symbol, strict=True) if s in CLASS]
    return iter([at for at, _ in kept]), iter([s for _, s in kept])


def test_a_monitor_that_knows_all_is_perfect() -> None:
    record = patient()
    got = score_record("made", record, oracle(record))
    assert got.beats.qrs.sensitivity == got.beats.qrs.positive_predictivity == 1
    assert got.beats.veb.missed == got.beats.veb.false == 0
    assert got.beats.veb.found > 10
    # The pause makes five beats slow.
    found = {key: (e.events, e.found) for key, e in got.events.items() if e.events}
    assert found == {"asystole": (1, 1), "brady": (1, 1), "vt": (1, 1)}
    assert got.events["vt"].delay_s_max == pytest.approx(0.1)
    assert got.false == ()
    report = AlarmReport({"100": got}, {}, {})
    assert report.af == (1.0, 1.0)
    assert report.false_high_per_h == 0


def test_a_monitor_that_says_nothing_finds_nothing() -> None:
    record = patient()
    got = score_record("made", record, Watched(record.n, (), (), ()))
    assert got.beats.qrs.sensitivity == 0
    assert [e.found for e in got.events.values() if e.events] == [0, 0, 0]
    assert AlarmReport({"100": got}, {}, {}).af == (0.0, 1.0)


def test_a_late_alarm_is_a_miss() -> None:
    record = patient()
    watched = oracle(record)
    late = tuple(
        replace(c, at=c.at + 4 * FS) if isinstance(c, Began) else replace(c, at=c.at + 9 * FS) for c in watched.changes
    )
    got = score_record("made", record, replace(watched, changes=late))
    assert [e.found for e in got.events.values() if e.events] == [0, 0, 0]


def test_an_event_that_a_graver_alarm_speaks_for_is_found_and_counted_apart() -> None:
    record = patient()
    watched = oracle(record)
    graver = tuple(
        replace(change, kind="ventricular_fibrillation") if change.kind == "ventricular_tachycardia" else change
        for change in watched.changes
    )
    got = score_record("made", record, replace(watched, changes=graver)).events["vt"]
    assert (got.events, got.found, got.by_graver) == (1, 1, 1)
    assert score_record("made", record, watched).events["vt"].by_graver == 0


def test_an_alarm_without_its_event_is_false_and_named() -> None:
    record = patient()
    wrong = (
        Began("asystole", 90_000, 91_000, "rule_met"),
        Ended("asystole", 90_000, 91_500, 91_500, "rule_no_longer_met"),
    )
    got = score_record("made", record, replace(oracle(record), changes=wrong))
    [false] = got.false
    assert (false.record, false.kind, round(false.at_s)) == ("made", "asystole", 253)


def test_a_record_without_annotations_is_one_line() -> None:
    record = replace(patient(), annotations=None)
    with pytest.raises(RecordError, match=r"\.atr"):
        score_record("made", record, Watched(record.n, (), (), ()))


def test_the_challenge_and_vfdb_are_read_where_they_are(mitdb_dir: Path) -> None:
    if not (mitdb_dir / "challenge2015" / "ALARMS").is_file():
        pytest.skip("needs challenge2015 and vfdb beside mitdb")
    seen: list[int] = []

    def quiet(record: Record) -> Watched:
        seen.append(record.n)
        return Watched(record.n, (), (), ())

    report = evaluate_alarms([], quiet, Catalog(data_dir=mitdb_dir))
    total = sum(s.tp + s.tn + s.fp + s.fn for s in report.challenge.values())
    assert total == 107
    assert sum(s.fn for s in report.challenge.values()) == 42
    assert max(seen[:107]) == round(299.9 * FS), "nothing after the alarm is looked at"
    assert set(report.vfdb) == {"ventricular_fibrillation", "ventricular_tachycardia", "either", "asystole"}
    assert all(se == 0 and sp == 1 for se, sp, _ in report.vfdb.values())


def test_real_annotations_give_the_known_events(mitdb_dir: Path) -> None:
    record = load("mitdb/207", Catalog(data_dir=mitdb_dir))
    assert record.annotations is not None
    kinds = [event.kind for event in events_of(reference_of(record.annotations, record.n))]
    assert kinds.count("ventricular_fibrillation") == 6
