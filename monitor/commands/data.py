"""The commands for stored data: records and alarms."""

from __future__ import annotations

import argparse

from monitor.commands.shared import catalog, log


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


def export_alarms(args: argparse.Namespace) -> int:
    """Export stored alarms."""
    log.info("reading %s", args.db)

    from monitor.alarm_log.export import AlarmFilter, export
    from stream.records.wfdb_writer import write

    print(export(args.db, args.format, args.out, AlarmFilter(args.bed, args.since), write))
    return 0
