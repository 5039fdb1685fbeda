"""Shared by several commands: log, event loop with signal handling, broker address, record catalog, JSON files."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stream.errors import StorageError, UsageError
from stream.wire.shard import MAX_SHARDS

if TYPE_CHECKING:
    from stream.mqtt.address import BrokerAddress
    from stream.records.catalog import Catalog

log = logging.getLogger("bedside")
"""Logger of the commands, to standard error. Each command logs one line before it imports a large library."""


def run_async(work: Coroutine[Any, Any, Any]) -> int:
    """Run a coroutine until it returns, or until SIGINT or SIGTERM cancels it; both return 0."""

    async def supervised() -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows supports KeyboardInterrupt only
                loop.add_signal_handler(number, task.cancel)
        await work

    from stream.mqtt.client import finish_pending_connections

    # aiomqtt needs add_reader, which the default event loop of Windows lacks.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with contextlib.closing(work), asyncio.Runner(loop_factory=factory) as runner:  # closing: if no loop can be made
        try:
            with contextlib.suppress(asyncio.CancelledError):
                runner.run(supervised())
        finally:
            runner.run(finish_pending_connections())
    return 0


def broker_address(args: argparse.Namespace) -> BrokerAddress:
    """Return the broker address of ``--broker`` or the environment, with its certificates checked.

    Raises
    ------
    UsageError
        The URL is malformed, or a file of the connection cannot be used.
    """
    from stream.mqtt.address import FILE_VARIABLES, BrokerAddress
    from stream.mqtt.tls import client_context

    given = {name: getattr(args, name.replace("-", "_")) for name in FILE_VARIABLES}
    address = BrokerAddress.from_environment(args.broker, {name: str(path) for name, path in given.items() if path})
    client_context(address)
    if args.broker and urlsplit(args.broker).password and not getattr(args, "child", False):
        log.warning("every user of this machine can see the password in --broker: use --password-file")
    return address


def catalog(args: argparse.Namespace) -> Catalog:
    """Return the record catalog: ``--data-dir`` or the environment, then the user cache.

    Raises
    ------
    UsageError
        The folder does not exist.
    """
    from stream.records.catalog import Catalog

    return Catalog.from_environment(args.data_dir)


def worker_count(text: str) -> int:
    """Return the number of ``--workers``; ``auto`` is that of the processor cores.

    Raises
    ------
    UsageError
        It is neither a number in range nor ``auto``.
    """
    if text == "auto":
        return min(os.cpu_count() or 1, MAX_SHARDS)
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SHARDS:
        raise UsageError(f"--workers {text!r}: use 1 to {MAX_SHARDS}, or 'auto'")
    return int(text)


def check_json(path: Path | None) -> None:
    """Raise StorageError if the folder of ``--json`` does not exist, before minutes of measurement."""
    if path is not None and not path.parent.is_dir():
        raise StorageError(f"--json {path} cannot be written (no such folder): choose another file")


def write_json(results: dict[str, Any], path: Path | None) -> int:
    """Write results to the file of ``--json``, if given; return 0.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    if path is not None:
        try:
            path.write_text(json.dumps(results, indent=2) + "\n")
        except OSError as error:
            raise StorageError(f"--json {path} cannot be written ({error.strerror}): choose another file") from None
        log.info("results written to %s", path)
    return 0
