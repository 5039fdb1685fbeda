"""``bedside worker --ray``: actors of Ray serve the shards, on one machine or on all of a cluster.

This process is the head: it starts the actors, one per shard and a spare one, and replaces each that ends
(`WorkerGroup`). Another actor on the head's machine, the `StateKeeper`, holds the checkpoints of all beds in the state
folder. An actor receives those of its shard when it begins, and sends copies back, so that another machine can go on
with the beds.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import queue
import socket
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from monitor.tools.checkpoint_copies import Copier, Copy, CopyError, StateKeeper
from monitor.tools.process_group import EXIT_TIMEOUT_S
from monitor.tools.worker_group import Assignment, WorkerError
from stream.errors import BedsideError, UsageError
from stream.mqtt.client import finish_pending_connections

log = logging.getLogger("bedside.workers")

CONNECT_TIMEOUT_S = 5.0
"""Time limit for a first connection to a cluster; Ray itself would try for two minutes, and then end the process."""

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Shared memory of a local Ray: it holds the checkpoints that are on their way, a second of all beds."""

COPY_TIMEOUT_S = 1.0
"""Longest time in s that an alarm event waits until the checkpoint before it has been copied."""

Serve = Callable[[Assignment, Path | None, Copy | None], Coroutine[Any, Any, None]]
"""Serves an assignment from checkpoints in a folder, and copies them."""

Prepare = Callable[[], Serve]
"""Loads what an actor needs before it knows its shard."""


# --- the cluster ------------------------------------------------------------------------------------------------------


@contextmanager
def ray_cluster(address: str | None, folder: str | None, local_cpus: int) -> Iterator[float]:
    """Connect to a cluster, or start Ray on this machine alone; yield the number of its processor cores.

    Parameters
    ----------
    address : str or None
        HOST:PORT of a cluster to which this machine belongs; None for a Ray of this process, which ends with it.
    folder : str or None
        See `ray_environment`.
    local_cpus : int
        Number of actors that a Ray of this process takes.

    Raises
    ------
    UsageError
        The cluster cannot be reached.
    """
    options: dict[str, Any]
    if address is None:
        options = {
            "address": "local",
            "num_cpus": local_cpus,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": folder,
            "_node_ip_address": "127.0.0.1",
        }
    else:
        _check_address(address)
        options = {"address": address}
    # Of an actor that has died Ray prints a paragraph on standard output; the log says it in a line.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            _connect(address, options)
            nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call, unused-ignore]
            yield sum(node["Resources"].get("CPU", 0.0) for node in nodes if node["Alive"])
        finally:
            ray.shutdown()


def _connect(address: str | None, options: Mapping[str, Any]) -> None:
    """Start or connect; raise UsageError if that is not possible."""
    try:
        ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"Ray {f'at {address}' if address else 'cannot start'}: {_first_line(error)}") from None


def _check_address(address: str) -> None:
    """Raise UsageError unless something listens there."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or "/" in address or not port.isdecimal():
        raise UsageError(f"--ray {address!r}: write HOST:PORT of a cluster, on one of its machines")
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        problem = getattr(error, "strerror", None) or "no answer"
        raise UsageError(
            f"no Ray at {address} ({problem}): start it there with 'ray start --head', or leave the address out"
        ) from None


def start_keeper(folder: Path) -> Any:
    """Start the keeper of the state folder on this machine; Ray restarts it if it dies."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor: Any = ray.remote(StateKeeper)
    return actor.options(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here).remote(folder)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


# --- an actor ---------------------------------------------------------------------------------------------------------


class ShardActor:
    """Serves a shard; an actor on any machine."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._assigned: queue.SimpleQueue[Assignment | None] = queue.SimpleQueue()
        self._serving: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._ending = threading.Event()

    def run(self, prepare: Prepare, keeper: Any) -> Iterator[str]:
        """Wait for an assignment and serve it; yield the lines of the log until it ends."""
        handler = _LineQueue(self._lines)
        logger = logging.getLogger("bedside")
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            work = pool.submit(self._work, prepare, keeper)
            work.add_done_callback(lambda _: self._lines.put(None))
            while (line := self._lines.get()) is not None:
                yield line
        logger.removeHandler(handler)
        work.result()

    def assign(self, assignment: Assignment) -> None:
        """Tell it what to serve."""
        self._assigned.put(assignment)

    def end(self) -> None:
        """Let `run` end."""
        self._ending.set()
        self._assigned.put(None)
        if self._serving is not None:
            loop, task = self._serving
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)

    def _work(self, prepare: Prepare, keeper: Any) -> None:
        serve = prepare()
        assignment = self._assigned.get()
        if assignment is None:
            return
        if keeper is None:
            self._run(serve(assignment, None, None))
            return
        with tempfile.TemporaryDirectory(prefix="bedside-") as name:
            folder = Path(name)
            for file, content in ray.get(keeper.begin.remote(assignment)).items():
                (folder / file).write_bytes(content)

            def put(files: Mapping[str, bytes]) -> bool:
                try:
                    taken: bool = ray.get(keeper.put.remote(assignment, files), timeout=COPY_TIMEOUT_S)
                except RayError as error:
                    raise CopyError(_text(error)) from None
                return taken

            copier = Copier(put, replaced=lambda: os._exit(1))  # at once: whatever it still sent would mislead
            try:
                self._run(serve(assignment, folder, copier))
            finally:
                copier.stop()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        async def cancellable() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._serving = asyncio.get_running_loop(), task
            if not self._ending.is_set():
                await work

        with contextlib.closing(work), asyncio.Runner() as runner:
            try:
                with contextlib.suppress(asyncio.CancelledError):
                    runner.run(cancellable())
            finally:
                runner.run(finish_pending_connections())


class _LineQueue(logging.Handler):
    """Puts the lines of the log into a queue."""

    def __init__(self, lines: queue.SimpleQueue[str | None]) -> None:
        super().__init__()
        self._queue = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line."""
        self._queue.put(record.getMessage())


# --- the head ---------------------------------------------------------------------------------------------------------


class RayMember:
    """An actor, as the head sees it: a `Member` of a `WorkerGroup`.

    Parameters
    ----------
    prepare : callable
    keeper : actor handle or None
        None: nothing is kept.
    """

    def __init__(self, prepare: Prepare, keeper: Any) -> None:
        actor: Any = ray.remote(ShardActor)
        self._actor = actor.options(num_cpus=1, max_concurrency=3, scheduling_strategy="SPREAD").remote()
        lines = self._actor.run.options(num_returns="streaming").remote(prepare, keeper)
        self._assignment: Assignment | None = None
        self._serves = False
        self._task = asyncio.create_task(self._read(lines))

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    def assign(self, assignment: Assignment) -> None:
        """Tell it what to serve."""
        self._assignment = assignment
        self._actor.assign.remote(assignment)

    async def wait(self) -> str:
        """Wait until it has ended, and return the reason; raise WorkerError if a user can correct it.

        Only a first process ends all. What prevents one that replaces another may pass: a machine that was taken for
        lost still serves, or the broker is away.
        """
        error = await asyncio.shield(self._task)
        ray.kill(self._actor)
        cause = error.cause if isinstance(error, RayTaskError) else None
        if isinstance(cause, BedsideError) and self._assignment is not None and not self._assignment.life:
            raise WorkerError(str(cause)) from None
        return "it ended" if error is None else _text(error)

    async def end(self) -> int:
        """End it if it runs, and return its exit status."""
        killed = False
        if self._serves and not self._task.done():
            self._actor.end.remote()
            await asyncio.wait([self._task], timeout=EXIT_TIMEOUT_S)
            killed = not self._task.done()
            if killed:
                log.warning("an actor did not end within %g s and was killed", EXIT_TIMEOUT_S)
        error = self._task.result() if self._task.done() else None
        if error is not None:
            log.warning("an actor ended with an error: %s", _text(error))
        ray.kill(self._actor)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return 1 if killed or error else 0

    async def _read(self, lines: Any) -> RayError | None:
        """Log its lines until it ends; return why, or None if as requested."""
        try:
            async for line in lines:
                self._serves = True
                log.info("%s", await line)
        except RayError as error:
            return error
        return None


def _text(error: RayError) -> str:
    """Return one line; Ray's own have twenty."""
    if isinstance(error, RayTaskError):
        return _first_line(error.cause)
    if isinstance(error, ActorDiedError) and "node has died" not in str(error):
        return "its process died"
    return "its machine was lost" if isinstance(error, RayActorError) else _first_line(error)
