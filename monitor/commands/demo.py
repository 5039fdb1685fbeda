"""The demonstration command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from model.serving.compile_ahead import compile_ahead
from monitor.commands.shared import catalog, log, run_async
from monitor.tools.optional_dependencies import require_extras
from stream.errors import SourceError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from stream.records.record import Record
    from stream.records.synthetic.live_record import LiveRecord

EXCERPT_START_S = 30.0
"""Start position of the excerpt, in s: ectopic beats follow shortly after the 12 s in which the worker learns."""


CHUNK = 36
"""Samples per message of one bed in real time; more for more beds, and for patients that live faster: the embedded
broker passes some hundred messages per second, and a bed with waves sends six of each chunk."""


def demo(args: argparse.Namespace) -> int:
    """Run broker, replay, worker, alarm logger and window together."""
    if args.seconds is not None and args.seconds <= 0:
        raise UsageError(f"--seconds {args.seconds:g}: use more than 0")
    require_extras(["records", "broker", "analysis", *([] if args.headless else ["gui"])])
    log.info("preparing the demonstration; results go to %s", args.out)

    from rich.console import Console

    from monitor.tools.demo import DemoConfig
    from monitor.tools.demo import demo as run_demo
    from monitor.tools.observer import BED
    from monitor.tools.qt_check import qt_problem
    from stream.mqtt.embedded_broker import free_port

    compile_ahead()
    console = Console()
    start_s = 0.0
    if args.scenario is not None:
        name, source, replay = _scenario(args)
    else:
        name, record = _record(args, console)
        source, start_s = record.source, EXCERPT_START_S if name == "excerpt" and not args.record else 0.0
        replay = ("--bed", f"{BED}={name}", "--loop", "--start", f"{start_s:g}")
    window_problem = "--headless" if args.headless else qt_problem("a window")
    if window_problem and not args.headless:
        console.print(f"[yellow]A table instead of the window: {window_problem}")
    picture_problem = qt_problem("offscreen") if window_problem else None
    if picture_problem:
        console.print(f"[yellow]No monitor.png: {picture_problem}")
    config = DemoConfig(
        record=name,
        source=source,
        start_s=start_s,
        replay=replay,
        port=free_port(),
        out=args.out,
        headless=window_problem is not None,
        picture=picture_problem is None,
        seconds=args.seconds,
        data_dir=args.data_dir,
    )

    async def run() -> None:
        summary = await run_demo(config, console)
        console.print_json(data=summary)
        console.print(f"written to {args.out}: {', '.join(sorted(path.name for path in args.out.iterdir()))}")

    return run_async(run())


def _scenario(args: argparse.Namespace) -> tuple[str, str, tuple[str, ...]]:
    """Check ``--scenario``; return its name, what it is, and the arguments of its replay."""
    from monitor.tools.observer import BED
    from stream.scenario.file import load

    if args.record is not None:
        raise UsageError("--scenario has records of its own: leave --record out")
    scenario = load(args.scenario)
    if all(bed.name != BED for bed in scenario.beds):
        raise UsageError(f"--scenario {args.scenario}: the demonstration needs a bed that is called {BED}")
    from stream.replay.playhead import MAX_CHUNK

    chunk = min(round(CHUNK * min(len(scenario.beds), 10) * max(scenario.speed, 1.0)), MAX_CHUNK)
    arguments = ("--scenario", args.scenario, "--language", args.language, "--chunk", str(chunk))
    return scenario.name, "scenario", arguments


def _record(args: argparse.Namespace, console: Console) -> tuple[str, Record | LiveRecord]:
    """Load ``--record``, by default the excerpt, else the synthetic ECG; return its name and the record."""
    from stream.records.library import Library
    from stream.records.wfdb_reader import load

    name = args.record or "excerpt"
    try:
        return name, Library(catalog(args)).load(name)
    except SourceError as error:
        if args.record:
            raise
        console.print(f"[bold yellow]No real ECG is available here: {error}")
        console.print("[bold yellow]Falling back to a SYNTHETIC patient; this is not the ECG of a real patient.")
        return "synthetic", load("synthetic", catalog(args))
