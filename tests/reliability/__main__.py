"""``python -m tests.reliability``: run the rows of the reliability suite and print their table."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from rich.console import Console

from tests.reliability import table
from tests.reliability.forks import Forks
from tests.reliability.processes import NoMosquittoError, mosquitto_program
from tests.reliability.row import Bench, CancelledError, Row
from tests.reliability.rows import ROWS
from tests.reliability.table import Result

LANES = 4
"""Rows that run side by side; the longest one takes one of them almost to the end."""


class Run:
    """Runs rows, several at a time, and collects their results."""

    def __init__(self, folder: Path, *, short: bool, forks: Forks | None) -> None:
        self._forks = forks
        self.cancelled = threading.Event()
        self.results: dict[str, Result] = {}
        self._folder = folder
        self._short = short
        self._started_s = time.monotonic()
        self._print = threading.Lock()

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        seconds = int(time.monotonic() - self._started_s)
        with self._print:
            print(f"{seconds // 60:2d}:{seconds % 60:02d} {text}", flush=True)

    def run(self, rows: Sequence[Row], lanes: int) -> None:
        """Run rows; those that must be alone after the others, one by one."""
        for some, width in (([r for r in rows if not r.alone], lanes), ([r for r in rows if r.alone], 1)):
            with ThreadPoolExecutor(width, thread_name_prefix="row") as pool:
                futures = [pool.submit(self._row, row) for row in some]
                try:
                    while not all(future.done() for future in futures):
                        time.sleep(0.2)  # Ctrl-C is handled here
                    for future in futures:
                        future.result()
                except BaseException:
                    self.cancelled.set()
                    raise

    def _row(self, row: Row) -> None:
        if self.cancelled.is_set():
            return
        bench = Bench(
            row.name,
            self._folder / row.name.replace(" ", "-"),
            short=self._short,
            say=self.say,
            cancelled=self.cancelled,
            forks=self._forks,
        )
        bench.say(row.promise)
        try:
            outcome = row.run(bench)
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - the table must name a failed experiment, and the other rows go on
            text = f"the experiment failed: {type(error).__name__}: {error}"
            result = Result(row.name, row.promise, "stopped early", "the experiment runs", text, "fail")
        else:
            verdict: Literal["pass", "fail"] = "pass" if outcome.passed else "fail"
            result = Result(row.name, row.promise, outcome.done, outcome.expected, outcome.observed, verdict)
        self.results[row.name] = result
        bench.say(f"{result.verdict.upper()}: {result.observed}")


def chosen(text: str | None) -> list[Row]:
    """Return the rows of ``--only``; raise ValueError for an unknown one."""
    if text is None:
        return list(ROWS)
    wanted = [name.strip().replace(" ", "-") for name in text.split(",")]
    by_name = {row.name.replace(" ", "-"): row for row in ROWS}
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise ValueError(f"--only {unknown[0]!r} is not a row: choose of {', '.join(by_name)}")
    return [by_name[name] for name in wanted]


def main() -> int:
    """Run the suite; return 0 if every row passed, 1 if one failed, 2 for a mistake, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make reliability", description="Test the promises of docs/reliability.md.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows to FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the table into FILE, docs/reliability.md")
    parser.add_argument("--only", metavar="ROW[,ROW]", help="only these rows")
    parser.add_argument("--short", action="store_true", help="the short form, as in make test")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs, ledgers and stores in DIR")
    args = parser.parse_args()
    try:
        rows = chosen(args.only)
        mosquitto_program()
        for path in (args.json, args.markdown):
            if path is not None and not path.resolve().parent.is_dir():
                raise ValueError(f"{path} cannot be written: there is no such folder")
        if args.markdown is not None:
            table.check_markdown(args.markdown)
    except (ValueError, NoMosquittoError) as error:
        print(f"reliability: error: {error}", file=sys.stderr)
        return 2
    form = "short" if args.short else "full"
    print(f"reliability: {len(rows)} rows, {form} form, real processes on loopback; Ctrl-C ends them all", flush=True)
    # In the background of a script SIGINT is ignored; SIGTERM ends the processes there, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="reliability-"))
        forks = stack.enter_context(Forks()) if args.short else None
        run = Run(args.keep or Path(temporary), short=args.short, forks=forks)
        try:
            run.run(rows, 2 if args.short else min(LANES, 2 * (os.cpu_count() or 1)))
        except KeyboardInterrupt:
            print("reliability: interrupted; all processes have ended", file=sys.stderr)
            return 130
    results = [run.results[row.name] for row in rows]
    console = Console()
    table.show(results, console if console.is_terminal else Console(width=160))
    if args.json is not None:
        table.write_json(results, args.json)
    if args.markdown is not None:
        table.write_markdown(results, args.markdown, (time.monotonic() - started_s) / 60)
    return 0 if all(result.verdict == "pass" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
