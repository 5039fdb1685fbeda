"""Entry point of the ``bedside`` command: parses arguments, runs one command, prints each error in one line."""

from __future__ import annotations

from monitor.interrupt import INTERRUPTED, Interruptible, end_at_interrupt

if __name__ == "__main__":
    end_at_interrupt()  # before the imports below

import argparse
import errno
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from monitor.arguments.parser import parser
from monitor.commands import bench, check, data, debrief, demo, offline, processes, record, score, ward, workers
from monitor.line_handler import LineHandler
from monitor.tools.optional_dependencies import EXTRA_OF
from stream.errors import BedsideError
from stream.wire.plain_text import plain

RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "broker": processes.broker,
    "replay": processes.replay,
    "worker": workers.worker,
    "monitor": processes.monitor,
    "instructor": processes.instructor,
    "alarms": processes.alarms,
    "tap": processes.tap,
    "command": processes.command,
    "check": check.check,
    "score": score.score,
    "record": record.record,
    "debrief": debrief.debrief,
    "alarms export": data.export_alarms,
    "data list": data.list_records,
    "data scenarios": data.list_scenarios,
    "data fetch": data.fetch_records,
    "data episodes": data.list_episodes,
    "analyze": offline.analyze,
    "train": offline.train,
    "evaluate": offline.evaluate,
    "demo": demo.demo,
    "ward": ward.show_ward,
    "bench stream": bench.stream,
    "bench ward": bench.ward,
    "bench model": bench.model,
    "bench gui": bench.gui,
}
"""The function of each command. They import their dependencies when called, so that every command starts fast."""

MQTT_LOG = "bedside.mqtt"
"""Logger of the MQTT library. It is silenced: `stream.mqtt.client` reports the same problems."""


log = logging.getLogger("bedside")

MIN_FREE_FILES = 12
"""Files and sockets that every command may open: event loop, two connections, database, imports."""

_RESOURCES = {
    errno.EMFILE: "allow this process more open files, as with 'ulimit -n 256'",
    errno.ENFILE: "close other programs: the computer has no more open files",
    errno.ENOSPC: "make room on the disk",
    errno.ENOMEM: "close other programs: the computer has no more memory",
}
"""What to do if the computer lacks a resource; such an error can come from anywhere."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for an error that the user can correct, 130 for Ctrl-C.

    Some commands have a status of their own: 1 of ``check`` is a violated rule.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
    with _log_on_stderr(args.command):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        with Interruptible():
            _check_free_files()
            return RUN[args.run](args)
    except BedsideError as error:
        log.error("error: %s", error)
        return error.status
    except ModuleNotFoundError as error:
        extra = EXTRA_OF.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        log.error("error: %s is not installed; run: pip install 'bedside[%s]'", error.name, extra)
        return BedsideError.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader closed the pipe, as in "bedside tap | head": nothing more can be written, not even at exit.
        sys.stdout = None
        return 0
    except MemoryError as error:
        log.error("error: the computer has not enough memory (%s): choose a smaller record", error)
        return BedsideError.status
    except OSError as error:
        if error.errno not in _RESOURCES:
            raise
        log.error("error: %s: %s", error.strerror, _RESOURCES[error.errno])
        return BedsideError.status


def _check_free_files() -> None:
    """Raise OSError if fewer than `MIN_FREE_FILES` can be opened: libraries fail in odd ways without them."""
    opened: list[int] = []
    try:
        while len(opened) < MIN_FREE_FILES:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for number in opened:
            os.close(number)


class _LineFormatter(logging.Formatter):
    """Format a record as ``bedside replay: text`` for bedside's own loggers, as ``library: text`` for all others.

    The text is plain, one line: it may contain text from the wire.
    """

    def __init__(self, command: str) -> None:
        super().__init__("%(message)s")
        self._command = command

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the text of a record, without the traceback that may follow it."""
        return plain(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the formatted line."""
        own = record.name.partition(".")[0] == "bedside"
        return f"{f'bedside {self._command}' if own else record.name}: {super().format(record)}"


@contextmanager
def _log_on_stderr(command: str) -> Iterator[None]:
    """Log bedside's messages and the libraries' warnings to standard error while the context is active."""
    handler = LineHandler(sys.stderr)
    handler.setFormatter(_LineFormatter(command))
    logging.getLogger("bedside").setLevel(logging.INFO)
    logging.getLogger(MQTT_LOG).setLevel(logging.CRITICAL)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


if __name__ == "__main__":
    from monitor.tools.process_group import exit_with_parent

    exit_with_parent()
    sys.exit(main())
