"""The benchmark commands."""

from __future__ import annotations

import argparse
import json
from typing import Any

from model.serving.compile_ahead import compile_ahead
from monitor.commands.shared import catalog, check_json, log, run_async, write_json
from monitor.commands.ward import ward_setup
from stream.errors import UsageError


def stream(args: argparse.Namespace) -> int:
    """Measure deadlines and latencies of the processes."""
    records = catalog(args)
    log.info("measuring %g min of %s; starting broker and worker", args.minutes, args.record)

    from rich.console import Console

    from monitor.tools.bench_stream import bench_stream
    from stream.mqtt.embedded_broker import free_port
    from stream.records.wfdb_reader import load

    load(args.record, records)
    compile_ahead()
    results: list[dict[str, Any]] = []

    async def measure() -> None:
        results.append(
            await bench_stream(args.record, 60 * args.minutes, free_port(), Console(stderr=True), args.data_dir)
        )

    status = run_async(measure())
    if not results:
        return status
    print(json.dumps(results[0], indent=2))
    return write_json(results[0], args.json)


def ward(args: argparse.Namespace) -> int:
    """Measure how many beds the processes keep up with."""
    check_json(args.json)
    setup = ward_setup(args)
    compile_ahead()

    from monitor.tools.bench_ward import bench_ward

    results: list[dict[str, Any]] = []

    async def measure() -> None:
        results.append(await bench_ward(setup, args.seconds, log.info))

    status = run_async(measure())
    if not results:
        return status
    print(json.dumps(results[0], indent=2))
    return write_json(results[0], args.json)


def model(args: argparse.Namespace) -> int:
    """Measure the streaming step."""
    log.info("measuring the streaming step; loading the model")

    from model.benchmarks.streaming_step import bench_model, print_bench
    from model.forecast.forecaster import load_forecaster

    results = bench_model(load_forecaster(args.weights))
    print_bench(results)
    return write_json(results, args.json)


def gui(args: argparse.Namespace) -> int:
    """Measure the frame times of the central station and of a bed's page, and the startup time of the window."""
    if not args.seconds >= 1 or not args.memory_minutes >= 0:
        raise UsageError("--seconds: use 1 or more; --memory-minutes: 0 or more")
    records = catalog(args)
    log.info("measuring startup and frame times of the window; loading %s", args.record)

    from monitor.gui.system.platform import check_platform
    from monitor.tools.bench_startup import first_sample_s
    from stream.mqtt.address import BrokerAddress
    from stream.mqtt.embedded_broker import free_port
    from stream.records.wfdb_reader import load

    record = load(args.record, records).analysed()
    if len(record.leads) != 2:
        raise UsageError(f"--record {args.record} has one lead: choose one with two, such as mitdb/208 or synthetic")
    check_platform()
    starts: list[float] = []

    async def measure() -> None:
        address = BrokerAddress("127.0.0.1", free_port())
        starts.append(await first_sample_s(args.record, address, args.data_dir))

    status = run_async(measure())
    if not starts:
        return status
    log.info("the window showed its first sample after %.1f s; drawing %g s of signal", starts[0], args.seconds)

    from monitor.gui.bench.frame_bench import bench_frames, bench_memory, bench_page

    results = {**bench_frames(record.adu, args.seconds), "first_sample_s": starts[0]}
    log.info("drawing %g s of the page of one bed with eight lanes", args.seconds)
    results["page"] = bench_page(record.adu, args.seconds)
    if args.memory_minutes:
        log.info("measuring memory over %g min of signal", args.memory_minutes)
        results["memory"] = bench_memory(record.adu, args.memory_minutes)
    print(json.dumps(results, indent=2))
    return write_json(results, args.json)
