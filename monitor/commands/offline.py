"""The commands that work on recordings without a broker: analyze, train, evaluate."""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from monitor.commands.shared import catalog, check_json, log, write_json
from stream.errors import RecordError, UsageError

if TYPE_CHECKING:
    from stream.records.catalog import Catalog
    from stream.records.record import Record

TOGETHER: Final = 70_000_000
"""Samples of all leads that are analysed together, 140 MB: 50 half-hour records of two leads."""

MAX_RECORDS: Final = 64
"""Records that are analysed together: each has files open."""


def analyze(args: argparse.Namespace) -> int:
    """Run the live analysis on records, as many together as fit into memory."""
    where = catalog(args)
    of_databases = {name: where.database(name) for name in dict.fromkeys(args.records)}
    names = [record for name, found in of_databases.items() for record in found or [name]]
    folders = _output_folders(args.out, names)
    log.info("loading %s and the models", names[0] if len(names) == 1 else f"{len(names)} records")

    from model.serving.offline import analyze_all
    from model.serving.warm_up import compiled_models

    models, summaries = None, []
    for batch in _batches(folders, where, of_databases):
        models = models or compiled_models(args.weights, args.alarms)
        for summary in analyze_all(batch, models):
            summaries.append(summary)
            print(summary, flush=True)
    if not summaries:
        raise RecordError(f"{', '.join(args.records)} has no record with ECG: choose another one")
    seconds, elapsed_s = sum(one.seconds for one in summaries), sum(one.elapsed_s for one in summaries)
    print(f"{len(summaries)} of {len(names)} records: {seconds / elapsed_s:.0f} × real time")
    return 0


def _batches(folders: Mapping[str, Path], where: Catalog, named: Container[str]) -> Iterator[dict[Path, Record]]:
    """Load records, and yield as many as are analysed together, each with its folder.

    One that cannot be read is left out, but for those that are named.
    """
    from stream.records.wfdb_reader import load
    from stream.timebase import FS

    batch: dict[Path, Record] = {}
    for number, (name, folder) in enumerate(folders.items(), 1):
        try:
            record = load(name, where)
        except RecordError as error:
            if name in named:
                raise
            log.warning("left out: %s", error)  # a database may hold numerics, too
            continue
        samples = sum(one.adu.size for one in (*batch.values(), record))
        if batch and (samples > TOGETHER or len(batch) == MAX_RECORDS):
            yield batch
            batch = {}
        log.info("analyzing %.1f s of %s (%d of %d)", record.n / FS, record.name, number, len(folders))
        batch[folder] = record
    if batch:
        yield batch


def _output_folders(out: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return the output folder of each record: ``out`` itself for one record; for several, one below it for each.

    Raises
    ------
    UsageError
        Two records would have the same folder.
    """
    if len(names) == 1:
        return {names[0]: out}
    folders: dict[str, Path] = {}
    for name in names:
        path = Path(name.removesuffix(".hea").removesuffix(".dat"))
        folder = out / (path.name if path.is_absolute() or ".." in path.parts else path)
        if folder in folders.values():
            raise UsageError(f"{name}: another record would also be written to {folder}; analyze it with another --out")
        folders[name] = folder
    return folders


def train(args: argparse.Namespace) -> int:
    """Train one of the networks or classifiers."""
    if args.weights and args.what != "first-samples":
        raise UsageError(f"--weights {args.weights}: only --what first-samples starts from weights")
    if args.what == "trends":
        return _train_trends(args)
    if args.database or args.json:
        raise UsageError("--database and --json belong to --what trends: leave them out")
    records = catalog(args)
    data = "DS1 of MIT-BIH and svdb" if args.what == "beats" else "DS1 of MIT-BIH"
    log.info("training %s on %s; weights to %s", args.what, data, args.out)

    if args.what == "beats":
        from model.training.beat_sequences import SequenceConfig
        from model.training.train_beat_classifier import EnsembleConfig, print_scores, train_beats

        config, atrial = SequenceConfig(), EnsembleConfig()
        if args.seed is not None:
            config, atrial = replace(config, seed=args.seed), replace(atrial, seed=args.seed)
        print_scores(train_beats(config, atrial, records, args.out))
        return 0
    if args.what == "residual":
        from model.training import train_anomaly_classifier

        scores = train_anomaly_classifier.train_residual(records, args.out, args.seed)
        train_anomaly_classifier.print_scores(scores)
        return 0
    from model.forecast.config import NetworkConfig
    from model.training.config import TrainConfig
    from model.training.train_forecaster import train as train_forecaster
    from model.training.train_forecaster import train_first_samples

    if args.what == "first-samples":
        print(train_first_samples(args.weights, records, args.out))
        return 0
    given, network = (
        {name: getattr(args, name) for name in names if getattr(args, name) is not None}
        for names in (("seed", "minutes", "threads"), ("hidden", "layers"))
    )
    print(train_forecaster(TrainConfig(**given), records, args.out, args.resume, NetworkConfig(**network)))
    return 0


def _train_trends(args: argparse.Namespace) -> int:
    check_json(args.json)
    database = _hourly_folder(args.database or "challenge2019", args)
    log.info("training the forecast of vitals hours ahead on %s; weights to %s", database, args.out)

    from model.evaluation.trend_tables import print_trends
    from model.training.train_trends import train_trends

    report = train_trends(database, args.out, args.seed)
    print_trends(report)
    return write_json(report, args.json)


def _hourly_folder(name: str, args: argparse.Namespace) -> Path:
    """Return a folder or archive of hourly numerics: a path, or a name in ``--data-dir``."""
    local = catalog(args).data_dir
    return Path(name) if local is None or Path(name).exists() else local / name


def evaluate(args: argparse.Namespace) -> int:
    """Score forecasts and anomaly alarms, or all alarms, or the lecture's model."""
    check_json(args.json)
    if args.tutorial:
        return _evaluate_tutorial(args)
    if args.plot is not None:
        raise UsageError("--plot belongs to --tutorial: use --plots DIR for the pictures of an evaluation")
    if args.trends:
        return _evaluate_trends(args)
    if args.entries:
        return _evaluate_entries(args)
    if args.database is not None:
        return _evaluate_database(args)
    if args.vitals:
        raise UsageError("--vitals belongs to --database: name a folder of WFDB records, such as bidmc")
    if args.leads is not None:
        raise UsageError(f"--leads {args.leads} belongs to --database: name a folder of WFDB records")
    if args.alarms:
        return _evaluate_alarms(args)
    return _evaluate_forecasts(args)


def _evaluate_forecasts(args: argparse.Namespace) -> int:
    names = args.records or "DS2"
    where = catalog(args)
    log.info("scoring forecasts and anomaly alarms of %s; loading the models", names)

    from model.datasets.mitdb import parse_records
    from model.evaluation.evaluation import evaluate as evaluate_records
    from model.evaluation.evaluation import print_evaluation
    from model.evaluation.plots import draw, prepare
    from model.forecast.forecaster import load_forecaster

    records = parse_records(names)
    excluded = parse_records(args.exclude) if args.exclude else ()
    if args.plots is not None:
        prepare(args.plots)
    forecaster = load_forecaster(args.weights)
    evaluation = evaluate_records(records, forecaster=forecaster, exclude=excluded, catalog=where)
    print_evaluation(evaluation)
    status = write_json(evaluation.to_dict(), args.json)
    if args.plots is not None:
        for path in draw(evaluation, args.plots):
            print(path)
    return status


def _evaluate_alarms(args: argparse.Namespace) -> int:
    records = catalog(args)
    log.info("scoring the alarms of all 44 records; loading the models")

    from model.datasets.mitdb import DS1, DS2
    from model.evaluation.alarm_scores import evaluate_alarms
    from model.evaluation.alarm_tables import print_alarms
    from model.evaluation.monitor_output import monitor_of
    from model.serving.warm_up import compiled_models

    report = evaluate_alarms([*DS1, *DS2], monitor_of(compiled_models(args.weights)), records)
    print_alarms(report)
    return write_json(report.to_dict(), args.json)


def _evaluate_database(args: argparse.Namespace) -> int:
    if args.plots is not None:
        raise UsageError(f"--plots {args.plots} belongs to an evaluation without --database: leave one of them out")
    where = catalog(args)
    if args.alarms and args.vitals:
        raise UsageError("--alarms and --vitals are two evaluations: choose one of them")
    subject = "vital signs" if args.vitals else "alarms" if args.alarms else "forecasts and anomaly alarms"
    log.info("scoring the %s of %s; loading the models", subject, args.database)

    from model.datasets.mitdb import without
    from model.evaluation.database import find_database
    from model.serving.warm_up import compiled_models

    database = find_database(args.database, where)
    names = without(database.chosen(args.records), database.chosen(args.exclude) if args.exclude else ())
    models = compiled_models(args.weights)
    if args.vitals:
        from model.evaluation.vitals_scores import evaluate_vitals, print_vitals

        agreement = evaluate_vitals(database, names, models)
        print_vitals(agreement)
        return write_json(agreement.to_dict(), args.json)
    if args.alarms:
        from model.evaluation.database_alarms import evaluate_database
        from model.evaluation.database_tables import print_database
        from model.evaluation.monitor_output import monitor_of

        report = evaluate_database(database, names, monitor_of(models), args.leads)
        print_database(report)
        return write_json(report.to_dict(), args.json)

    from model.evaluation.database_forecast_report import print_database_forecasts
    from model.evaluation.database_forecasts import evaluate_forecasts

    scores = evaluate_forecasts(database, names, models, leads=args.leads, catalog=where)
    print_database_forecasts(scores)
    return write_json(scores.to_dict(), args.json)


def _evaluate_trends(args: argparse.Namespace) -> int:
    if args.database is None:
        raise UsageError("--trends needs --database: name a folder or an archive of .psv files, such as challenge2019")
    database = _hourly_folder(args.database, args)
    log.info("scoring the forecast of vitals hours ahead on %s; reading the patients", database)

    from model.console.progress import track
    from model.evaluation.trend_courses import patient_of
    from model.evaluation.trend_scores import score
    from model.evaluation.trend_tables import print_trends
    from model.trends.forecaster import TrendForecaster
    from stream.records.challenge2019 import read_patients

    forecaster = TrendForecaster.load(args.weights)
    skipped: list[RecordError] = []
    patients = [patient_of(record) for record in read_patients(database, skipped.append)]
    for error in skipped:
        log.warning("left out: %s", error)
    if not patients:
        raise RecordError(f"{database}: none of {len(skipped)} files can be read")
    report = score(forecaster, patients, lambda groups: track(groups, "scoring")).to_dict()
    report |= {"skipped": len(skipped), "trained_on": forecaster.weights.provenance.get("database")}
    print_trends(report)
    return write_json(report, args.json)


def _evaluate_entries(args: argparse.Namespace) -> int:
    where = catalog(args)
    log.info("counting the entries of alarm lists; loading the models")

    from model.evaluation.alarm_list_entries import ORDINARY_WARD, print_list_entries, score_list_entries, to_dict
    from model.serving.warm_up import compiled_models

    names = ORDINARY_WARD if args.records is None else tuple(filter(None, map(str.strip, args.records.split(","))))
    if not names:
        raise UsageError(f"--records {args.records!r} names no record: write mitdb/100,svdb/800")
    scores = score_list_entries(names, compiled_models(args.weights), where)
    print_list_entries(scores)
    return write_json(to_dict(scores), args.json)


def _evaluate_tutorial(args: argparse.Namespace) -> int:
    records = catalog(args)
    log.info("training and scoring the lecture's model on its own five seconds")

    from model.tutorial.tutorial import print_tutorial, tutorial

    report = tutorial(records)
    print_tutorial(report)
    if args.plot is not None:
        from model.tutorial.plot import draw

        draw(report, args.plot)
        log.info("plot written to %s", args.plot)
    return write_json(report.to_dict(), args.json)
