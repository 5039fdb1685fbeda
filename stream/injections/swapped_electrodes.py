"""Reversed arm electrodes: what that does to the leads at hand.

With the electrodes of the arms exchanged I is inverted, II and III are exchanged, so are aVR and aVL, and aVF and the
chest leads stay (Batchvarov VN, Malik M, Camm AJ. Incorrect electrode cable connection during electrocardiographic
recording. Europace 2007;9:1081-1090). By Einthoven's law (II = I + III) any two limb leads determine all others. Where
the leads at hand do not, as II with a chest lead, the cables of the first two channels are exchanged instead; of a
single lead those of its two electrodes, which inverts it.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

Leads = npt.NDArray[np.float64]

_LIMB_LEADS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "AVR": (-0.5, -0.5),
    "AVL": (1.0, -0.5),
    "AVF": (-0.5, 1.0),
}
"""The limb leads as sums of I and II, by name in capitals. ``MLII``, a modified lead II, is none."""

_REVERSED = np.array([[-1.0, 0.0], [-1.0, 1.0]])
"""I and II, as sums of them, once the electrodes of the arms are exchanged."""

_INDEPENDENT = 0.1
"""Smallest determinant of two limb leads that determine all others; that of one lead twice is 0."""

_ALONE = {"I": -1.0, "AVF": 1.0, **dict.fromkeys(("V", "V1", "V2", "V3", "V4", "V5", "V6"), 1.0)}
"""Factors of leads for which no other lead is needed."""


def swap(mv: Leads, leads: tuple[str, ...]) -> Leads:
    """Return leads as with reversed arm electrodes.

    Parameters
    ----------
    mv : ndarray, shape (n, leads), mV
        NaN where invalid.
    leads : tuple of str
        One name for each.
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
    names = [lead.upper() for lead in leads]
    rows = [_as_sum(place, names) for place in range(len(names))]
    known = [row for row in rows if row is not None]
    if len(known) == len(rows):
        return np.array(known), arms
    exchanged = np.eye(len(leads))
    exchanged[:2, :2] = exchanged[1::-1, :2]
    return exchanged, f"{leads[0]} and {leads[1]} exchanged"


def _as_sum(place: int, names: list[str]) -> Leads | None:
    """Return a lead after the exchange as a sum of as few of the leads before as possible; None if they do not do."""
    factors = np.zeros(len(names))
    if names[place] in _ALONE:
        factors[place] = _ALONE[names[place]]
        return factors
    if names[place] not in _LIMB_LEADS:
        return None
    target = np.array(_LIMB_LEADS[names[place]]) @ _REVERSED
    limbs = {at: np.array(_LIMB_LEADS[name]) for at, name in enumerate(names) if name in _LIMB_LEADS}
    for at, limb in limbs.items():
        for sign in (1.0, -1.0):
            if np.array_equal(sign * limb, target):
                factors[at] = sign
                return factors
    for pair in combinations(limbs, 2):
        basis = np.array([limbs[at] for at in pair])
        if abs(np.linalg.det(basis)) > _INDEPENDENT:
            factors[list(pair)] = np.round(target @ np.linalg.inv(basis), 9)
            return factors
    return None
