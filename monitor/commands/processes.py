"""The commands that run until terminated: broker, replay, worker, monitor, alarms, tap."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from monitor.commands.shared import broker_address, catalog, log, run_async
from monitor.commands.ward import check_no_ward_options, publish_ward
from monitor.interrupt import end_at_interrupt
from stream.errors import UsageError

if TYPE_CHECKING:
    from stream.wire.replay_actions import Inject

NOT_PRINTED = 1
"""Exit status of 'alarms --jsonl' if its reader left or its output could not be written: stored, but not printed."""


def broker(args: argparse.Namespace) -> int:
    """Run the embedded broker."""
    log.info("starting a broker on %s:%d", args.host, args.port)
    from stream.mqtt.embedded_broker import embedded_broker

    async def serve() -> None:
        async with embedded_broker(args.host, args.port) as address:
            log.info("broker listens on %s; Ctrl-C ends it", address)
            await asyncio.Event().wait()

    return run_async(serve())


def replay(args: argparse.Namespace) -> int:
    """Publish records."""
    if args.ward is not None:
        return publish_ward(args)
    check_no_ward_options(args)
    if args.scenario is not None:
        return _replay_scenario(args)
    address = broker_address(args)
    pairs = [_bed_and_record(text) for text in args.bed]
    if args.record:
        pairs.insert(0, ("bed-1", args.record))
    if not pairs:
        raise UsageError("nothing to replay: name a RECORD such as mitdb/208, or --bed bed-1=mitdb/208")
    names = [bed for bed, _ in pairs]
    if len(set(names)) < len(names):
        raise UsageError(f"a bed is named twice ({', '.join(names)}): give each --bed its own name")
    injections = [_injection(text, names) for text in args.inject]
    records = catalog(args)
    log.info("loading %s", ", ".join(dict.fromkeys(record for _, record in pairs)))

    from stream.clock import SteadyClock
    from stream.mqtt.metrics import metrics_server
    from stream.records.library import Library
    from stream.records.replayable import load_replayable
    from stream.records.synthetic.presets import LIVE, live_record
    from stream.replay.playhead import ReplayConfig
    from stream.replay.publisher_process import serve

    configs = [
        ReplayConfig(bed=bed, chunk=args.chunk, speed=args.speed, loop=args.loop, start_s=args.start) for bed in names
    ]
    loaded = load_replayable((record for _, record in pairs if record != LIVE), records)
    # Each live patient is another one.
    replays = [
        (live_record(seed) if record == LIVE else loaded[record], config)
        for seed, ((_, record), config) in enumerate(zip(pairs, configs, strict=True), 1)
    ]
    with metrics_server(args.metrics) as watch:
        return run_async(
            serve(
                address,
                replays,
                library=Library(records),
                ledger_path=args.ledger,
                clock=SteadyClock(),
                annotations=args.annotations,
                injections=injections,
                watch=watch,
            )
        )


def _replay_scenario(args: argparse.Namespace) -> int:
    """Publish the beds of a scenario."""
    if args.record or args.bed or args.loop or args.start or args.inject:
        raise UsageError("--scenario has beds and steps of its own: leave RECORD, --bed, --loop, --start, --inject out")
    address, records = broker_address(args), catalog(args)
    log.info("reading the scenario %s", args.scenario)

    from stream.clock import SteadyClock
    from stream.mqtt.metrics import metrics_server
    from stream.records.library import Library
    from stream.records.wfdb_reader import load
    from stream.replay.playhead import ReplayConfig
    from stream.replay.publisher_process import serve
    from stream.replay.scenario_episodes import episodes_of
    from stream.replay.scenario_records import first_records
    from stream.scenario.file import load as load_scenario

    scenario = load_scenario(args.scenario)
    log.info("%s; %g s of patient time", scenario.title.of(args.language), scenario.seconds)
    found = first_records(scenario, lambda name: load(name, records))
    library = Library(records)
    episodes = episodes_of(scenario, found, library)
    speed = scenario.speed * args.speed
    replays = [
        (record, ReplayConfig(bed=bed.name, chunk=args.chunk, speed=speed, loop=not record.alone, start_s=start_s))
        for bed, (record, start_s) in zip(scenario.beds, found, strict=True)
    ]
    with metrics_server(args.metrics) as watch:
        return run_async(
            serve(
                address,
                replays,
                library=library,
                ledger_path=args.ledger,
                clock=SteadyClock(),
                annotations=args.annotations,
                scenario=scenario,
                episodes=episodes,
                language=args.language,
                watch=watch,
            )
        )


def _bed_and_record(text: str) -> tuple[str, str]:
    bed, equals, record = text.partition("=")
    if not equals or not record:
        raise UsageError(f"--bed {text!r} is not understood: write --bed bed-1=mitdb/208")
    return bed, record


def _injection(text: str, beds: list[str]) -> tuple[str, Inject]:
    from monitor.tools.send_command import parsed
    from stream.wire.replay_actions import Inject

    bed, *fields = text.split() or [""]
    if bed not in beds:
        raise UsageError(f"--inject {text!r}: {bed!r} is no bed of this replay ({', '.join(beds)})")
    action = parsed("inject", fields)
    assert isinstance(action, Inject)
    return bed, action


def _check_who(who: str) -> None:
    if not who.strip() or len(who) > 64:
        raise UsageError(f"--who {who[:20]!r}: use 1 to 64 characters, not all blank")


def monitor(args: argparse.Namespace) -> int:
    """Open the window."""
    address = broker_address(args)
    _check_who(args.who)
    if args.quiz and args.db is not None:
        raise UsageError(f"--quiz hides the names of alarms, and --db {args.db} would show them: leave one out")
    log.info("opening the window; broker %s", address)
    if args.db is not None and not args.db.is_file():
        log.warning(
            "alarm store %s does not exist: past alarms can be reviewed once 'bedside alarms' has made it", args.db
        )

    from monitor.gui.app import run
    from stream.mqtt.metrics import metrics_server
    from stream.records.wfdb_writer import write

    with metrics_server(args.metrics) as watch:
        return run(
            address,
            bed=args.bed,
            who=args.who,
            station=args.station,
            write_record=write,
            screenshot=args.screenshot,
            seconds=args.seconds,
            sound=args.sound,
            db=args.db,
            quiz=args.quiz,
            watch=watch,
        )


def alarms(args: argparse.Namespace) -> int:
    """Store alarm events."""
    if args.db is None:
        raise UsageError("--db FILE is needed: the SQLite file to write, created if missing")
    address = broker_address(args)
    log.info("opening %s; connecting to %s", args.db, address)

    from monitor.alarm_log.logger import serve
    from monitor.alarm_log.printer import EventPrinter
    from monitor.alarm_log.store import AlarmLog
    from stream.mqtt.metrics import metrics_server

    if args.jsonl and sys.stdout is None:
        raise UsageError("--jsonl prints to standard output, which is closed: redirect it to a file or a pipe")
    store = AlarmLog(args.db)
    printer = EventPrinter(store, sys.stdout.fileno()) if args.jsonl else None
    with metrics_server(args.metrics) as watch:
        status = run_async(serve(address, store, printer, watch, truth=args.truth))
    return NOT_PRINTED if printer is not None and printer.failed else status


def tap(args: argparse.Namespace) -> int:
    """Print decoded messages."""
    address = broker_address(args)
    log.info("connecting to %s", address)

    from monitor.tools.tap import serve

    # There is nothing to save, and a slow reader of the output may block the loop: signals end the process at once.
    end_at_interrupt()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(serve(address, args.format, args.topic, sys.stdout))
    return 0


def instructor(args: argparse.Namespace) -> int:
    """Open the instructor's window."""
    address = broker_address(args)
    _check_who(args.who)
    log.info("opening the instructor's window; broker %s", address)

    from monitor.gui.app import run_instructor

    return run_instructor(address, who=args.who, screenshot=args.screenshot, seconds=args.seconds)


def command(args: argparse.Namespace) -> int:
    """Send one command."""
    from monitor.tools.send_command import parsed, send

    _check_who(args.who)
    action = parsed(args.action, args.fields)
    address = broker_address(args)
    log.info("sending %s to %s over %s", args.action, args.bed, address)

    async def answered() -> None:
        log.info("%s", await send(address, args.bed, action, args.who))

    return run_async(answered())
