"""Entries in the alarm list: what a nurse sees appear."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from model.conditions.changes import Began, Change, Ended
from model.conditions.settings import load
from model.evaluation import alarm_list_entries
from model.evaluation.alarm_list_entries import ListEntries, count, events_of
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind


def spells(kind: AlarmKind, seconds: Sequence[float]) -> list[Change]:
    """Return conditions of 2 s that start at these times."""
    changes: list[Change] = []
    for second in seconds:
        onset, end = round(second * FS), round((second + 2) * FS)
        changes.append(Began(kind, onset, onset + 36, "rule_met"))
        changes.append(Ended(kind, onset, end, end, "rule_no_longer_met"))
    return changes


def entries(*changes: list[Change], hours: float = 0.5) -> ListEntries:
    ordered = sorted((change for some in changes for change in some), key=lambda change: change.at)
    return count(events_of(ordered, load()), hours)


def test_each_alarm_is_an_entry() -> None:
    found = entries(spells("pvc_run", [10, 20, 30]), spells("asystole", [100]))
    assert found.entries == {"pvc_run": 3, "asystole": 1}
    assert found.per_h == 8


def test_all_advisories_are_one_entry() -> None:
    found = entries(spells("residual", range(10, 1700, 5)))
    assert (found.entries, found.advisories) == ({"residual": 1}, 338)


def test_a_technical_alarm_that_returns_is_no_new_entry() -> None:
    assert entries(spells("noise", [10, 20, 70, 300])).entries == {"noise": 2}
    assert entries(spells("pvc_run", [10, 20, 70, 300])).entries == {"pvc_run": 4}


def test_beds_are_added() -> None:
    scores = {
        "a": entries(spells("pvc_run", [10]), spells("residual", [50, 60])),
        "b": entries(spells("pvc_run", [10, 20])),
    }
    report = alarm_list_entries.to_dict(scores)
    assert report["list_entries_per_h"] == 4
    assert report["list_entries_per_h_by_kind"] == {"pvc_run": 3, "residual": 1}
    assert report["advisories_per_h"] == 2
    assert report["records"]["b"]["list_entries_per_h"] == 4
    console = Console(width=120, record=True)
    alarm_list_entries.print_list_entries(scores, console)
    assert "pvc run" in console.export_text()
