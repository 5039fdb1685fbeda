"""An event as files: a table of its samples, or a WFDB record. What WFDB is, this module does not know. No Qt."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from monitor.view.event_review import Review
from monitor.view.event_summary import explain
from monitor.view.phrases import english
from stream.errors import StorageError
from stream.timebase import FS
from stream.wire.messages import INVALID

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter


def file_stem(review: Review) -> str:
    """Return a name for the files of an event, of letters, digits and ``_`` alone, as WFDB wants it."""
    alarm = review.alarm
    return re.sub(r"[^A-Za-z0-9]", "_", f"{alarm.bed}_{alarm.kind}_{alarm.onset}")


def table(review: Review) -> str:
    """Return CSV: one row per sample that can have come.

    Columns: sample index of the session; seconds from the onset; for each lead the mV observed and the mV forecast at
    least 100 ms before; the score. Empty where unknown.
    """
    header = ["sample", "time_s"]
    for lead in review.leads:
        header += [f"{lead}_mv", f"{lead}_forecast_mv"]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*header, "score"])
    count = review.end - review.first
    for row in range(count):
        sample = review.first + row
        cells: list[object] = [sample, f"{(sample - review.alarm.onset) / FS:.4f}"]
        for mv, ghost in zip(review.mv[row].tolist(), review.ghost[row].tolist(), strict=True):
            cells += [_number(mv), _number(ghost)]
        rows.writerow([*cells, _number(float(review.score[row]))])
    return text.getvalue()


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.5g}"


def counts(review: Review) -> npt.NDArray[np.int16]:
    """Return the samples as they were sent, in adu, shape (n, leads); −32768 where there is none."""
    mv = review.mv[: review.end - review.first].astype(np.float64)
    adu = np.rint(mv * np.asarray(review.gain) + np.asarray(review.zero))
    valid = np.isfinite(adu) & (np.abs(adu) <= 32767)
    return np.where(valid, adu, INVALID).astype(np.int16)


def write_wfdb(review: Review, header: Path, write_record: RecordWriter) -> None:
    """Write the record whose header has this path.

    Raises
    ------
    StorageError
        Its name cannot be one of WFDB, a file of it exists, or it cannot be written.
    """
    stem = header.with_suffix("") if header.suffix == ".hea" else header
    if not re.fullmatch(r"[A-Za-z0-9_]+", stem.name):
        raise StorageError(f"{stem.name} cannot name a WFDB record: letters, digits and _ alone")
    onset, end = review.alarm.onset - review.first, review.end - review.first
    kind = review.alarm.kind.replace("_", " ")
    notes = [(onset, f"{kind} begins")] if onset < end else []
    stop = review.stretch.stop
    if stop is not None and onset <= stop - review.first < end:
        notes.append((stop - review.first, f"{kind} ends"))
    comments = [
        "bedside event review; from a simulator, not a medical device",
        review.alarm.text,
        *(f"{english(name)}: {english(text)}" for name, text in explain(review)),
        f"from sample {review.first} of session {review.alarm.session}",
    ]
    if review.notes:
        comments.append(english(review.notes))
    write_record(
        stem,
        counts(review),
        leads=review.leads,
        gain=review.gain,
        zero=review.zero,
        comments=comments,
        notes=notes,
    )
