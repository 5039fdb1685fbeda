"""Wards: ``bedside replay --ward N``, one publisher of many beds, and ``bedside ward``, all processes of a ward."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from model.serving.compile_ahead import compile_ahead
from monitor.commands.shared import broker_address, catalog, check_json, log, run_async, worker_count, write_json
from stream.errors import UsageError

if TYPE_CHECKING:
    from monitor.tools.ward_processes import WardSetup

SOURCES = "mitdb/106,mitdb/119,mitdb/208,mitdb/223"
"""Records of a ward by default: half an hour of two leads each."""


def check_no_ward_options(args: argparse.Namespace) -> None:
    """Raise UsageError for an option that belongs to a ward."""
    options = {
        "--from": args.sources,
        "--prefix": args.prefix,
        "--seed": args.seed,
        "--leads": args.leads,
        "--detail": args.detail,
        "--json": args.json,
    }
    for option, value in options.items():
        if value is not None:
            raise UsageError(f"{option} {value} belongs to a ward: add --ward N, or leave it out")


def publish_ward(args: argparse.Namespace) -> int:
    """Publish many beds from few records."""
    given = {
        "RECORD": args.record,
        "--bed": " ".join(args.bed),
        "--start": args.start,
        "--scenario": args.scenario,
    }
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} {value} does not belong to a ward: name its records with --from")
    if args.inject:
        raise UsageError(f"--inject {args.inject[0]!r} does not belong to a ward: use 'bedside command BED inject …'")
    address = broker_address(args)
    check_json(args.json)
    sources = SOURCES if args.sources is None else args.sources

    from stream.replay.ward import WardConfig

    options = {name: getattr(args, name) for name in ("prefix", "seed", "leads") if getattr(args, name) is not None}
    config = WardConfig(args.ward, **options)
    records = catalog(args)
    log.info("%d beds, %s to %s; loading %s", config.beds, config.names[0], config.names[-1], sources)

    from stream.clock import SteadyClock
    from stream.mqtt.metrics import metrics_server
    from stream.records.library import LoadedRecords
    from stream.replay.load_report import LoadReport
    from stream.replay.playhead import ReplayConfig
    from stream.replay.publisher_process import serve
    from stream.replay.ward import load_records, plan

    replay = ReplayConfig(chunk=args.chunk, speed=args.speed)
    loaded = load_records(sources, config, records)
    report = LoadReport(config.beds)
    with metrics_server(args.metrics) as watch:
        run_async(
            serve(
                address,
                plan(loaded, config, replay),
                library=LoadedRecords(tuple(loaded)),
                ledger_path=args.ledger,
                clock=SteadyClock(),
                annotations=args.annotations,
                all_in_full=args.detail == "all",
                watch=watch,
                report=report,
            )
        )
    return write_json(report.summary(), args.json)


def show_ward(args: argparse.Namespace) -> int:
    """Run broker, publisher and workers, and show how they do."""
    setup = ward_setup(args)
    compile_ahead()

    from monitor.tools.live_ward import show_ward as show

    return run_async(show(setup, args.seconds, log.info))


def ward_setup(args: argparse.Namespace) -> WardSetup:
    """Return the ward of ``--beds``, ``--leads``, ``--workers``, ``--from`` and ``--data-dir``, with a free port.

    Raises
    ------
    UsageError, RecordError
        An option is out of range, or a record cannot be read: before any process starts.
    """
    sources = SOURCES if args.sources is None else args.sources
    workers = None if args.workers is None else worker_count(args.workers)

    from stream.replay.ward import WardConfig, load_records

    config = WardConfig(args.beds, leads=args.leads)
    records = catalog(args)
    log.info("%d beds, %s; loading %s", config.beds, f"{workers} workers" if workers else "one worker", sources)

    from monitor.tools.ward_processes import WardSetup, check_seconds
    from stream.mqtt.embedded_broker import free_port

    if args.seconds is not None:
        check_seconds(args.seconds)
    load_records(sources, config, records)
    replay = ("--from", sources, "--leads", str(args.leads))
    return WardSetup(config.names, replay, free_port(), workers, args.data_dir)
