"""Time-based scores on the MIT-BIH Malignant Ventricular Ectopy Database (vfdb)."""

from __future__ import annotations

import numpy as np

from model.console.progress import track
from model.evaluation.alarm_report import ratio
from model.evaluation.monitor_output import Monitor
from model.evaluation.rhythm_time import annotated, confusion
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
from stream.wire.alarm_messages import AlarmKind

RHYTHMS: dict[str, tuple[tuple[AlarmKind, ...], tuple[str, ...]]] = {
    "ventricular_fibrillation": (("ventricular_fibrillation",), ("VF", "VFIB", "VFL")),
    "ventricular_tachycardia": (("ventricular_tachycardia",), ("VT",)),
    "either": (("ventricular_fibrillation", "ventricular_tachycardia"), ("VF", "VFIB", "VFL", "VT")),
    "asystole": (("asystole",), ("ASYS",)),
}
"""Alarm kinds and annotated rhythms of each score."""


def score_vfdb(monitor: Monitor, catalog: Catalog) -> dict[str, tuple[float, float, float]]:
    """Return sensitivity, specificity and hours of each rhythm over the records in the local folder ``vfdb``."""
    seconds = {rhythm: np.zeros((2, 2), np.int64) for rhythm in RHYTHMS}
    for name in track(_records(catalog), "vfdb"):
        record = load(f"vfdb/{name}", catalog)
        output = monitor(record)
        for rhythm, (kinds, labels) in RHYTHMS.items():
            seconds[rhythm] += confusion(annotated(record, labels), output.in_alarm(kinds))
    return {
        rhythm: (ratio(s[1, 1], s[1].sum()), ratio(s[0, 0], s[0].sum()), float(s.sum()) / 3600)
        for rhythm, s in seconds.items()
        if s.sum()
    }


def _records(catalog: Catalog) -> list[str]:
    folder = None if catalog.data_dir is None else catalog.data_dir / "vfdb"
    return [] if folder is None else sorted(path.stem for path in folder.glob("*.hea"))
