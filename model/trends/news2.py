"""The National Early Warning Score 2, as far as the vitals give it.

Royal College of Physicians. National Early Warning Score (NEWS) 2: Standardising the assessment of acute-illness
severity in the NHS. London: RCP, 2017; chart 1, SpO2 scale 1. Consciousness and supplemental oxygen are not among the
vitals: they count as normal, and are always named as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.trends.vital_inputs import VITALS, Floats
from stream.wire.numerics_message import NumericName

_TABLE: Final[Mapping[NumericName, tuple[tuple[float, ...], tuple[int, ...]]]] = {
    "respiration_rate": ((8.5, 11.5, 20.5, 24.5), (3, 1, 0, 2, 3)),
    "spo2": ((91.5, 93.5, 95.5), (3, 2, 1, 0)),
    "nibp_systolic": ((90.5, 100.5, 110.5, 219.5), (3, 2, 1, 0, 3)),
    "heart_rate": ((40.5, 50.5, 90.5, 110.5, 130.5), (3, 1, 0, 1, 2, 3)),
    "temperature": ((35.05, 36.05, 38.05, 39.05), (3, 1, 0, 1, 2)),
}
"""Limits between the columns of the chart (whole numbers, temperature in tenths), and the score of each column."""

NEVER: Final = ("consciousness", "oxygen")
PARTS: Final = tuple(_TABLE)


@dataclass(frozen=True)
class News2:
    """The score of an hour.

    Attributes
    ----------
    score : int
        Sum of the parts that are there.
    parts : dict of str to int
    missing : tuple of str
        Parts that are not there; ``consciousness`` and ``oxygen`` always.
    """

    score: int
    parts: Mapping[str, int]
    missing: tuple[str, ...]


def part_scores(values: Floats) -> Floats:
    """Return the score of each part of `PARTS`, shape (…, 5), NaN where missing, of vitals, shape (…, 7)."""
    scores = []
    for name, (limits, points) in _TABLE.items():
        value = values[..., VITALS.index(name)]
        score = np.take(points, np.searchsorted(limits, value, side="right"), mode="clip")
        scores.append(np.where(np.isnan(value), np.nan, score))
    return np.stack(scores, axis=-1)


def news2(values: Floats) -> News2:
    """Return the score of one bed's vitals, shape (7,), NaN where missing."""
    scores = dict(zip(PARTS, part_scores(values).tolist(), strict=True))
    parts = {name: int(score) for name, score in scores.items() if score == score}
    missing = (*(name for name in PARTS if name not in parts), *NEVER)
    return News2(sum(parts.values()), parts, missing)
