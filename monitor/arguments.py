"""The commands of ``bedside`` and their options. Nothing that a command needs is imported here."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command; ``run`` in its result names the entry of `monitor.cli.RUN`."""
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

    def add(name: str, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=parents)
        command.set_defaults(run=name)
        return command

    demo = add("demo", "broker, replay, forecaster, alarms and monitor together, on real ECG", data)
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

    box = add("broker", "a small MQTT broker for one machine")
    box.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; no password: anyone who reaches it may connect (default: %(default)s)",
    )
    box.add_argument("--port", type=int, default=1883, help="default: %(default)s")

    box = add("replay", "publish recorded ECG at 360 Hz", broker, data, ledger)
    box.add_argument("record", nargs="?", metavar="RECORD", help="for bed-1")
    box.add_argument("--bed", action="append", default=[], metavar="NAME=RECORD", help="a bed; may be given many times")
    box.add_argument("--speed", type=float, default=1.0, metavar="X", help="times real time (default: 1)")
    box.add_argument("--loop", action="store_true", help="start again from the record's first sample when it ends")
    box.add_argument("--start", type=float, default=0.0, metavar="S", help="seconds into the record")
    box.add_argument("--chunk", type=int, default=36, metavar="N", help="samples per message (default: 36, 100 ms)")
    box.add_argument("--annotations", action="store_true", help="also send the reference beats of the record")

    add("worker", "forecast every bed of a broker, and raise alarms", broker, weights, settings, ledger)

    box = add("monitor", "the window: trace, forecast, alarms", broker)
    box.add_argument("--bed", metavar="NAME", help="the bed to show (default: the first that streams)")
    box.add_argument("--station", action="store_true", help="begin with all beds at once")
    box.add_argument(
        "--who", default="monitor", metavar="NAME", help="named in the commands that it sends (default: monitor)"
    )
    box.add_argument("--sound", action="store_true", help="tones for beats and alarms; M mutes them")
    box.add_argument("--screenshot", type=Path, metavar="FILE", help="save a PNG at the end")
    box.add_argument("--seconds", type=float, metavar="N", help="end after N seconds of drawing")

    box = add("alarms", "store every alarm event, once, in SQLite", broker)
    box.add_argument("--db", type=Path, metavar="FILE", help="SQLite file, made if missing")
    box.add_argument("--jsonl", action="store_true", help="also print each event as a line of JSON")
    actions = box.add_subparsers(dest="action", metavar="[export]")
    action = actions.add_parser("export", help="write stored alarms as CSV, JSON lines or WFDB records")
    action.set_defaults(run="alarms export")
    action.add_argument("--db", type=Path, required=True, metavar="FILE", help="the alarm store")
    action.add_argument(
        "--format", choices=("csv", "jsonl", "wfdb"), required=True, help="wfdb: a record of the ECG around each alarm"
    )
    action.add_argument("--out", type=Path, required=True, metavar="PATH", help="a new file; for wfdb a folder")
    action.add_argument("--bed", metavar="NAME", help="of this bed alone")
    action.add_argument("--since", metavar="TIME", help="raised then or later, such as 2026-01-31T12:00:00Z")

    box = add("tap", "print decoded messages, for scripts and plotters", broker)
    box.add_argument("topic", nargs="?", metavar="TOPIC", help="MQTT topic filter (default: everything)")
    box.add_argument(
        "--format", choices=("json", "csv"), default="json", help="csv: one kind of message, by default the ECG"
    )

    box = add("analyze", "forecast, beats, vitals and alarms of a record, offline", data, weights, settings)
    box.add_argument("record", metavar="RECORD", help="mitdb/208, excerpt, synthetic, or a path")
    box.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for forecast.npz and alarms.jsonl")

    box = add("train", "train the networks on DS1 of MIT-BIH", data)
    box.add_argument(
        "--what",
        choices=("forecaster", "first-samples", "beats", "residual"),
        default="forecaster",
        help="the forecaster (default), its last stage alone, the beat classifier (3 minutes each), or the anomaly "
        "classifier (15 minutes)",
    )
    box.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights, safetensors")
    box.add_argument(
        "--seed", type=int, metavar="N", help="of the random numbers (default: that of the shipped weights)"
    )
    box.add_argument(
        "--weights", type=Path, metavar="FILE", help="for first-samples: what to finish (default: those in the package)"
    )
    box.add_argument("--minutes", type=float, metavar="N", help="end after N minutes at the latest")
    box.add_argument("--threads", type=int, metavar="N", help="threads of torch")
    box.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")

    box = add("evaluate", "score forecasts and anomaly alarms against baselines", data, weights)
    box.add_argument("--records", default="DS2", metavar="NAMES", help="DS1, DS2, or 100,103 (default: %(default)s)")
    box.add_argument("--exclude", metavar="NAMES", help="records to leave out, such as 202")
    box.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    box.add_argument("--plots", type=Path, metavar="DIR", help="draw four pictures there (PNG)")
    box.add_argument(
        "--alarms",
        action="store_true",
        help="instead: beats, rhythm and alarms of all 44 records",
    )
    box.add_argument("--tutorial", action="store_true", help="instead: the lecture's model on its own five seconds")
    box.add_argument(
        "--plot", type=Path, metavar="FILE", help="with --tutorial: draw truth and predictions (PNG, PDF, …)"
    )

    box = add("data", "recordings: list, fetch")
    actions = box.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("list", help="known records and where they are", parents=[data])
    action.set_defaults(run="data list")
    action = actions.add_parser("fetch", help="download records into the cache", parents=[data])
    action.add_argument("names", nargs="+", metavar="RECORD", help="mitdb (all of it), mitdb/208, excerpt")
    action.set_defaults(run="data fetch")

    box = add("bench", "timings on this machine: stream, model, gui")
    subjects = box.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    subject = subjects.add_parser("stream", help="deadlines and latency, against a naive loop", parents=[data])
    subject.set_defaults(run="bench stream")
    subject.add_argument("--minutes", type=float, default=10.0, metavar="N", help="default: %(default)g")
    subject.add_argument("--record", default="excerpt", metavar="RECORD", help="default: %(default)s")
    subject.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    subject = subjects.add_parser(
        "gui", help="frames of the central station, against redrawing every curve", parents=[data]
    )
    subject.set_defaults(run="bench gui")
    subject.add_argument("--seconds", type=float, default=30.0, metavar="N", help="of signal (default: %(default)g)")
    subject.add_argument(
        "--memory-minutes",
        type=float,
        default=60.0,
        metavar="N",
        help="also watch memory over N minutes of signal, faster than time; 0 does not (default: %(default)g)",
    )
    subject.add_argument("--record", default="synthetic", metavar="RECORD", help="default: %(default)s")
    subject.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    subject = subjects.add_parser(
        "model", help="the streaming step, against this processor's matrix product", parents=[weights]
    )
    subject.set_defaults(run="bench model")
    subject.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return top
