"""Intervals over patients: whose records belong together, and how they are drawn again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from model.evaluation import detection_metrics

PATIENT: Mapping[str, str] = {"202": "201"}
"""Records of a patient that has another one."""

ON_BOTH_SIDES = tuple(PATIENT)
"""Records of DS2 whose patient is in DS1, too: figures are given with and without them."""

DRAWS, SEED = 1000, 0


def drawn(records: Iterable[str]) -> npt.NDArray[np.int64]:
    """Draw the patients of records, with replacement, again and again; the draws are always the same.

    Returns
    -------
    ndarray of int64, shape (1000, records)
        How often each record was drawn.
    """
    return detection_metrics.draw_patients([PATIENT.get(name, name) for name in records], DRAWS, SEED)
