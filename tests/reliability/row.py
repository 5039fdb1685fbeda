"""What a row is: a promise, an experiment with real processes, and checks of what was observed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.forks import Forks

POLL_S = 0.05

SHORT_LIMIT_S = 60.0
"""How long the short form waits for what does come, in s: it may run on a slow machine, beside other tests."""


class CancelledError(Exception):
    """The run was interrupted; the row ends its processes and stops."""


@dataclass(frozen=True)
class Outcome:
    """Result of a row.

    Attributes
    ----------
    done, expected, observed : str
    passed : bool
    """

    done: str
    expected: str
    observed: str
    passed: bool


@dataclass
class Checks:
    """Collects single checks of a row; the row passes if all of them hold, and at least one was made."""

    _all: list[tuple[bool, str, str]] = field(default_factory=list)

    def add(self, holds: object, expected: str, observed: object) -> None:
        """Add a check: whether it holds, what was expected, and what was observed."""
        self._all.append((bool(holds), expected, str(observed)))

    def equal(self, observed: object, expected: object, what: str) -> None:
        """Add the check that two values are equal."""
        self.add(observed == expected, f"{what}: {expected}", f"{what}: {observed}")

    def outcome(self, done: str) -> Outcome:
        """Return the result; failed checks are marked in ``observed``."""
        observed = "; ".join(text if holds else f"NOT MET {text}" for holds, _, text in self._all)
        expected = "; ".join(dict.fromkeys(text for _, text, _ in self._all))
        return Outcome(done, expected, observed, bool(self._all) and all(holds for holds, _, _ in self._all))


class Bench:
    """What a row works with: a folder of its own, its size, time, and a line of progress.

    Parameters
    ----------
    name : str
        Of the row.
    folder : Path
        Empty folder for configuration, ledgers, logs and stores.
    short : bool
        The short form, for `make test`: fewer repetitions, and no checks of ratios of time.
    say : callable
        Prints a line.
    cancelled : threading.Event
        Set when the run is interrupted.
    forks : Forks, optional
        Starts workers fast, in the short form.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        short: bool,
        say: Callable[[str], None],
        cancelled: threading.Event,
        forks: Forks | None = None,
    ) -> None:
        self.folder = folder
        self.short = short
        self.cancelled = cancelled
        self.forks = forks
        self._name = name
        self._say = say
        folder.mkdir(parents=True, exist_ok=True)

    def say(self, text: str) -> None:
        """Print progress."""
        self._say(f"{self._name}: {text}")

    def part(self, name: str) -> Bench:
        """Return a bench for a part of this row, in a folder of its own."""
        folder = self.folder / name
        return Bench(self._name, folder, short=self.short, say=self._say, cancelled=self.cancelled, forks=self.forks)

    def size(self, full: int, short: int) -> int:
        """Return the size of this form."""
        return short if self.short else full

    def limit_s(self, full: float) -> float:
        """Return how long something may take. The short form claims nothing about time: it waits for a minute."""
        return max(full, SHORT_LIMIT_S) if self.short else full

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises
        ------
        CancelledError
            The run was interrupted.
        """
        if self.cancelled.wait(seconds):
            raise CancelledError

    def wait_until(self, condition: Callable[[], object], timeout_s: float, every_s: float = POLL_S) -> float | None:
        """Return the seconds until a condition holds; None if it does not hold within `timeout_s`."""
        started_s = time.monotonic()
        while not condition():
            if time.monotonic() - started_s > timeout_s:
                return None
            self.sleep(every_s)
        return time.monotonic() - started_s

    def need(self, condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> float:
        """As `wait_until`, for what the experiment itself depends on.

        Raises
        ------
        RuntimeError
            It did not happen.
        """
        waited_s = self.wait_until(condition, timeout_s)
        if waited_s is None:
            raise RuntimeError(f"{what} did not come within {timeout_s:.0f} s")
        return waited_s


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes
    ----------
    name : str
    promise : str
        In plain words.
    run : callable
        Makes the experiment.
    alone : bool
        The row measures latency or uses a whole core: in the full form it runs after the others, alone.
    """

    name: str
    promise: str
    run: Callable[[Bench], Outcome]
    alone: bool = False
