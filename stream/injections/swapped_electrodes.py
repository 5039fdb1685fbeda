"""Reversed arm electrodes: what that does to the leads at hand.

With the electrodes of the arms exchanged I is inverted, II and III are exchanged, so are aVR and aVL, and aVF and the
chest leads stay (Batchvarov VN, Malik M, Camm AJ. Incorrect electrode cable connection during electrocardiographic
recording. Europace 2007;9:1081-1090). By Einthoven's law (II = I + III) any two limb leads determine all others. Where
the leads at hand do not, as II with a chest lead, the cables of the two channels are exchanged instead; of a single
lead those of its two electrodes, which inverts it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Leads = npt.NDArray[np.float64]

_LIMB_LEADS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
"""The limb leads as sums of I and II. ``MLII``, a modified lead II, is none."""

_REVERSED = np.array([[-1.0, 0.0], [-1.0, 1.0]])
"""I and II, as sums of them, once the electrodes of the arms are exchanged."""

_ALONE = {"I": -1.0, "aVF": 1.0, **dict.fromkeys(("V", "V1", "V2", "V3", "V4", "V5", "V6"), 1.0)}
"""Factors of leads for which no other lead is needed."""


def swap(mv: Leads, leads: tuple[str, ...]) -> Leads:
    """Return leads as with reversed arm electrodes.

    Parameters
    ----------
    mv : ndarray, shape (n, leads), mV
        NaN where invalid.
    leads : tuple of str
        One or two names.
    """
    matrix, _ = _change(leads)
    # Not mv @ matrix.T: an invalid sample of one lead would become one of all leads.
    swapped = np.zeros_like(mv)
    for row, column in zip(*np.nonzero(matrix), strict=True):
        swapped[:, row] += matrix[row, column] * mv[:, column]
    return swapped


def effect(leads: tuple[str, ...]) -> str:
    """Return in words what is done to these leads."""
    return _change(leads)[1]


def _change(leads: tuple[str, ...]) -> tuple[Leads, str]:
    """Return the new leads as sums of the old ones, and what was exchanged."""
    arms = "electrodes of the arms exchanged"
    if len(leads) == 1:
        return -np.eye(1), f"electrodes of {leads[0]} exchanged"
    if all(lead in _ALONE for lead in leads):
        return np.diag([_ALONE[lead] for lead in leads]), arms
    if all(lead in _LIMB_LEADS for lead in leads) and leads[0] != leads[1]:
        basis = np.array([_LIMB_LEADS[lead] for lead in leads])
        return np.round(basis @ _REVERSED @ np.linalg.inv(basis), 9), arms
    return np.eye(2)[::-1], f"{leads[0]} and {leads[1]} exchanged"
