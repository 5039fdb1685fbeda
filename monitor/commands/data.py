"""The commands for stored data: records, episodes and alarms."""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from monitor.commands.shared import catalog, log

if TYPE_CHECKING:
    from stream.records.catalog import Catalog
    from stream.records.episodes import Episode


def list_records(args: argparse.Namespace) -> int:
    """Print the records of the catalog, with duration and rhythms of those on disk."""
    records = catalog(args)
    log.info("reading the records on disk")

    from rich.console import Console
    from rich.table import Table

    from stream.records.challenge2019 import DATABASE, available
    from stream.records.library import Library

    table = Table("record", "leads", "min:s", "rhythms", "where")
    table.columns[2].justify = "right"
    for listed, offer in Library(records).listing():
        minutes, seconds = divmod(round(offer.seconds), 60) if offer else (0, 0)
        length = f"{minutes}:{seconds:02}" if offer and offer.seconds else "no end" if offer else ""
        rhythms = ", ".join(offer.rhythms) if offer else ""
        table.add_row(listed.name, ", ".join(listed.leads), length, rhythms, listed.where)
    count, where = available(records)
    patients = f"{count} patients" if count else "patients, one a file"
    table.add_row(f"{DATABASE}/p000009 …", "none: hourly numerics", "", patients, where)
    Console().print(table)
    return 0


def list_scenarios(args: argparse.Namespace) -> int:
    """Print the scenarios of this package."""
    log.info("reading the scenarios")

    from rich.console import Console
    from rich.table import Table

    from stream.scenario.file import shipped

    table = Table("scenario", "beds", "min:s", "speed", "title")
    for name, scenario in shipped().items():
        minutes, seconds = divmod(round(scenario.seconds), 60)
        length, title = f"{minutes}:{seconds:02}", scenario.title.of(args.language)
        table.add_row(name, str(len(scenario.beds)), length, f"{scenario.speed:g}", title)
    Console().print(table)
    return 0


def fetch_records(args: argparse.Namespace) -> int:
    """Download records into the user cache."""
    records = catalog(args)
    log.info("fetching %s", ", ".join(args.names))
    for line in records.fetch(args.names):
        print(line)
    return 0


def list_episodes(args: argparse.Namespace) -> int:
    """Print the episodes of arrhythmia: those of the table in the package, and of the user's own records."""
    records = catalog(args)
    log.info("reading %s", args.database or "the index of episodes, and the annotations of records beyond it")

    from stream.records.episodes import shipped, to_csv

    known = () if args.database else shipped()
    found = [
        one
        for one in (*known, *_indexed(records, args.database, {one.record for one in known}))
        if args.rhythm in (None, one.rhythm) and one.seconds >= args.min_s
    ]
    if args.csv:
        print(to_csv(found), end="")
    elif args.json:
        print(msgspec.json.format(msgspec.json.encode({"episodes": found})).decode())
    else:
        _print_episodes(found, {record for record in {one.record for one in found} if records.is_on_disk(record)})
    return 0


def _indexed(records: Catalog, names: str | None, known: set[str]) -> Iterator[Episode]:
    """Yield the episodes of some databases, or of those in the data folder."""
    from model.evaluation.database import find_database
    from model.evaluation.episode_index import index, own_databases

    chosen = own_databases(records) if names is None else [find_database(name, records) for name in names.split(",")]
    for database in chosen:
        yield from index(database, known)


def _print_episodes(found: Sequence[Episode], on_disk: Container[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("rhythm", "record", "start, s", "end, s", "rate", "leads", "quality", "where")
    for one in found:
        rate = "" if one.rate is None else f"{one.rate:.0f}"
        times = f"{one.start_s:.1f}", f"{one.end_s:.1f}"
        where = "on disk" if one.record in on_disk else "not yet"
        table.add_row(one.rhythm, one.record, *times, rate, ", ".join(one.leads), f"{one.quality:.2f}", where)
    Console().print(table)


def export_alarms(args: argparse.Namespace) -> int:
    """Export stored alarms."""
    log.info("reading %s", args.db)

    from monitor.alarm_log.export import AlarmFilter, export
    from stream.records.wfdb_writer import write

    print(export(args.db, args.format, args.out, AlarmFilter(args.bed, args.since), write))
    return 0
