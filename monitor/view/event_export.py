"""Export of an event: its samples as CSV, or a WFDB record through a given writer. No Qt."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from monitor.view.display_texts import english
from monitor.view.event_review import Review
from monitor.view.event_summary import summary_rows
from stream.errors import StorageError
from stream.timebase import FS
from stream.wire.messages import INVALID

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter


def file_stem(review: Review) -> str:
    """Return the file name of an event without suffix: letters, digits and ``_``, as WFDB requires."""
    alarm = review.alarm
    return re.sub(r"[^A-Za-z0-9]", "_", f"{alarm.bed}_{alarm.kind}_{alarm.onset}")


def to_csv(review: Review) -> str:
    """Return CSV text with one row per sample up to the newest received.

    Columns: sample index of the session; seconds from the onset; for each lead the observed mV and the mV predicted at
    least 100 ms ahead; the score. Cells are empty where unknown.
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
        for mv, predicted in zip(review.mv[row].tolist(), review.predicted[row].tolist(), strict=True):
            cells += [_number(mv), _number(predicted)]
        rows.writerow([*cells, _number(float(review.score[row]))])
    return text.getvalue()


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.5g}"


def to_adu(review: Review) -> npt.NDArray[np.int16]:
    """Return the samples in adu as sent, shape (n, leads); −32768 where invalid or missing."""
    mv = review.mv[: review.end - review.first].astype(np.float64)
    adu = np.rint(mv * np.asarray(review.gain) + np.asarray(review.zero))
    valid = np.isfinite(adu) & (np.abs(adu) <= 32767)
    return np.where(valid, adu, INVALID).astype(np.int16)


def write_wfdb(review: Review, header: Path, write_record: RecordWriter) -> None:
    """Write the event as a WFDB record.

    Raises
    ------
    StorageError
        The name is not valid in WFDB, a file of the record exists, or it cannot be written.
    """
    stem = header.with_suffix("") if header.suffix == ".hea" else header
    if not re.fullmatch(r"[A-Za-z0-9_]+", stem.name):
        raise StorageError(f"{stem.name} is not a valid WFDB record name: use letters, digits and _")
    onset, end = review.alarm.onset - review.first, review.end - review.first
    kind = review.alarm.kind.replace("_", " ")
    notes = [(onset, f"{kind} begins")] if onset < end else []
    stop = review.alarm_span.stop
    if stop is not None and onset <= stop - review.first < end:
        notes.append((stop - review.first, f"{kind} ends"))
    comments = [
        "bedside event review; from a simulator, not a medical device",
        review.alarm.text,
        *(f"{english(name)}: {english(text)}" for name, text in summary_rows(review)),
        f"from sample {review.first} of session {review.alarm.session}",
    ]
    if review.notes:
        comments.append(english(review.notes))
    write_record(
        stem,
        to_adu(review),
        leads=review.leads,
        gain=review.gain,
        zero=review.zero,
        comments=comments,
        notes=notes,
    )
