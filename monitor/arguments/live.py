"""Commands that run or use processes around a broker, and their options."""

from __future__ import annotations

import argparse
from pathlib import Path

from monitor.arguments.shared import SCENARIO_HELP, Commands, Shared, add_subcommand


def add_demo(commands: Commands, shared: Shared) -> None:
    """Add ``bedside demo``."""
    command = commands.add("demo", "broker, replay, forecaster, alarms and monitor together, on real ECG", shared.data)
    command.add_argument("--headless", action="store_true", help="a live table instead of the window")
    command.add_argument(
        "--seconds",
        type=float,
        metavar="N",
        help="stop after N seconds (default: at Ctrl-C or window close)",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="output folder for summary.json, alarms.sqlite, monitor.png; existing ones are replaced (default: out)",
    )
    command.add_argument("--record", metavar="RECORD", help="record to replay (default: excerpt)")
    command.add_argument("--scenario", metavar="FILE_OR_NAME", help=f"instead of a record: {SCENARIO_HELP}")
    command.add_argument(
        "--language", choices=("en", "ja"), default="en", help="with --scenario: of its texts (default: %(default)s)"
    )


def add_ward(commands: Commands, shared: Shared) -> None:
    """Add ``bedside ward``."""
    command = commands.add(
        "ward",
        "a whole ward to look at: broker, publisher and workers together",
        shared.data,
        shared.ward,
        more=", and a line per second on how they do. The same processes as 'bedside bench ward', which measures them",
    )
    command.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (default: at Ctrl-C)")


def add_broker(commands: Commands) -> None:
    """Add ``bedside broker``."""
    command = commands.add("broker", "a small MQTT broker for one machine")
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; there is no password: every client that reaches it can connect "
        "(default: %(default)s)",
    )
    command.add_argument("--port", type=int, default=1883, help="default: %(default)s")


def add_replay(commands: Commands, shared: Shared) -> None:
    """Add ``bedside replay``."""
    command = commands.add(
        "replay", "publish recorded ECG at 360 Hz", shared.broker, shared.data, shared.ledger, shared.metrics
    )
    command.add_argument("record", nargs="?", metavar="RECORD", help="record to replay as bed-1")
    command.add_argument(
        "--bed", action="append", default=[], metavar="NAME=RECORD", help="bed and its record; can be repeated"
    )
    command.add_argument("--scenario", metavar="FILE_OR_NAME", help=SCENARIO_HELP)
    command.add_argument(
        "--language", choices=("en", "ja"), default="en", help="with --scenario: of its texts (default: %(default)s)"
    )
    command.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="multiple of real time (default: 1; at most 7200)"
    )
    command.add_argument("--loop", action="store_true", help="restart at the first sample when the record ends")
    command.add_argument("--start", type=float, default=0.0, metavar="S", help="start S seconds into the record")
    command.add_argument("--chunk", type=int, default=36, metavar="N", help="samples per message (default: 36, 100 ms)")
    command.add_argument(
        "--annotations", action="store_true", help="also publish the reference annotations of the record"
    )
    command.add_argument(
        "--inject",
        action="append",
        default=[],
        metavar="'BED FIELD=VALUE …'",
        help="disturb a bed from the start, such as 'bed-1 kind=mains level=0.3'; can be repeated. Later: "
        "'bedside command BED inject …'",
    )
    command.add_argument(
        "--ward",
        type=int,
        metavar="N",
        help="N beds, icu-001 to icu-N, that loop through few records, each at its own place; logs the load once per "
        "second",
    )
    command.add_argument(
        "--from",
        dest="sources",
        metavar="NAMES",
        help="with --ward: records and databases on disk, such as mitdb,svdb/800 (default: four of mitdb); of a "
        "database 16 records at most",
    )
    command.add_argument("--prefix", metavar="TEXT", help="with --ward: begin of the beds' names (default: icu-)")
    command.add_argument("--seed", type=int, metavar="N", help="with --ward: seed of records and places (default: 1)")
    command.add_argument(
        "--leads", type=int, choices=(1, 2), help="with --ward: publish only so many leads (default: up to two)"
    )
    command.add_argument(
        "--detail",
        choices=("asked", "all"),
        help="with --ward N above 64: which beds are sent on their own topics: those that somebody asks for, beside "
        "the messages of the shards, or all, instead of these (default: asked)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="with --ward: write the totals to FILE at the end")


def add_worker(commands: Commands, shared: Shared) -> None:
    """Add ``bedside worker``."""
    command = commands.add(
        "worker",
        "forecast every bed on a broker and raise alarms",
        shared.broker,
        shared.weights,
        shared.settings,
        shared.ledger,
        shared.metrics,
    )
    command.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="folder for checkpoints of the beds, from which the next worker goes on; below it, one folder per broker "
        "(default: bedside/checkpoints in the user's state folder, $XDG_STATE_HOME or ~/.local/state on Linux)",
    )
    command.add_argument("--no-state", action="store_true", help="keep no checkpoints, and start all beds anew")
    command.add_argument(
        "--max-wait",
        type=float,
        metavar="S",
        help="longest wait of a chunk, in s; beds are left out when it is exceeded (default: 1)",
    )
    command.add_argument(
        "--workers",
        metavar="N",
        help="share the beds among N processes, or 'auto': one per processor core; one that dies is replaced. Each has "
        "its own ledger (FILE-0, FILE-1, …) and its own metrics (PORT, PORT + 1, …) (default: one process alone)",
    )
    command.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="share the beds among N actors of Ray, on all machines of the cluster at HOST:PORT, or without "
        "ADDRESS on this machine alone (default of N: one for each core but one)",
    )
    command.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def add_monitor(commands: Commands, shared: Shared) -> None:
    """Add ``bedside monitor``."""
    command = commands.add("monitor", "open the window: trace, forecast, alarms", shared.broker, shared.metrics)
    command.add_argument("--bed", metavar="NAME", help="bed to show (default: the first that streams)")
    command.add_argument("--station", action="store_true", help="open the central station: all beds")
    command.add_argument(
        "--who", default="monitor", metavar="NAME", help="user name in the commands that it sends (default: monitor)"
    )
    command.add_argument(
        "--quiz",
        action="store_true",
        help="hide what tells the rhythm, and ask for it; the answers are for 'bedside alarms --truth' and 'debrief'",
    )
    command.add_argument("--sound", action="store_true", help="play tones for beats and alarms; M mutes them")
    command.add_argument("--db", type=Path, metavar="FILE", help="alarm store, to review alarms from before it opened")
    command.add_argument("--screenshot", type=Path, metavar="FILE", help="save a PNG when it closes")
    command.add_argument("--seconds", type=float, metavar="N", help="close N seconds after the first drawn sample")


def add_instructor(commands: Commands, shared: Shared) -> None:
    """Add ``bedside instructor``."""
    command = commands.add(
        "instructor", "open the instructor's window: rhythms, disturbances, vital signs, scenario", shared.broker
    )
    command.add_argument(
        "--who", default="instructor", metavar="NAME", help="user name in the commands (default: %(default)s)"
    )
    command.add_argument("--screenshot", type=Path, metavar="FILE", help="save a PNG when it closes")
    command.add_argument("--seconds", type=float, metavar="N", help="close after N seconds")


def add_alarms(commands: Commands, shared: Shared) -> None:
    """Add ``bedside alarms``."""
    command = commands.add("alarms", "store every alarm event exactly once in SQLite", shared.broker, shared.metrics)
    command.add_argument("--db", type=Path, metavar="FILE", help="SQLite file; created if missing")
    command.add_argument("--jsonl", action="store_true", help="also print each event as a line of JSON")
    command.add_argument(
        "--truth",
        action="store_true",
        help="also store what was done to the beds, all commands and forecasts, for 'bedside debrief'; "
        "needs the rights of an instructor",
    )
    actions = command.add_subparsers(dest="action", metavar="[export]")
    action = add_subcommand(actions, "export", "write stored alarms as CSV, JSON lines or WFDB records")
    action.set_defaults(run="alarms export")
    action.add_argument("--db", type=Path, required=True, metavar="FILE", help="the alarm store")
    action.add_argument(
        "--format",
        choices=("csv", "jsonl", "wfdb"),
        required=True,
        help="wfdb: one record with the ECG around each alarm",
    )
    action.add_argument("--out", type=Path, required=True, metavar="PATH", help="new file; for wfdb a folder")
    action.add_argument("--bed", metavar="NAME", help="only alarms of this bed")
    action.add_argument(
        "--since", metavar="TIME", help="only alarms raised at or after this time, such as 2026-01-31T12:00:00Z"
    )


def add_tap(commands: Commands, shared: Shared) -> None:
    """Add ``bedside tap``."""
    command = commands.add("tap", "print decoded messages for scripts and plotting programs", shared.broker)
    command.add_argument("topic", nargs="?", metavar="TOPIC", help="MQTT topic filter (default: all topics)")
    command.add_argument(
        "--format", choices=("json", "csv"), default="json", help="csv: one kind of message, the ECG by default"
    )


def add_record(commands: Commands, shared: Shared) -> None:
    """Add ``bedside record``."""
    command = commands.add("record", "record live beds: ECG, waves, numerics, beats, alarms", shared.broker)
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the records, DIR/BED/TIME_NUMBER; existing ones stay, and further ones are added",
    )
    command.add_argument(
        "--bed", action="append", default=[], metavar="NAME", help="bed to record; can be repeated (default: all)"
    )
    command.add_argument(
        "--format",
        choices=("wfdb", "edf"),
        default="wfdb",
        help="edf: EDF+ files; each is WFDB until it is complete, so that nothing is lost (default: %(default)s)",
    )
    command.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (default: at Ctrl-C)")
    command.add_argument(
        "--rotate",
        type=float,
        default=3600.0,
        metavar="S",
        help="begin a new record after S seconds of signal, 10 to 86400 (default: %(default)g)",
    )
    command.add_argument(
        "--short-records",
        type=int,
        default=360,
        metavar="N",
        help="begin at most N records of less than 10 s of signal for each bed in an hour (default: %(default)g)",
    )
    command.add_argument(
        "--min-free",
        type=float,
        default=1.0,
        metavar="GB",
        help="end before the disk of DIR has less free than this (default: %(default)g)",
    )


def add_command(commands: Commands, shared: Shared) -> None:
    """Add ``bedside command``."""
    command = commands.add(
        "command", "send a command to a bed and wait until it is executed, for scripts and teachers", shared.broker
    )
    command.epilog = (
        "Actions and their fields: docs/topics.md. Examples: 'inject kind=mains level=0.3 seconds=30', "
        "'stop_injection injection_id=mains', 'set_playing playing=false'. An injection without an injection_id has "
        "its kind as id."
    )
    command.add_argument("bed", metavar="BED", help="such as bed-1")
    command.add_argument("action", metavar="ACTION", help="such as inject")
    command.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="lists and maps as JSON")
    command.add_argument(
        "--who", default="command", metavar="NAME", help="user name in the command (default: %(default)s)"
    )


def add_score(commands: Commands, shared: Shared) -> None:
    """Add ``bedside score``."""
    command = commands.add(
        "score",
        "score the worker while it works: beats, rhythms and alarms against a reference",
        shared.broker,
        more=", that of 'replay --annotations' or of a synthetic patient, as 'evaluate --alarms' does with whole "
        "records. It ends with the record",
    )
    command.add_argument("--bed", metavar="NAME", help="score this bed (default: all that have a reference)")
    command.add_argument(
        "--seconds",
        type=float,
        default=float("inf"),
        metavar="N",
        help="stop after N seconds (default: with the record)",
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="a line of JSON per bed and report instead of the table; the last one is complete",
    )


def add_check(commands: Commands, shared: Shared) -> None:
    """Add ``bedside check``."""
    command = commands.add(
        "check",
        "listen to a broker and say for each topic whether its messages keep the rules",
        shared.broker,
        more=" of docs/topics.md. Exit status: 0 if they do, 1 if not, or if nothing is sent; 2 if the broker cannot "
        "be reached",
    )
    command.add_argument(
        "--seconds", type=float, default=30.0, metavar="N", help="listen for N seconds (default: %(default)g)"
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON")
