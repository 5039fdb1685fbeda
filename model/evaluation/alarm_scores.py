"""Beats, rhythm and alarms of MIT-BIH against the annotations: ``bedside evaluate --alarms``.

The arrhythmia analysis over whole records, causally; definitions as in `model.evaluation.database_alarms`. The records
of the Challenge 2015 and of vfdb are scored as well if the local data folder contains them. Summaries are in
`model.evaluation.alarm_report`.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.datasets.annotated_signal import annotations_of
from model.evaluation.alarm_report import AlarmReport
from model.evaluation.database import find_database
from model.evaluation.database_alarms import evaluate_database
from model.evaluation.monitor_output import Monitor
from model.evaluation.record_scores import Scores, score_record
from model.evaluation.truth import truth_of
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load


def evaluate_alarms(names: Sequence[str], monitor: Monitor, catalog: Catalog | None = None) -> AlarmReport:
    """Run the monitor over all records and score it, with progress on standard error.

    Parameters
    ----------
    names : sequence of str
        Records of MIT-BIH, such as ``100``.
    monitor : callable
        As `model.evaluation.monitor_output.monitor_of` returns it.
    catalog : Catalog, optional

    Raises
    ------
    RecordError
        A record of MIT-BIH cannot be found or has no annotations.
    """
    catalog = catalog or Catalog.from_environment()
    records = {name: load(f"mitdb/{name}", catalog) for name in names}
    for record in records.values():
        annotations_of(record)
    outputs = monitor(list(records.values()))
    scores = {
        name: score_record(name, truth_of(record), output)
        for (name, record), output in zip(records.items(), outputs, strict=True)
    }
    return AlarmReport(
        scores, _if_present("challenge2015", monitor, catalog).challenge, _if_present("vfdb", monitor, catalog).by_time
    )


def _if_present(name: str, monitor: Monitor, catalog: Catalog) -> Scores:
    """Return the scores of all records of a database in the local folder; empty ones if it is not there."""
    if catalog.data_dir is None or not (catalog.data_dir / name).is_dir():
        return Scores()
    database = find_database(name, catalog)
    return evaluate_database(database, database.records, monitor).total
