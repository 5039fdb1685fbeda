"""Commands of ``bedside`` and their options. This module imports nothing that a command needs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

SCENARIO_HELP = "patients and what happens to them: a file, or a name that 'bedside data scenarios' prints"


def _add(parsers: Any, name: str, text: str, **more: Any) -> argparse.ArgumentParser:
    """Add a subcommand whose help begins with what the list of subcommands says."""
    parser: argparse.ArgumentParser = parsers.add_parser(name, help=text, description=text, **more)
    return parser


def parser() -> argparse.ArgumentParser:
    """Return the argument parser; ``run`` in its result is the key of the command in `monitor.cli.RUN`."""
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
        help="mqtt://user@host:port, mqtts:// for TLS (default: $BEDSIDE_BROKER, else mqtt://127.0.0.1:1883)",
    )
    broker.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="file that contains the password of the user in URL (default: $BEDSIDE_PASSWORD_FILE, or the password "
        "itself in $BEDSIDE_PASSWORD)",
    )
    broker.add_argument(
        "--ca",
        type=Path,
        metavar="FILE",
        help="certificate of the authority that signed the broker's (default: $BEDSIDE_CA, else the system's "
        "authorities). These four may also stand in the URL: mqtts://host?ca=FILE&cert=FILE&key=FILE",
    )
    broker.add_argument(
        "--cert", type=Path, metavar="FILE", help="certificate of this client, for mqtts:// (default: $BEDSIDE_CERT)"
    )
    broker.add_argument(
        "--key", type=Path, metavar="FILE", help="its private key (default: $BEDSIDE_KEY, else in the file of --cert)"
    )
    metrics = argparse.ArgumentParser(add_help=False)
    metrics.add_argument(
        "--metrics",
        type=int,
        metavar="PORT",
        help="serve Prometheus metrics at http://127.0.0.1:PORT/metrics (default: off)",
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

    ward = argparse.ArgumentParser(add_help=False)
    ward.add_argument("--beds", type=int, default=64, metavar="N", help="1 to 4096 (default: %(default)s)")
    ward.add_argument("--leads", type=int, choices=(1, 2), default=2, help="default: %(default)s")
    ward.add_argument(
        "--workers",
        metavar="N",
        help="share the beds among N worker processes, or 'auto': one per processor core (default: one process alone)",
    )
    ward.add_argument(
        "--from", dest="sources", metavar="NAMES", help="records and databases on disk (default: four of mitdb)"
    )

    def add(name: str, text: str, *parents: argparse.ArgumentParser, more: str = "") -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=f"{text}{more}", parents=parents)
        command.set_defaults(run=name)
        return command

    demo = add("demo", "broker, replay, forecaster, alarms and monitor together, on real ECG", data)
    demo.add_argument("--headless", action="store_true", help="a live table instead of the window")
    demo.add_argument(
        "--seconds",
        type=float,
        metavar="N",
        help="stop after N seconds (default: at Ctrl-C or window close)",
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="output folder for summary.json, alarms.sqlite, monitor.png; existing ones are replaced (default: out)",
    )
    demo.add_argument("--record", metavar="RECORD", help="record to replay (default: excerpt)")
    demo.add_argument("--scenario", metavar="FILE_OR_NAME", help=f"instead of a record: {SCENARIO_HELP}")
    demo.add_argument(
        "--language", choices=("en", "ja"), default="en", help="with --scenario: of its texts (default: %(default)s)"
    )

    command = add(
        "ward",
        "a whole ward to look at: broker, publisher and workers together",
        data,
        ward,
        more=", and a line per second on how they do. The same processes as 'bedside bench ward', which measures them",
    )
    command.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (default: at Ctrl-C)")

    command = add("broker", "a small MQTT broker for one machine")
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; there is no password: every client that reaches it can connect "
        "(default: %(default)s)",
    )
    command.add_argument("--port", type=int, default=1883, help="default: %(default)s")

    command = add("replay", "publish recorded ECG at 360 Hz", broker, data, ledger, metrics)
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
        help="disturb a bed from the begin, such as 'bed-1 kind=mains level=0.3'; can be repeated. Later: "
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

    command = add(
        "worker", "forecast every bed on a broker and raise alarms", broker, weights, settings, ledger, metrics
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

    command = add("monitor", "open the window: trace, forecast, alarms", broker, metrics)
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

    command = add("instructor", "open the instructor's window: rhythms, disturbances, vital signs, scenario", broker)
    command.add_argument(
        "--who", default="instructor", metavar="NAME", help="user name in the commands (default: %(default)s)"
    )
    command.add_argument("--screenshot", type=Path, metavar="FILE", help="save a PNG when it closes")
    command.add_argument("--seconds", type=float, metavar="N", help="close after N seconds")

    command = add("alarms", "store every alarm event exactly once in SQLite", broker, metrics)
    command.add_argument("--db", type=Path, metavar="FILE", help="SQLite file; created if missing")
    command.add_argument("--jsonl", action="store_true", help="also print each event as a line of JSON")
    command.add_argument(
        "--truth",
        action="store_true",
        help="also store what was done to the beds, all commands and forecasts, for 'bedside debrief'; "
        "needs the rights of an instructor",
    )
    actions = command.add_subparsers(dest="action", metavar="[export]")
    action = _add(actions, "export", "write stored alarms as CSV, JSON lines or WFDB records")
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

    command = add("debrief", "write what happened, what alarmed and who did what, from the log of a class")
    command.add_argument(
        "--db", type=Path, required=True, metavar="FILE", help="the alarm store of 'bedside alarms --truth'"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="page to write: FILE.html or FILE.pdf")
    command.add_argument("--language", choices=("en", "ja"), default="en", help="default: %(default)s")
    command.add_argument("--bed", metavar="NAME", help="only this bed")
    command.add_argument(
        "--since",
        metavar="TIME",
        help="sessions with something at or after this time, such as 2026-01-31T12:00:00Z (default: the latest class, "
        "sessions that ended within 6 hours)",
    )
    command.add_argument("--last", type=int, metavar="N", help="only the last N sessions")

    command = add("tap", "print decoded messages for scripts and plotting programs", broker)
    command.add_argument("topic", nargs="?", metavar="TOPIC", help="MQTT topic filter (default: all topics)")
    command.add_argument(
        "--format", choices=("json", "csv"), default="json", help="csv: one kind of message, the ECG by default"
    )

    command = add("record", "record live beds: ECG, waves, numerics, beats, alarms", broker)
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

    command = add("command", "send a command to a bed and wait until it is executed, for scripts and teachers", broker)
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

    command = add(
        "score",
        "score the worker while it works: beats, rhythms and alarms against a reference",
        broker,
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

    command = add(
        "check",
        "listen to a broker and say for each topic whether its messages keep the rules",
        broker,
        more=" of docs/topics.md. Exit status: 0 if they do, 1 if not, or if nothing is sent; 2 if the broker cannot "
        "be reached",
    )
    command.add_argument(
        "--seconds", type=float, default=30.0, metavar="N", help="listen for N seconds (default: %(default)g)"
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON")

    command = add(
        "analyze", "compute forecast, beats, vital signs and alarms of records offline", data, weights, settings
    )
    command.add_argument(
        "records",
        nargs="+",
        metavar="RECORD",
        help="mitdb/208, excerpt, synthetic, a path, or a database on disk such as svdb: all its records",
    )
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for forecast.npz, alarms.jsonl, beats.atr, vitals.csv and, with waves, derived.csv; of several "
        "records, each has one below it, such as DIR/mitdb/208",
    )

    command = add("train", "train the networks on DS1 of MIT-BIH", data)
    command.add_argument(
        "--what",
        choices=("forecaster", "first-samples", "beats", "residual", "trends"),
        default="forecaster",
        help="the forecaster (default), only its last stage, the beat classifier (10 minutes, also on svdb), the "
        "anomaly classifier (15 minutes), or the forecast of vitals hours ahead (30 minutes, on challenge2019)",
    )
    command.add_argument(
        "--database", metavar="FOLDER", help="for trends: folder or archive of .psv files (default: challenge2019)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="for trends: also write the scores to FILE")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="weights file to write, safetensors")
    command.add_argument(
        "--seed", type=int, metavar="N", help="seed of the random numbers (default: that of the shipped weights)"
    )
    command.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="for first-samples: weights to start from (default: those in the package)",
    )
    command.add_argument("--hidden", type=int, metavar="N", help="units of a layer of the LSTM (default: 160)")
    command.add_argument("--layers", type=int, metavar="N", help="layers of the LSTM (default: 2)")
    command.add_argument("--minutes", type=float, metavar="N", help="stop after N minutes at the latest")
    command.add_argument("--threads", type=int, metavar="N", help="number of torch threads")
    command.add_argument("--resume", action="store_true", help="continue an interrupted run")

    command = add("evaluate", "score forecasts and anomaly alarms against baselines", data, weights)
    command.add_argument(
        "--records",
        metavar="NAMES",
        help="DS1, DS2, or 100,103 (default: DS2; with --database all records of the folder)",
    )
    command.add_argument("--exclude", metavar="NAMES", help="records to exclude, such as 202")
    command.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    command.add_argument("--plots", type=Path, metavar="DIR", help="write five plots to DIR (PNG), not with --database")
    command.add_argument(
        "--alarms",
        action="store_true",
        help="score beats, rhythm and alarms of all 44 records instead",
    )
    command.add_argument(
        "--vitals",
        action="store_true",
        help="with --database: score pulse and respiration rates, measured from waves, against stored rates and marked "
        "breaths instead",
    )
    command.add_argument(
        "--trends",
        action="store_true",
        help="with --database: score the forecast of vitals hours ahead on a folder or archive of .psv files instead",
    )
    command.add_argument(
        "--entries",
        action="store_true",
        help="count the entries of the alarm list instead: ten beds, or those of --records mitdb/100,svdb/800",
    )
    command.add_argument(
        "--database",
        metavar="FOLDER",
        help="score any folder of WFDB records, in --data-dir or a path (vfdb, svdb, cudb, …): forecasts and anomaly "
        "alarms, these where beats have types; with --alarms beats, rhythm and alarms",
    )
    command.add_argument(
        "--leads", type=int, choices=(1, 2), help="with --database: analyze only so many leads (default: up to two)"
    )
    command.add_argument(
        "--tutorial", action="store_true", help="evaluate the lecture's model on its own five seconds instead"
    )
    command.add_argument(
        "--plot", type=Path, metavar="FILE", help="with --tutorial: plot observed and predicted samples (PNG, PDF, …)"
    )

    command = add("data", "recordings, episodes of arrhythmia, scenarios: list or download them")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = _add(actions, "list", "list known records and their locations", parents=[data])
    action.set_defaults(run="data list")
    action = _add(actions, "scenarios", "list the scenarios of this package")
    action.add_argument("--language", choices=("en", "ja"), default="en", help="default: %(default)s")
    action.set_defaults(run="data scenarios")
    action = _add(actions, "fetch", "download records into the cache", parents=[data])
    action.add_argument(
        "names",
        nargs="+",
        metavar="RECORD",
        help="mitdb or bidmc (all of it), mitdb/208, challenge2019/p000009, excerpt",
    )
    action.set_defaults(run="data fetch")
    action = _add(actions, "episodes", "list episodes of arrhythmia and where they are", parents=[data])
    action.add_argument("--rhythm", metavar="CODE", help="only those of one rhythm, such as VT, VF, AFIB, ASYS, BRADY")
    action.add_argument("--min-s", type=float, default=0.0, metavar="S", help="only those that last so long")
    action.add_argument(
        "--database",
        metavar="NAMES",
        help="read the annotations of these databases or folders, instead of the table in the package",
    )
    form = action.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of a table")
    form.add_argument("--csv", action="store_true", help="print CSV, as in the package: stream/records/episodes.csv")
    action.set_defaults(run="data episodes")

    command = add("bench", "measure timings on this machine: stream, ward, model, gui")
    subjects = command.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    subject = _add(subjects, "stream", "deadlines and latency, compared with a naive loop", parents=[data])
    subject.set_defaults(run="bench stream")
    subject.add_argument("--minutes", type=float, default=10.0, metavar="N", help="default: %(default)g")
    subject.add_argument("--record", default="excerpt", metavar="RECORD", help="default: %(default)s")
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    subject = _add(
        subjects,
        "ward",
        "many beds: latency, gaps, processor time and memory of publisher, broker and worker",
        parents=[data, ward],
    )
    subject.set_defaults(run="bench ward")
    subject.add_argument(
        "--seconds", type=float, default=60.0, metavar="N", help="measure for N seconds (default: %(default)g)"
    )
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    subject = _add(
        subjects, "gui", "frame times of central station and page, compared with redrawing every curve", parents=[data]
    )
    subject.set_defaults(run="bench gui")
    subject.add_argument(
        "--seconds", type=float, default=30.0, metavar="N", help="seconds of signal (default: %(default)g)"
    )
    subject.add_argument(
        "--memory-minutes",
        type=float,
        default=60.0,
        metavar="N",
        help="also measure memory over N minutes of signal, faster than real time; 0: off (default: %(default)g)",
    )
    subject.add_argument("--record", default="synthetic", metavar="RECORD", help="default: %(default)s")
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    subject = _add(
        subjects, "model", "the streaming step, compared with a matrix product on this processor", parents=[weights]
    )
    subject.set_defaults(run="bench model")
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    return top
