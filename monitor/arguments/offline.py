"""Commands that need no broker: records, stores, models and measurements; and their options."""

from __future__ import annotations

from pathlib import Path

from monitor.arguments.shared import Commands, Shared, add_subcommand


def add_debrief(commands: Commands) -> None:
    """Add ``bedside debrief``."""
    command = commands.add("debrief", "write what happened, what alarmed and who did what, from the log of a class")
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


def add_analyze(commands: Commands, shared: Shared) -> None:
    """Add ``bedside analyze``."""
    command = commands.add(
        "analyze",
        "compute forecast, beats, vital signs and alarms of records offline",
        shared.data,
        shared.weights,
        shared.settings,
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


def add_train(commands: Commands, shared: Shared) -> None:
    """Add ``bedside train``."""
    command = commands.add("train", "train the networks on DS1 of MIT-BIH", shared.data)
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


def add_evaluate(commands: Commands, shared: Shared) -> None:
    """Add ``bedside evaluate``."""
    command = commands.add(
        "evaluate", "score forecasts and anomaly alarms against baselines", shared.data, shared.weights
    )
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


def add_data(commands: Commands, shared: Shared) -> None:
    """Add ``bedside data``."""
    command = commands.add("data", "recordings, episodes of arrhythmia, scenarios: list or download them")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = add_subcommand(actions, "list", "list known records and their locations", parents=[shared.data])
    action.set_defaults(run="data list")
    action = add_subcommand(actions, "scenarios", "list the scenarios of this package")
    action.add_argument("--language", choices=("en", "ja"), default="en", help="default: %(default)s")
    action.set_defaults(run="data scenarios")
    action = add_subcommand(actions, "fetch", "download records into the cache", parents=[shared.data])
    action.add_argument(
        "names",
        nargs="+",
        metavar="RECORD",
        help="mitdb or bidmc (all of it), mitdb/208, challenge2019/p000009, excerpt",
    )
    action.set_defaults(run="data fetch")
    action = add_subcommand(
        actions, "episodes", "list episodes of arrhythmia and where they are", parents=[shared.data]
    )
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


def add_bench(commands: Commands, shared: Shared) -> None:
    """Add ``bedside bench``."""
    command = commands.add("bench", "measure timings on this machine: stream, ward, model, gui")
    subjects = command.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    subject = add_subcommand(
        subjects, "stream", "deadlines and latency, compared with a naive loop", parents=[shared.data]
    )
    subject.set_defaults(run="bench stream")
    subject.add_argument("--minutes", type=float, default=10.0, metavar="N", help="default: %(default)g")
    subject.add_argument("--record", default="excerpt", metavar="RECORD", help="default: %(default)s")
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    subject = add_subcommand(
        subjects,
        "ward",
        "many beds: latency, gaps, processor time and memory of publisher, broker and worker",
        parents=[shared.data, shared.ward],
    )
    subject.set_defaults(run="bench ward")
    subject.add_argument(
        "--seconds", type=float, default=60.0, metavar="N", help="measure for N seconds (default: %(default)g)"
    )
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    subject = add_subcommand(
        subjects,
        "gui",
        "frame times of central station and page, compared with redrawing every curve",
        parents=[shared.data],
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
    subject = add_subcommand(
        subjects,
        "model",
        "the streaming step, compared with a matrix product on this processor",
        parents=[shared.weights],
    )
    subject.set_defaults(run="bench model")
    subject.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
