"""Export of a trend as CSV. No Qt."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import numpy as np

from monitor.view.trend import TrendSnapshot
from stream.wire.alarm_messages import PRIORITIES
from stream.wire.numerics_message import UNIT_OF


def trend_stem(bed: str, trend: TrendSnapshot) -> str:
    """Return the file name of a trend without suffix: the bed, and the time in UTC at which it ends."""
    return f"{re.sub(r'[^A-Za-z0-9-]', '_', bed)}_trend_{datetime.fromtimestamp(trend.stop, UTC):%Y%m%dT%H%M%SZ}"


def trend_csv(trend: TrendSnapshot) -> str:
    """Return CSV text with one row per second, from the first that has a value or an alarm to the last.

    Columns: time in UTC, in the format of RFC 3339; heart rate and the numbers that the bed has, each with its unit;
    the highest anomaly score; the priority of the most urgent alarm. Cells are empty where there is no value.
    """
    headings = [f"heart_rate ({UNIT_OF['heart_rate']})", *(f"{name} ({UNIT_OF[name]})" for name in trend.numbers)]
    values = np.column_stack([trend.heart_rate, *trend.numbers.values(), trend.score])
    filled = np.flatnonzero(np.isfinite(values).any(1) | (trend.priority >= 0))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["time_utc", *headings, "anomaly_score", "alarm"])
    for row in range(filled[0], filled[-1] + 1) if len(filled) else ():
        time = datetime.fromtimestamp(trend.first + row, UTC)
        priority = PRIORITIES[trend.priority[row]] if trend.priority[row] >= 0 else ""
        cells = ("" if np.isnan(value) else f"{value:.5g}" for value in values[row].tolist())
        rows.writerow([f"{time:%Y-%m-%dT%H:%M:%SZ}", *cells, priority])
    return text.getvalue()
