"""Entries that appear in the alarm list of a bed, per hour and by kind: whole records, analysed with their forecast.

Each alarm raised is an entry, with two exceptions that `monitor.view.bed_alarms` draws as one line: the advisories of
a record are one entry, and a technical alarm that returned within two minutes belongs to the one before. No alarm is
acknowledged meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from model.console.progress import progress
from model.datasets.pieces import pieces
from model.pipeline.analysis import Models, load_models
from model.pipeline.signals import Signal, analyze_signals
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
"""Samples of each record analysed at once."""


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


def alarm_events(records: Sequence[Record], models: Models) -> list[list[Alarm]]:
    """Analyse the ECG of whole records as the live worker does, and return the alarm events of each, with progress."""
    changes: list[list[Change]] = [[] for _ in records]
    signals = [Signal(record.leads, pieces(replace(record, waves=()), PIECE)) for record in records]
    with progress("alarm lists, pieces", sum(1 + -(-record.n // PIECE) for record in records)) as update:
        for done, (number, found) in enumerate(analyze_signals(models, signals), 1):
            changes[number] += found.changes
            update(done)
    return [events_of(own, models.alarms, record.name) for own, record in zip(changes, records, strict=True)]


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
    models = models or load_models()
    catalog = catalog or Catalog.from_environment()
    records = [load(name, catalog).analysed() for name in names]
    return entries_of(names, records, models)


def entries_of(names: Sequence[str], records: Sequence[Record], models: Models) -> dict[str, ListEntries]:
    """Count the entries of records, by name, with progress on standard error."""
    events = alarm_events(records, models)
    return {name: count(own, record.n / FS / 3600) for name, record, own in zip(names, records, events, strict=True)}


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
