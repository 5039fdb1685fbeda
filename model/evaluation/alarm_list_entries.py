"""Entries that appear in the alarm list of a bed, per hour and by kind: whole records, analysed with their forecast.

Each alarm raised is an entry, with two exceptions that `monitor.view.bed_alarms` draws as one line: the advisories of
a record are one entry, and a technical alarm that returned within two minutes belongs to the one before. No alarm is
acknowledged meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from model.console.progress import track
from model.pipeline import analysis
from model.pipeline.analysis import Models
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load
from stream.timebase import FS
from stream.wire.alarm_messages import ADVISORIES, KINDS, TECHNICAL, Alarm, AlarmKind
from stream.wire.messages import Message

ORDINARY_WARD = tuple(f"mitdb/{name}" for name in (100, 103, 106, 116, 119, 200, 208, 210, 221, 231))
"""Ten patients of MIT-BIH, five of DS1 and five of DS2: sinus rhythm, bigeminy, frequent ventricular beats of one and
of several shapes, runs, atrial fibrillation, bundle branch block."""

PIECE = 10 * FS
"""Samples analysed at once."""


@dataclass(frozen=True, slots=True)
class ListEntries:
    """Entries in the alarm list of one bed, or of several.

    Attributes
    ----------
    hours : float
    entries : mapping of str to int
        By kind of alarm.
    advisories : int
        Advisories, which are one entry of each bed.
    """

    hours: float
    entries: Mapping[AlarmKind, int]
    advisories: int

    def __add__(self, other: ListEntries) -> ListEntries:
        entries = Counter(self.entries) + Counter(other.entries)
        return ListEntries(self.hours + other.hours, entries, self.advisories + other.advisories)

    @property
    def per_h(self) -> float:
        """Entries per hour."""
        return sum(self.entries.values()) / self.hours

    def to_dict(self) -> dict[str, Any]:
        """Return the rates for JSON, all per bed and hour."""
        by_kind = {kind: self.entries[kind] / self.hours for kind in KINDS if kind in self.entries}
        return {
            "hours": self.hours,
            "list_entries_per_h": self.per_h,
            "list_entries_per_h_by_kind": by_kind,
            "advisories_per_h": self.advisories / self.hours,
        }


def count(events: Iterable[Alarm], hours: float) -> ListEntries:
    """Count the entries of the alarm events of one bed."""
    entries: Counter[AlarmKind] = Counter()
    advisories = 0
    for event in events:
        if event.phase != "raised":
            continue
        if event.kind in ADVISORIES:
            advisories += 1
            entries[event.kind] = 1
        elif event.kind not in TECHNICAL or not event.repeats:
            entries[event.kind] += 1
    return ListEntries(hours, entries, advisories)


def alarm_events(record: Record, models: Models) -> list[Alarm]:
    """Analyse a whole record as the live worker does, and return its alarm events."""
    state = analysis.begin(models, record.leads, 0, 0)
    limits, mv = models.alarms.limits, record.mv()
    changes: list[Change] = []
    for first in range(0, record.n, PIECE):
        [(found, state)] = analysis.step(models, [state], [mv[first : first + PIECE]], [limits])
        changes += found.changes
    changes += analysis.finish(models, state).changes
    return events_of(changes, models.alarms, record.name)


def events_of(changes: Iterable[Change], config: AlarmConfig, record: str = "") -> list[Alarm]:
    """Return the alarm events of conditions, each processed when it is detected."""
    events: list[Alarm] = []

    def collect(message: Message) -> None:
        if isinstance(message, Alarm):
            events.append(message)

    manager = AlarmManager(config, collect)
    for change in changes:
        now_ns = change.at * 1_000_000_000 // FS
        manager.process([change], AlarmContext("offline", "0" * 32, record, change.at + 1, now_ns))
    return events


def score_list_entries(
    names: Sequence[str] = ORDINARY_WARD, models: Models | None = None, catalog: Catalog | None = None
) -> dict[str, ListEntries]:
    """Count the entries of records, by name, with progress on standard error.

    Raises
    ------
    RecordError
        A record cannot be found or read.
    """
    models = models or analysis.load_models()
    catalog = catalog or Catalog.from_environment()
    scores = {}
    for name in track(names, "alarm lists"):
        record = load(name, catalog)
        scores[name] = count(alarm_events(record, models), record.n / FS / 3600)
    return scores


def total(scores: Mapping[str, ListEntries]) -> ListEntries:
    """Return the entries of all records, added."""
    return sum(scores.values(), ListEntries(0.0, {}, 0))


def to_dict(scores: Mapping[str, ListEntries]) -> dict[str, Any]:
    """Return the rates of all records and of each for JSON."""
    return {**total(scores).to_dict(), "records": {name: score.to_dict() for name, score in scores.items()}}


def print_list_entries(scores: Mapping[str, ListEntries], console: Console | None = None) -> None:
    """Print the entries per hour by kind and record."""
    whole = total(scores)
    kinds = [kind for kind in KINDS if kind in whole.entries]
    table = Table(title="entries in the alarm list, per bed and hour")
    table.add_column("record")
    for heading in ("all", *(kind.replace("_", " ") for kind in kinds), "advisories"):
        table.add_column(heading, justify="right")
    for name, score in {**scores, "all": whole}.items():
        rates = [score.per_h, *(score.entries.get(kind, 0) / score.hours for kind in kinds)]
        table.add_row(name, *(f"{rate:.1f}" for rate in rates), f"{score.advisories / score.hours:.0f}")
    (console or Console()).print(table)
