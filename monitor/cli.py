"""Entry point of the ``bedside`` command: parses arguments, runs one command, prints each error in one line."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from monitor.arguments import parser
from monitor.commands import bench, data, demo, offline, processes
from monitor.tools.optional_dependencies import EXTRA_OF
from stream.errors import BedsideError
from stream.wire.plain_text import plain

RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "broker": processes.broker,
    "replay": processes.replay,
    "worker": processes.worker,
    "monitor": processes.monitor,
    "alarms": processes.alarms,
    "tap": processes.tap,
    "alarms export": data.export_alarms,
    "data list": data.list_records,
    "data fetch": data.fetch_records,
    "analyze": offline.analyze,
    "train": offline.train,
    "evaluate": offline.evaluate,
    "demo": demo.demo,
    "bench stream": bench.stream,
    "bench model": bench.model,
    "bench gui": bench.gui,
}
"""The function of each command. They import their dependencies when called, so that every command starts fast."""

MQTT_LOG = "bedside.mqtt"
"""Logger of the MQTT library. It is silenced: `stream.mqtt.client` reports the same problems."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for an error that the user can correct, 130 for Ctrl-C."""
    args = parser().parse_args(arguments)
    with _log_on_stderr(args.command):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        return RUN[args.run](args)
    except BedsideError as error:
        print(f"bedside {args.command}: error: {plain(str(error))}", file=sys.stderr)
        return error.status
    except ModuleNotFoundError as error:
        extra = EXTRA_OF.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        print(
            f"bedside {args.command}: error: {error.name} is not installed; run: pip install 'bedside[{extra}]'",
            file=sys.stderr,
        )
        return BedsideError.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader closed the pipe, as in "bedside tap | head": nothing more can be written, not even at exit.
        sys.stdout = None
        return 0


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
    handler = logging.StreamHandler(sys.stderr)
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
