"""The ``bedside`` command: reads the arguments, runs one command, and reports its errors in one line each."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from monitor.arguments import parser
from monitor.commands import bench, data, demo, offline, services
from monitor.tools.extras import EXTRA_OF
from stream.errors import BedsideError

RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "broker": services.broker,
    "replay": services.replay,
    "worker": services.worker,
    "monitor": services.monitor,
    "alarms": services.alarms,
    "tap": services.tap,
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
"""What each command runs. Those functions import what they need when they are called, so all commands start fast."""

MQTT_LOG = "bedside.mqtt"
"""Logger of the MQTT library; `stream.mqtt.client` reports the same problems in plain words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for an error that the user can correct, 130 for Ctrl-C."""
    args = parser().parse_args(arguments)
    with _log_on_stderr(args.command):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        return RUN[args.run](args)
    except BedsideError as error:
        print(f"bedside {args.command}: error: {error}", file=sys.stderr)
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
        # Whoever read our output has gone, as in "bedside tap | head": nothing more can be written, not even at exit.
        sys.stdout = None
        return 0


class _Lines(logging.Formatter):
    """One line per record: ``bedside replay: text`` for our own, ``library: text`` for all others."""

    def __init__(self, command: str) -> None:
        super().__init__("%(message)s")
        self._command = command

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        ours = record.name.partition(".")[0] == "bedside"
        return f"{f'bedside {self._command}' if ours else record.name}: {super().format(record)}"


@contextmanager
def _log_on_stderr(command: str) -> Iterator[None]:
    """Show what this program does, and warnings of libraries, on standard error while the context lasts."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(command))
    logging.getLogger("bedside").setLevel(logging.INFO)
    logging.getLogger(MQTT_LOG).setLevel(logging.CRITICAL)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


if __name__ == "__main__":
    from monitor.tools.process_group import leave_with_parent

    leave_with_parent()
    sys.exit(main())
