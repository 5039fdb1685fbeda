"""Reversed arm electrodes: what that does to the leads at hand.

With the electrodes of the arms exchanged, by Einthoven's law (II = I + III): I is inverted, II and III are exchanged,
so are aVR and aVL, and aVF and the chest leads stay (Batchvarov VN, Malik M, Camm AJ. Incorrect electrode cable
connection during electrocardiographic recording. Europace 2007;9:1081-1090). Where the leads at hand do not determine
the others, as II with a chest lead, the cables of the two channels are exchanged instead; of a single lead those of its
two electrodes, which inverts it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Leads = npt.NDArray[np.float64]

_UNCHANGED = frozenset({"aVF", "V", "V1", "V2", "V3", "V4", "V5", "V6"})


def swap(mv: Leads, leads: tuple[str, ...]) -> Leads:
    """Return all leads, shape (n, leads), as with reversed arm electrodes.

    Parameters
    ----------
    mv : ndarray, shape (n, leads), mV
    leads : tuple of str
        One or two names; ``MLII``, a modified lead II, is no limb lead.
    """
    matrix = np.array(_matrix(leads), np.float64)
    # Not mv @ matrix: an invalid sample of one lead would become one of all leads.
    swapped = np.zeros_like(mv)
    for row, column in zip(*np.nonzero(matrix), strict=True):
        swapped[:, row] += matrix[row, column] * mv[:, column]
    return swapped


def _matrix(leads: tuple[str, ...]) -> list[list[float]]:
    """Return the new leads as sums of the old ones."""
    if len(leads) < 2:
        return [[-1.0]]
    one, other = leads
    if "I" in leads:
        rest = other if one == "I" else one
        # II becomes III = II − I, and III becomes II = III + I
        of_i = {"II": -1.0, "III": 1.0, **dict.fromkeys(_UNCHANGED, 0.0)}.get(rest)
        if of_i is not None:
            return [[-1.0, 0.0], [of_i, 1.0]] if one == "I" else [[1.0, of_i], [0.0, -1.0]]
    if set(leads) <= _UNCHANGED:
        return [[1.0, 0.0], [0.0, 1.0]]
    return [[0.0, 1.0], [1.0, 0.0]]
