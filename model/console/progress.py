"""Progress of long computations on standard error: a first line, a bar or periodic lines, a last line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")

LINE_INTERVAL_S = 10.0
"""Seconds between two lines if standard error is not a terminal, which cannot show a bar."""


def stderr() -> Console:
    """Return a console that writes to standard error."""
    return Console(stderr=True, highlight=False)


@contextmanager
def progress(description: str, total: int, console: Console | None = None) -> Iterator[Callable[[int], None]]:
    """Show the progress of a computation of ``total`` steps.

    Parameters
    ----------
    description : str
    total : int
        Number of steps.
    console : Console, optional
        Standard error by default.

    Yields
    ------
    callable
        Call it with the number of completed steps, at any rate.
    """
    console = console or stderr()
    began = time.monotonic()
    console.print(f"{description} …")
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task(description, total=total)
            yield lambda completed: bar.update(task, completed=completed)
    else:
        yield _line_writer(description, total, console)
    console.print(f"{description}: done in {time.monotonic() - began:.1f} s")


def track(items: Iterable[T], description: str, console: Console | None = None) -> Iterator[T]:
    """Yield the items and show how many are done; without items, show nothing."""
    items = list(items)
    if not items:
        return
    with progress(description, len(items), console) as update:
        for number, item in enumerate(items, 1):
            yield item
            update(number)


def _line_writer(description: str, total: int, console: Console) -> Callable[[int], None]:
    began = written = time.monotonic()

    def update(completed: int) -> None:
        nonlocal written
        now = time.monotonic()
        if now - written >= LINE_INTERVAL_S and completed < total:
            written = now
            console.print(f"{description}: {completed} of {total}, {now - began:.0f} s")

    return update


def skip(skipped: dict[str, str], name: str, error: Exception) -> None:
    """Print why a record is skipped, and add the reason to ``skipped``."""
    skipped[name] = str(error)
    stderr().print(f"skipped: {error}", markup=False, soft_wrap=True)
