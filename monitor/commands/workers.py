"""The command ``bedside worker``: one worker, several processes of this computer, or actors of Ray."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.serving.compile_ahead import compile_ahead
from monitor.commands.shared import broker_address, log, run_async, worker_count
from stream.errors import UsageError
from stream.wire.shard import MAX_SHARDS

if TYPE_CHECKING:
    from model.pipeline.analysis import Models
    from monitor.tools.checkpoint_copies import Copy
    from monitor.tools.ray_workers import Serve
    from monitor.tools.worker_group import Assignment
    from stream.mqtt.address import BrokerAddress


def worker(args: argparse.Namespace) -> int:
    """Analyze the beds of a broker: in this process, as one of several, or as their parent."""
    if args.no_state and args.state is not None:
        raise UsageError(f"--no-state and --state {args.state} exclude each other: leave one out")
    if args.max_wait is not None and not 0.1 <= args.max_wait <= 86_400:
        raise UsageError(f"--max-wait {args.max_wait:g}: use 0.1 to 86400 s")
    address = broker_address(args)
    options = _Options(address, args.weights, args.alarms, args.ledger, args.metrics, args.max_wait)
    if not args.child:
        if args.ray is not None:
            return _start_actors(args, options.absolute())
        if args.workers is not None:
            return _start_processes(args)
        log.info("loading the models")

    from model.serving.checkpoint_store import broker_folder
    from monitor.tools.process_group import line_from_parent
    from monitor.tools.worker_group import ALONE, Assignment

    state = None if args.no_state else broker_folder(args.state, address)
    models = options.load()
    assignment = Assignment.parse(line_from_parent()) if args.child else ALONE
    return run_async(options.serve(models, assignment, state))


@dataclass(frozen=True)
class _Options:
    """What all workers of a command have in common; may be sent to another machine."""

    address: BrokerAddress
    weights: Path | None
    alarms: Path | None
    ledger: Path | None
    metrics: int | None
    max_wait_s: float | None

    def absolute(self) -> _Options:
        """Return the same with paths that are valid in any working directory, such as that of a process of Ray."""
        broker = self.address
        return replace(
            self,
            address=replace(broker, ca=_absolute(broker.ca), cert=_absolute(broker.cert), key=_absolute(broker.key)),
            weights=_absolute(self.weights),
            alarms=_absolute(self.alarms),
            ledger=_absolute(self.ledger),
        )

    def load(self) -> Models:
        """Load and compile what a worker needs."""
        from model.forecast.inference import fastest_precision
        from model.serving.warm_up import compiled_models, warm_up

        models = compiled_models(self.weights, self.alarms, fastest_precision())
        warm_up(models)
        # All this lives as long as the process. Without this, Python would look through it once more at the end, which
        # takes longer than anything else that a worker does when it ends: seconds on a busy machine.
        gc.collect()
        gc.freeze()
        return models

    async def serve(self, models: Models, assignment: Assignment, state: Path | None, copy: Copy | None = None) -> None:
        """Serve a shard until cancelled."""
        from model.serving.service import serve
        from model.serving.shedding import MAX_WAIT_S
        from stream.mqtt.metrics import metrics_server

        with metrics_server(assignment.metrics_port(self.metrics)) as watch:
            await serve(
                self.address,
                models,
                ledger_path=assignment.ledger(self.ledger),
                state=state,
                max_wait_s=MAX_WAIT_S if self.max_wait_s is None else self.max_wait_s,
                watch=watch,
                shard=assignment.shard,
                connect_timeout_s=assignment.connect_timeout_s,
                copy=copy,
            )


def _absolute(path: Path | None) -> Path | None:
    return path and path.absolute()


def _start_processes(args: argparse.Namespace) -> int:
    """Share the beds among several processes; return the worst of their exit statuses."""
    count = worker_count(args.workers)
    _check_ports(args, count)
    compile_ahead()
    log.info("starting %d processes, and a spare one", count)

    from monitor.tools.process_group import process_group
    from monitor.tools.worker_group import ChildLog, ProcessMember, WorkerGroup

    command, *arguments = args.arguments

    status = 0

    async def run() -> None:
        nonlocal status
        async with process_group(ChildLog(), {}) as group:

            async def start() -> ProcessMember:
                return ProcessMember(group, await group.start(command, *arguments, "--child"))

            workers = WorkerGroup(start, count)
            try:
                await workers.run()
            finally:
                status = workers.status

    run_async(run())
    return status


def _start_actors(args: argparse.Namespace, options: _Options) -> int:
    """Share the beds among actors of Ray; return the worst of their exit statuses."""
    count = None if args.workers in (None, "auto") else worker_count(args.workers)
    log.info("connecting to Ray at %s", args.ray) if args.ray else log.info("starting Ray on this machine")

    from model.serving.checkpoint_store import CheckpointStore, broker_folder
    from monitor.tools.ray_environment import ray_environment
    from monitor.tools.worker_group import WorkerGroup

    state = None if args.no_state else broker_folder(_absolute(args.state), options.address)
    if state is not None:
        CheckpointStore(state, b"").close()  # can it be written?
    if not args.ray:
        compile_ahead()
    local = count or os.cpu_count() or 1
    with ray_environment(local=not args.ray) as folder:
        from monitor.tools.ray_workers import RayMember, ray_cluster, start_keeper

        with ray_cluster(args.ray or None, folder, local + 1) as cores:
            # By default one core is left for the spare actor.
            count = count or min(max(int(cores) - 1, 1), MAX_SHARDS)
            if count > cores:
                raise UsageError(
                    f"--workers {count}: the cluster has {cores:g} processor cores; use fewer, or add machines"
                )
            _check_ports(args, count)
            spare = ", and a spare one" if count < cores else "; no core is left for a spare one"
            log.info("starting %d actors%s", count, spare)
            keeper = None if state is None else start_keeper(state)

            async def start() -> RayMember:
                return RayMember(partial(_prepare, options), keeper)

            workers = WorkerGroup(start, count)
            run_async(workers.run())
            return workers.status


def _prepare(options: _Options) -> Serve:
    """In an actor: load what it needs before it knows its shard."""
    models = options.load()

    def serve(assignment: Assignment, state: Path | None, copy: Copy | None) -> Coroutine[Any, Any, None]:
        return options.serve(models, assignment, state, copy)

    return serve


def _check_ports(args: argparse.Namespace, count: int) -> None:
    if args.metrics is not None and not 1 <= args.metrics <= 65_536 - count:
        raise UsageError(f"--metrics {args.metrics}: {count} processes need ports from there to 65535")
