"""``bedside score``: the live score of a worker against the reference that the publisher sends."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from monitor.commands.shared import broker_address, log, run_async
from stream.errors import UsageError

if TYPE_CHECKING:
    from model.evaluation.score_board import ScoreBoard
    from stream.mqtt.address import BrokerAddress

REPORT_S = 1.0
"""Shortest interval in s between two reports."""

SHARE = 5
"""A report that takes long is repeated after so many times its duration at the earliest."""


def score(args: argparse.Namespace) -> int:
    """Score beats, rhythms and alarms while they stream; print the last, complete report."""
    if not args.seconds > 0:
        raise UsageError(f"--seconds {args.seconds:g}: use a number above 0")
    if args.bed is not None:
        from stream.wire.topics import check_bed

        check_bed(args.bed)
    address = broker_address(args)
    log.info("loading; connecting to %s", address)

    from model.evaluation.score_board import ScoreBoard

    board = ScoreBoard(args.bed)
    show = _json_lines if args.json else _table()
    status = run_async(_serve(board, address, args.seconds, show))
    if not board.scored:
        log.warning("no reference was received: start the replay with --annotations, of a record that has some")
    return status


async def _serve(
    board: ScoreBoard, address: BrokerAddress, seconds: float, show: Callable[[ScoreBoard, bool], None]
) -> None:
    """Report until all scored records have ended, for at most so many seconds, or until cancelled."""
    from stream.mqtt.client import Client

    end_s = time.monotonic() + seconds
    async with Client(address, role=None, subscriptions=board.subscriptions) as client:
        log.info("scoring %s from now on; Ctrl-C ends it with a last report", board.bed or "all beds")
        next_s = time.monotonic() + REPORT_S
        try:
            while not board.ended(time.monotonic()) and time.monotonic() < end_s:
                try:
                    async with asyncio.timeout(max(min(next_s, end_s) - time.monotonic(), 0.0)):
                        board.receive(await client.receive())
                except TimeoutError:
                    pass
                while (received := client.receive_nowait()) is not None:
                    board.receive(received)
                if (began_s := time.monotonic()) >= next_s:
                    for report in board.report(time.time_ns(), complete=False):
                        client.send(report)
                    show(board, False)
                    next_s = began_s + max(REPORT_S, SHARE * (time.monotonic() - began_s))
        finally:
            for report in board.report(time.time_ns(), complete=True):
                client.send(report)
            show(board, True)
            if lost := client.counters["inbox_dropped"] + client.counters["reconnects"]:
                log.warning(
                    "%d times messages were dropped or the connection was lost: what was not received counts as missed",
                    lost,
                )


def _json_lines(board: ScoreBoard, last: bool) -> None:
    for report in board.to_dicts():
        print(json.dumps({**report, "last": last}, allow_nan=False), flush=True)


def _table() -> Callable[[ScoreBoard, bool], None]:
    """Return what shows the scores: again and again on a terminal, otherwise at the end."""
    from rich.console import Console
    from rich.live import Live

    from monitor.tools.score_table import score_table

    console = Console()
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def show(board: ScoreBoard, last: bool) -> None:
        table: Any = score_table(board.reports)
        if live is None:
            if last:
                console.print(table)
            return
        live.start()
        live.update(table, refresh=True)
        if last:
            live.stop()

    return show
