"""Beats, rhythm and alarms of any database against its annotations: ``bedside evaluate --alarms --database``.

What is compared depends on the style of each record's annotations (`model.evaluation.truth`):

- *Beats* (`model.evaluation.ec57_beats`), types only where they are annotated.
- *Rhythms* by time (`model.evaluation.rhythm_time`), by episode (`model.evaluation.episodes`) and in windows of 10 s
  (`model.evaluation.windows`).
- *False high-priority alarms* (`model.evaluation.false_alarms`).
- *Alarms of an ICU monitor*, confirmed or rejected (`model.evaluation.challenge2015`), where the list ``ALARMS`` of the
  folder or the header of a record says whether they were true.

A record that cannot be read is skipped with its reason. A record without annotations still contributes its alarms and
its share of atrial fibrillation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from model.console.progress import skip
from model.evaluation.database import Database, Example
from model.evaluation.database_report import DatabaseReport, RecordResult
from model.evaluation.monitor_output import Monitor
from model.evaluation.record_scores import score_record
from stream.errors import RecordError
from stream.timebase import FS

TOGETHER: Final = 70_000_000
"""Samples of all leads that are analysed together, 140 MB: 50 half-hour records of two leads."""


def evaluate_database(
    database: Database, names: Sequence[str], monitor: Monitor, leads: int | None = None
) -> DatabaseReport:
    """Run the monitor over records of a database and score it, with progress on standard error.

    Parameters
    ----------
    database : Database
    names : sequence of str
        As `Database.chosen` returns them.
    monitor : callable
        As `model.evaluation.monitor_output.monitor_of` returns it.
    leads : int, optional
        Analyse only the first leads.
    """
    records: dict[str, RecordResult] = {}
    skipped: dict[str, str] = {}
    for batch in _batches(database, names, leads, skipped):
        outputs = monitor([example.record for example in batch.values()])
        for (name, example), output in zip(batch.items(), outputs, strict=True):
            truth = example.truth
            scores = score_record(name, truth, output, example.alarm)
            records[name] = RecordResult(truth.style, example.record.leads, truth.scored_from / FS, scores)
    return DatabaseReport(database.name, records, skipped)


def _batches(
    database: Database, names: Sequence[str], leads: int | None, skipped: dict[str, str]
) -> Iterator[dict[str, Example]]:
    """Read as many records at once as fit into memory; add those that cannot be read to ``skipped``."""
    batch: dict[str, Example] = {}
    size = 0
    for name in names:
        try:
            example = database.example(name, leads)
        except RecordError as error:
            skip(skipped, name, error)
            continue
        if batch and size + example.record.adu.size > TOGETHER:
            yield batch
            batch, size = {}, 0
        batch[name] = example
        size += example.record.adu.size
    if batch:
        yield batch
