"""The ``bedside`` command: the one place that knows all parts, and imports each only when it is asked for."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import BedsideError, StorageError, UsageError

if TYPE_CHECKING:
    from stream.address import BrokerAddress
    from stream.catalog import Catalog


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("bedside").setLevel(logging.INFO)
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # stream.client says the same, better
    try:
        status: int = args.run(args) or 0
    except BedsideError as error:
        print(f"bedside {args.command}: {error}", file=sys.stderr)
        return error.status
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get((error.name or "").split(".")[0])
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


_EXTRA_OF = {
    "torch": "model",
    "safetensors": "model",
    "PySide6": "gui",
    "pyqtgraph": "gui",
    "amqtt": "broker",
    "matplotlib": "plots",
}


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

    from stream.client import settle

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
    from stream.broker import embedded_broker

    async def serve() -> None:
        async with embedded_broker(args.host, args.port) as address:
            print(f"broker listens on {address}; Ctrl-C ends it", file=sys.stderr)
            await asyncio.Event().wait()

    return run_async(serve())


def _replay(args: argparse.Namespace) -> int:
    from stream.clock import SteadyClock
    from stream.library import Library
    from stream.publisher import serve
    from stream.records import load
    from stream.replay import ReplayConfig

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

    from model.serving import serve
    from model.watch import load_models

    return run_async(serve(address, load_models(args.weights, args.alarms), ledger_path=args.ledger))


def _monitor(args: argparse.Namespace) -> int:
    address = _address(args)

    from monitor.gui.app import run
    from stream.wfdb_writer import write

    return run(
        address,
        bed=args.bed,
        who=_who(args.who),
        write_record=write,
        screenshot=args.screenshot,
        seconds=args.seconds,
        sound=args.sound,
    )


def _who(text: str) -> str:
    if not 1 <= len(text) <= 64:
        raise UsageError(f"--who {text[:20]!r}: take 1 to 64 characters")
    return text


def _alarms(args: argparse.Namespace) -> int:
    from monitor.alarm_log import AlarmLog
    from monitor.alarms import serve

    if args.db is None:
        raise UsageError("--db FILE is needed: the SQLite file to write, made if missing")
    return run_async(serve(_address(args), AlarmLog(args.db), jsonl=args.jsonl))


def _alarms_export(args: argparse.Namespace) -> int:
    from monitor.alarm_export import Choice, export
    from stream.wfdb_writer import write

    print(export(args.db, args.format, args.out, Choice(args.bed, args.since), write))
    return 0


def _tap(args: argparse.Namespace) -> int:
    from monitor.tap import serve

    # It has nothing to save, and may be blocked by a reader that is slow: signals end it at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    asyncio.run(serve(_address(args), args.format, args.topic, sys.stdout))
    return 0


# --- offline --------------------------------------------------------------------------------------------------------


def _analyze(args: argparse.Namespace) -> int:
    from model.analyze import analyze
    from model.watch import load_models
    from stream.records import load

    record = load(args.record, _catalog(args))
    print(analyze(record, load_models(args.weights, args.alarms), args.out))
    return 0


def _train(args: argparse.Namespace) -> int:
    if args.what == "beats":
        from model.train_beats import BeatTrainConfig, print_scores, train_beats

        config = BeatTrainConfig() if args.seed is None else BeatTrainConfig(seed=args.seed)
        print_scores(train_beats(config, _catalog(args), args.out))
        return 0
    if args.what == "residual":
        from model import fit_residual

        fit_residual.print_scores(fit_residual.train_residual(_catalog(args), args.out, args.seed))
        return 0
    from model.config import TrainConfig
    from model.train import train

    given = {name: getattr(args, name) for name in ("seed", "minutes", "threads") if getattr(args, name) is not None}
    print(train(TrainConfig(**given), _catalog(args), args.out, resume=args.resume))
    return 0


def _evaluate_alarms(args: argparse.Namespace) -> int:
    from model.alarm_figures import print_alarms
    from model.dataset import DS1, DS2
    from model.evaluate_alarms import evaluate_alarms, watcher
    from model.network import one_thread
    from model.watch import load_models

    with one_thread():
        report = evaluate_alarms([*DS1, *DS2], watcher(load_models(args.weights)), _catalog(args))
    print_alarms(report)
    return _write_json(report.to_dict(), args.json)


def _evaluate(args: argparse.Namespace) -> int:
    if args.tutorial:
        return _tutorial(args)
    if args.alarms:
        return _evaluate_alarms(args)
    if args.plot is not None:
        raise UsageError("--plot belongs to --tutorial: say --plots DIR for the pictures of an evaluation")
    from model.dataset import parse_records
    from model.forecaster import load_forecaster
    from model.plots import draw, prepare
    from model.report import evaluate, print_evaluation

    # What cannot work is said now, not after minutes of work.
    if args.plots is not None:
        prepare(args.plots)
    if args.json is not None and not args.json.parent.is_dir():
        raise StorageError(f"--json {args.json} cannot be written (no such folder): choose another file")
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
    from model.tutorial import print_tutorial, tutorial

    report = tutorial(_catalog(args))
    print_tutorial(report)
    if args.plot is not None:
        report.plot(args.plot)
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
    from rich.console import Console

    from monitor.demo import DemoConfig, demo, qt_problem
    from stream.broker import free_port
    from stream.errors import SourceError
    from stream.records import load

    if args.seconds is not None and args.seconds <= 0:
        raise UsageError(f"--seconds {args.seconds:g}: take more than 0")
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

    from monitor.bench import bench_stream
    from stream.broker import free_port
    from stream.records import load

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
    from model.bench import bench_model, print_bench
    from model.forecaster import load_forecaster

    figures = bench_model(load_forecaster(args.weights))
    print_bench(figures)
    return _write_json(figures, args.json)


def _write_json(figures: dict[str, Any], path: Path | None) -> int:
    if path is not None:
        try:
            path.write_text(json.dumps(figures, indent=2) + "\n")
        except OSError as error:
            raise StorageError(f"--json {path} cannot be written ({error.strerror}): choose another file") from None
    return 0


# --- arguments ------------------------------------------------------------------------------------------------------


def _address(args: argparse.Namespace) -> BrokerAddress:
    from stream.address import BrokerAddress

    return BrokerAddress.from_environment(args.broker)


def _catalog(args: argparse.Namespace) -> Catalog:
    from stream.catalog import Catalog

    return Catalog.from_environment(args.data_dir)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    top = argparse.ArgumentParser(
        prog="bedside",
        description="A streaming bedside-monitor simulator for teaching and development. Never a medical device.",
        epilog="Records: mitdb/208, excerpt (five real minutes), synthetic, or a path to any WFDB record.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    broker = argparse.ArgumentParser(add_help=False)
    broker.add_argument(
        "--broker",
        metavar="URL",
        help="mqtt://user:password@host:port, mqtts:// for TLS (default: $BEDSIDE_BROKER, else mqtt://127.0.0.1:1883)",
    )
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="folder that holds mitdb/, … (default: $BEDSIDE_DATA)"
    )
    settings = argparse.ArgumentParser(add_help=False)
    settings.add_argument(
        "--alarm-config", type=Path, dest="alarms", metavar="FILE", help="TOML with limits, priorities and delays"
    )
    weights = argparse.ArgumentParser(add_help=False)
    weights.add_argument("--weights", type=Path, metavar="FILE", help="network weights (default: those in the package)")
    ledger = argparse.ArgumentParser(add_help=False)
    ledger.add_argument("--ledger", type=Path, metavar="FILE", help="write one CSV line per chunk")

    def add(name: str, run: Any, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=parents)
        command.set_defaults(run=run)
        return command

    demo = add("demo", _demo, "broker, replay, forecaster, alarms and monitor together, on real ECG", data)
    demo.add_argument("--headless", action="store_true", help="a live table instead of the window")
    demo.add_argument(
        "--seconds", type=float, metavar="N", help="end after N seconds (default: Ctrl-C, or window closed)"
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="folder for summary.json, alarms.sqlite, monitor.png; those in it are replaced (default: out)",
    )
    demo.add_argument("--record", metavar="RECORD", help="what to replay (default: excerpt)")

    box = add("broker", _broker, "a small MQTT broker for one machine")
    box.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; no password, whoever reaches it may connect (default: %(default)s)",
    )
    box.add_argument("--port", type=int, default=1883, help="default: %(default)s")

    box = add("replay", _replay, "publish recorded ECG at 360 Hz", broker, data, ledger)
    box.add_argument("record", nargs="?", metavar="RECORD", help="for bed-1")
    box.add_argument("--bed", action="append", default=[], metavar="NAME=RECORD", help="a bed; may be given many times")
    box.add_argument("--speed", type=float, default=1.0, metavar="X", help="times real time (default: 1)")
    box.add_argument("--loop", action="store_true", help="start again from the record's first sample when it ends")
    box.add_argument("--start", type=float, default=0.0, metavar="S", help="seconds into the record")
    box.add_argument("--chunk", type=int, default=36, metavar="N", help="samples per message (default: 36, 100 ms)")
    box.add_argument("--annotations", action="store_true", help="also send the reference beats of the record")

    add("worker", _worker, "forecast every bed of a broker, and raise alarms", broker, weights, settings, ledger)

    box = add("monitor", _monitor, "the window: trace, forecast, alarms", broker)
    box.add_argument("--bed", metavar="NAME", help="the bed to show (default: the first that streams)")
    box.add_argument(
        "--who", default="monitor", metavar="NAME", help="stands in the commands it sends (default: monitor)"
    )
    box.add_argument("--sound", action="store_true", help="tones for beats and alarms; M mutes them")
    box.add_argument("--screenshot", type=Path, metavar="FILE", help="save a PNG at the end")
    box.add_argument("--seconds", type=float, metavar="N", help="end after N seconds of drawing")

    box = add("alarms", _alarms, "store every alarm event, once, in SQLite", broker)
    box.add_argument("--db", type=Path, metavar="FILE", help="SQLite file, made if missing")
    box.add_argument("--jsonl", action="store_true", help="also print each event as a line of JSON")
    actions = box.add_subparsers(dest="action", metavar="[export]")
    action = actions.add_parser("export", help="write stored alarms as CSV, JSON lines or WFDB records")
    action.set_defaults(run=_alarms_export)
    action.add_argument("--db", type=Path, required=True, metavar="FILE", help="the alarm store")
    action.add_argument(
        "--format", choices=("csv", "jsonl", "wfdb"), required=True, help="wfdb: a record of the ECG around each alarm"
    )
    action.add_argument("--out", type=Path, required=True, metavar="PATH", help="a new file; for wfdb a folder")
    action.add_argument("--bed", metavar="NAME", help="of this bed alone")
    action.add_argument("--since", metavar="TIME", help="raised then or later, such as 2026-01-31T12:00:00Z")

    box = add("tap", _tap, "print decoded messages, for scripts and plotters", broker)
    box.add_argument("topic", nargs="?", metavar="TOPIC", help="MQTT topic filter (default: everything)")
    box.add_argument(
        "--format", choices=("json", "csv"), default="json", help="csv: one kind of message, by default the ECG"
    )

    box = add("analyze", _analyze, "forecast, beats, vitals and alarms of a record, offline", data, weights, settings)
    box.add_argument("record", metavar="RECORD", help="mitdb/208, excerpt, synthetic, or a path")
    box.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for forecast.npz and alarms.jsonl")

    box = add("train", _train, "train the networks on DS1 of MIT-BIH", data)
    box.add_argument(
        "--what",
        choices=("forecaster", "beats", "residual"),
        default="forecaster",
        help="the forecaster (default), the typing of beats, in 3 minutes, or the residual score, in 6",
    )
    box.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights, safetensors")
    box.add_argument(
        "--seed", type=int, metavar="N", help="of the random numbers (default: that of the shipped weights)"
    )
    box.add_argument("--minutes", type=float, metavar="N", help="end after N minutes at the latest")
    box.add_argument("--threads", type=int, metavar="N", help="threads of torch")
    box.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")

    box = add("evaluate", _evaluate, "score forecasts and residual alarms against simpler ways", data, weights)
    box.add_argument("--records", default="DS2", metavar="NAMES", help="DS1, DS2, or 100,103 (default: %(default)s)")
    box.add_argument("--exclude", metavar="NAMES", help="records to leave out, such as 202")
    box.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    box.add_argument("--plots", type=Path, metavar="DIR", help="draw four pictures there (PNG)")
    box.add_argument(
        "--alarms",
        action="store_true",
        help="instead: beats, rhythm and alarms of all 44 records, and what lies beside",
    )
    box.add_argument("--tutorial", action="store_true", help="instead: the lecture's model on its own five seconds")
    box.add_argument(
        "--plot", type=Path, metavar="FILE", help="with --tutorial: draw truth and predictions (PNG, PDF, …)"
    )

    box = add("data", None, "recordings: list, fetch")
    actions = box.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("list", help="known records and where they are", parents=[data])
    action.set_defaults(run=_data_list)
    action = actions.add_parser("fetch", help="download records into the cache", parents=[data])
    action.add_argument("names", nargs="+", metavar="RECORD", help="mitdb (all of it), mitdb/208, excerpt")
    action.set_defaults(run=_data_fetch)

    box = add("bench", None, "timings on this machine: stream, model")
    subjects = box.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    subject = subjects.add_parser("stream", help="deadlines and latency, against a naive loop", parents=[data])
    subject.set_defaults(run=_bench_stream)
    subject.add_argument("--minutes", type=float, default=10.0, metavar="N", help="default: %(default)g")
    subject.add_argument("--record", default="excerpt", metavar="RECORD", help="default: %(default)s")
    subject.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    subject = subjects.add_parser(
        "model", help="the streaming step, against this processor's matrix product", parents=[weights]
    )
    subject.set_defaults(run=_bench_model)
    subject.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return top


if __name__ == "__main__":
    from monitor.processes import leave_with_parent

    leave_with_parent()
    sys.exit(main())
