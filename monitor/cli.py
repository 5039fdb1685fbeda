"""The ``bedside`` command: the one place that knows all parts, and imports each only when it is asked for."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.arguments import parser
from monitor.tools.extras import EXTRA_OF, require_extras
from stream.errors import BedsideError, StorageError, UsageError

if TYPE_CHECKING:
    from stream.mqtt.address import BrokerAddress
    from stream.records.catalog import Catalog


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("bedside").setLevel(logging.INFO)
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # stream.mqtt.client says the same, better
    try:
        status = _RUN[args.run](args)
    except BedsideError as error:
        print(f"bedside {args.command}: {error}", file=sys.stderr)
        return error.status
    except ModuleNotFoundError as error:
        extra = EXTRA_OF.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        print(
            f"bedside {args.command}: {error.name} is not installed; run: pip install 'bedside[{extra}]'",
            file=sys.stderr,
        )
        return BedsideError.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone, as in "bedside tap | head": no more can be said, not even at exit.
        sys.stdout = None
        return 0
    return status


def run_async(work: Coroutine[Any, Any, Any]) -> int:
    """Run a coroutine until it returns, or until SIGINT or SIGTERM cancels it; both are a good end."""

    async def supervised() -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows has KeyboardInterrupt alone
                loop.add_signal_handler(number, task.cancel)
        await work

    from stream.mqtt.client import settle

    # aiomqtt watches sockets, which Windows' default loop cannot.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                runner.run(supervised())
        finally:
            runner.run(settle())
    return 0


# --- one box each ---------------------------------------------------------------------------------------------------


def _broker(args: argparse.Namespace) -> int:
    from stream.mqtt.embedded_broker import embedded_broker

    async def serve() -> None:
        async with embedded_broker(args.host, args.port) as address:
            print(f"broker listens on {address}; Ctrl-C ends it", file=sys.stderr)
            await asyncio.Event().wait()

    return run_async(serve())


def _replay(args: argparse.Namespace) -> int:
    from stream.clock import SteadyClock
    from stream.records.library import Library
    from stream.records.wfdb_reader import load
    from stream.replay.playhead import ReplayConfig
    from stream.replay.publisher import serve

    pairs = [_bed_and_record(text) for text in args.bed]
    if args.record:
        pairs.insert(0, ("bed-1", args.record))
    if not pairs:
        raise UsageError("nothing to replay: name a RECORD such as mitdb/208, or --bed bed-1=mitdb/208")
    names = [bed for bed, _ in pairs]
    if len(set(names)) < len(names):
        raise UsageError(f"a bed is named twice ({', '.join(names)}): give each --bed a name of its own")
    configs = [
        ReplayConfig(bed=bed, chunk=args.chunk, speed=args.speed, loop=args.loop, start_s=args.start) for bed in names
    ]
    catalog = _catalog(args)
    replays = [(load(record, catalog), config) for (_, record), config in zip(pairs, configs, strict=True)]
    return run_async(
        serve(
            _address(args),
            replays,
            library=Library(catalog),
            ledger_path=args.ledger,
            clock=SteadyClock(),
            annotations=args.annotations,
        )
    )


def _bed_and_record(text: str) -> tuple[str, str]:
    bed, equals, record = text.partition("=")
    if not equals or not record:
        raise UsageError(f"--bed {text!r} is not understood: write --bed bed-1=mitdb/208")
    return bed, record


def _worker(args: argparse.Namespace) -> int:
    address = _address(args)

    from model.pipeline.analysis import load_models
    from model.serving.service import serve

    return run_async(serve(address, load_models(args.weights, args.alarms), ledger_path=args.ledger))


def _monitor(args: argparse.Namespace) -> int:
    address = _address(args)

    from monitor.gui.app import run
    from stream.records.wfdb_writer import write

    return run(
        address,
        bed=args.bed,
        who=_who(args.who),
        station=args.station,
        write_record=write,
        screenshot=args.screenshot,
        seconds=args.seconds,
        sound=args.sound,
    )


def _who(text: str) -> str:
    if not text.strip() or len(text) > 64:
        raise UsageError(f"--who {text[:20]!r}: take 1 to 64 characters, not all blank")
    return text


def _alarms(args: argparse.Namespace) -> int:
    from monitor.alarm_log.logger import serve
    from monitor.alarm_log.store import AlarmLog

    if args.db is None:
        raise UsageError("--db FILE is needed: the SQLite file to write, made if missing")
    return run_async(serve(_address(args), AlarmLog(args.db), jsonl=args.jsonl))


def _alarms_export(args: argparse.Namespace) -> int:
    from monitor.alarm_log.export import Choice, export
    from stream.records.wfdb_writer import write

    print(export(args.db, args.format, args.out, Choice(args.bed, args.since), write))
    return 0


def _tap(args: argparse.Namespace) -> int:
    from monitor.tools.tap import serve

    # It has nothing to save, and may be blocked by a reader that is slow: signals end it at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    asyncio.run(serve(_address(args), args.format, args.topic, sys.stdout))
    return 0


# --- offline --------------------------------------------------------------------------------------------------------


def _analyze(args: argparse.Namespace) -> int:
    from model.pipeline.analysis import load_models
    from model.serving.offline import analyze
    from stream.records.wfdb_reader import load

    record = load(args.record, _catalog(args))
    print(analyze(record, load_models(args.weights, args.alarms), args.out))
    return 0


def _train(args: argparse.Namespace) -> int:
    if args.weights and args.what != "first-samples":
        raise UsageError(f"--weights {args.weights}: only --what first-samples starts from weights")
    if args.what == "beats":
        from model.training.train_beat_classifier import BeatTrainConfig, print_scores, train_beats

        config = BeatTrainConfig() if args.seed is None else BeatTrainConfig(seed=args.seed)
        print_scores(train_beats(config, _catalog(args), args.out))
        return 0
    if args.what == "residual":
        from model.training import train_anomaly_classifier

        train_anomaly_classifier.print_scores(
            train_anomaly_classifier.train_residual(_catalog(args), args.out, args.seed)
        )
        return 0
    from model.training.config import TrainConfig
    from model.training.train_forecaster import train, train_first_samples

    if args.what == "first-samples":
        print(train_first_samples(args.weights, _catalog(args), args.out))
        return 0
    given = {name: getattr(args, name) for name in ("seed", "minutes", "threads") if getattr(args, name) is not None}
    print(train(TrainConfig(**given), _catalog(args), args.out, resume=args.resume))
    return 0


def _evaluate_alarms(args: argparse.Namespace) -> int:
    from model.datasets.mitdb import DS1, DS2
    from model.evaluation.alarm_scores import evaluate_alarms
    from model.evaluation.alarm_tables import print_alarms
    from model.evaluation.monitor_output import monitor_of
    from model.pipeline.analysis import load_models

    report = evaluate_alarms([*DS1, *DS2], monitor_of(load_models(args.weights)), _catalog(args))
    print_alarms(report)
    return _write_json(report.to_dict(), args.json)


def _evaluate(args: argparse.Namespace) -> int:
    # What cannot work is said now, not after minutes of work.
    if args.json is not None and not args.json.parent.is_dir():
        raise StorageError(f"--json {args.json} cannot be written (no such folder): choose another file")
    if args.tutorial:
        return _tutorial(args)
    if args.alarms:
        return _evaluate_alarms(args)
    if args.plot is not None:
        raise UsageError("--plot belongs to --tutorial: say --plots DIR for the pictures of an evaluation")
    from model.datasets.mitdb import parse_records
    from model.evaluation.evaluation import evaluate, print_evaluation
    from model.evaluation.plots import draw, prepare
    from model.forecast.forecaster import load_forecaster

    if args.plots is not None:
        prepare(args.plots)
    records = parse_records(args.records)
    excluded = parse_records(args.exclude) if args.exclude else ()
    forecaster, catalog = load_forecaster(args.weights), _catalog(args)
    evaluation = evaluate(records, forecaster=forecaster, exclude=excluded, catalog=catalog)
    print_evaluation(evaluation)
    status = _write_json(evaluation.to_dict(), args.json)
    if args.plots is not None:
        for path in draw(evaluation, args.plots):
            print(path)
    return status


def _tutorial(args: argparse.Namespace) -> int:
    from model.tutorial.tutorial import print_tutorial, tutorial

    report = tutorial(_catalog(args))
    print_tutorial(report)
    if args.plot is not None:
        from model.tutorial.plot import draw

        draw(report, args.plot)
    return _write_json(report.to_dict(), args.json)


def _data_list(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table("record", "leads", "where")
    for entry in _catalog(args).listing():
        table.add_row(entry.name, ", ".join(entry.leads), entry.where)
    Console().print(table)
    return 0


def _data_fetch(args: argparse.Namespace) -> int:
    for line in _catalog(args).fetch(args.names):
        print(line)
    return 0


# --- all together ---------------------------------------------------------------------------------------------------


EXCERPT_START_S = 30.0
"""From here on the excerpt has its first ectopic beats soon after the 12 s in which the worker learns the patient."""


def _demo(args: argparse.Namespace) -> int:
    if args.seconds is not None and args.seconds <= 0:
        raise UsageError(f"--seconds {args.seconds:g}: take more than 0")
    require_extras(["records", "broker", "model", *([] if args.headless else ["gui"])])

    from rich.console import Console

    from monitor.tools.demo import DemoConfig, demo
    from monitor.tools.qt_check import qt_problem
    from stream.errors import SourceError
    from stream.mqtt.embedded_broker import free_port
    from stream.records.wfdb_reader import load

    console = Console()
    name = args.record or "excerpt"
    try:
        record = load(name, _catalog(args))
    except SourceError as error:
        if args.record:
            raise
        console.print(f"[bold yellow]No real ECG can be had here: {error}")
        console.print("[bold yellow]Falling back to a SYNTHETIC patient; no real patient stands behind this trace.")
        name = "synthetic"
        record = load(name, _catalog(args))
    no_window = "--headless" if args.headless else qt_problem("a window")
    if no_window and not args.headless:
        console.print(f"[yellow]A table instead of the window: {no_window}")
    no_picture = qt_problem("offscreen") if no_window else None
    if no_picture:
        console.print(f"[yellow]No monitor.png: {no_picture}")
    config = DemoConfig(
        record=name,
        source=record.source,
        start_s=EXCERPT_START_S if name == "excerpt" and not args.record else 0.0,
        port=free_port(),
        out=args.out,
        headless=no_window is not None,
        picture=no_picture is None,
        seconds=args.seconds,
        data_dir=args.data_dir,
    )

    async def show() -> None:
        summary = await demo(config, console)
        console.print_json(data=summary)
        console.print(f"written to {args.out}: {', '.join(sorted(path.name for path in args.out.iterdir()))}")

    return run_async(show())


def _bench_stream(args: argparse.Namespace) -> int:
    from rich.console import Console

    from monitor.tools.bench_stream import bench_stream
    from stream.mqtt.embedded_broker import free_port
    from stream.records.wfdb_reader import load

    load(args.record, _catalog(args))
    results: list[dict[str, Any]] = []

    async def measure() -> None:
        results.append(
            await bench_stream(args.record, 60 * args.minutes, free_port(), Console(stderr=True), args.data_dir)
        )

    status = run_async(measure())
    if not results:
        return status
    print(json.dumps(results[0], indent=2))
    return _write_json(results[0], args.json)


def _bench_model(args: argparse.Namespace) -> int:
    from model.benchmarks.streaming_step import bench_model, print_bench
    from model.forecast.forecaster import load_forecaster

    figures = bench_model(load_forecaster(args.weights))
    print_bench(figures)
    return _write_json(figures, args.json)


def _bench_gui(args: argparse.Namespace) -> int:
    from monitor.gui.platform import check_platform
    from monitor.tools.bench_startup import first_sample_s
    from stream.mqtt.address import BrokerAddress
    from stream.mqtt.embedded_broker import free_port
    from stream.records.wfdb_reader import load

    if not args.seconds >= 1 or not args.memory_minutes >= 0:
        raise UsageError("--seconds takes 1 or more, --memory-minutes 0 or more")
    record = load(args.record, _catalog(args))
    if len(record.leads) != 2:
        raise UsageError(f"--record {args.record} has one lead: take one with two, such as mitdb/208 or synthetic")
    check_platform()
    starts: list[float] = []

    async def measure() -> None:
        address = BrokerAddress("127.0.0.1", free_port())
        starts.append(await first_sample_s(args.record, address, args.data_dir))

    status = run_async(measure())
    if not starts:
        return status
    from monitor.gui.bench.frame_bench import bench_frames, bench_memory

    figures = {**bench_frames(record.adu, args.seconds), "first_sample_s": starts[0]}
    if args.memory_minutes:
        figures["memory"] = bench_memory(record.adu, args.memory_minutes)
    print(json.dumps(figures, indent=2))
    return _write_json(figures, args.json)


def _write_json(figures: dict[str, Any], path: Path | None) -> int:
    if path is not None:
        try:
            path.write_text(json.dumps(figures, indent=2) + "\n")
        except OSError as error:
            raise StorageError(f"--json {path} cannot be written ({error.strerror}): choose another file") from None
    return 0


# --- what many take --------------------------------------------------------------------------------------------------


def _address(args: argparse.Namespace) -> BrokerAddress:
    from stream.mqtt.address import BrokerAddress

    return BrokerAddress.from_environment(args.broker)


def _catalog(args: argparse.Namespace) -> Catalog:
    from stream.records.catalog import Catalog

    return Catalog.from_environment(args.data_dir)


_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "broker": _broker,
    "replay": _replay,
    "worker": _worker,
    "monitor": _monitor,
    "alarms": _alarms,
    "alarms export": _alarms_export,
    "tap": _tap,
    "analyze": _analyze,
    "train": _train,
    "evaluate": _evaluate,
    "data list": _data_list,
    "data fetch": _data_fetch,
    "demo": _demo,
    "bench stream": _bench_stream,
    "bench model": _bench_model,
    "bench gui": _bench_gui,
}


if __name__ == "__main__":
    from monitor.tools.process_group import leave_with_parent

    leave_with_parent()
    sys.exit(main())
