"""Reference beats of the excerpt, from record 208 of the MIT-BIH Arrhythmia Database 1.0.0 (PhysioNet, ODC-BY 1.0).

The excerpt has no annotations. With these, beats on real ECG are scored without the database.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from model.datasets.reference import Reference, reference_of

EXCERPT_SAMPLES = 108_000


def excerpt_reference() -> Reference:
    """Return the reference beats, with indices from the excerpt's first sample."""
    with Path(__file__).with_name("excerpt_beats.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sample = np.array([int(row["sample"]) for row in rows], np.int64)
    return reference_of(sample, [row["symbol"] for row in rows], EXCERPT_SAMPLES)
