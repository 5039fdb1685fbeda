"""The advisory of hypotension: when it is raised, how long it stands, and which values it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from model.trends import vital_inputs
from model.trends.vital_inputs import LOW_MMHG, MEAN_PRESSURE, SCALE, VITALS, Floats, InputState
from stream.wire.numerics_message import NumericName

STANDS_H: Final = 6
"""Hours for which an advisory stands, as long as the risk reaches ahead; it is not raised again meanwhile."""

MAX_REASONS: Final = 4
UNUSUAL, TREND = 1.0, 0.4
"""Scales from the centre, and from the mean of 6 h, from which a value or its course is a reason."""

Code = Literal["low", "high", "falling", "rising"]


@dataclass(frozen=True)
class Reason:
    """A value that stands out, or its course. It describes the patient; it is no proof of a cause.

    Attributes
    ----------
    code : str
        ``low`` or ``high`` among patients of intensive care; ``falling`` or ``rising`` against the mean of 6 h.
    name : str
    value : float
        The carried value, in the unit of its numeric.
    change : float
        Its difference from the mean of the last 6 h.
    """

    code: Code
    name: NumericName
    value: float
    change: float


def step(
    left: npt.NDArray[np.int64], risk: Floats, inputs: InputState, threshold: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Process one hour of n beds.

    Parameters
    ----------
    left : ndarray of int64, shape (n,)
        Hours for which an advisory still stands.
    risk : ndarray, shape (n,)
        Of hypotension within 6 h.
    inputs : InputState
        After this hour. Without a mean pressure, or with one that is low already, no advisory is raised or stands.
    threshold : float

    Returns
    -------
    ndarray of bool, shape (n,)
        Raised in this hour.
    ndarray of int64, shape (n,)
    """
    pressure = vital_inputs.carried(inputs)[:, MEAN_PRESSURE]
    return advance(left, risk, inputs.seen[:, MEAN_PRESSURE] & (pressure >= LOW_MMHG), threshold)


def advance(
    left: npt.NDArray[np.int64], risk: Floats, possible: npt.NDArray[np.bool_], threshold: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Process one hour, given for which of the n beds an advisory is possible; otherwise as `step`."""
    left = np.where(possible, np.maximum(left - 1, 0), 0)
    raised = possible & (left == 0) & (risk >= threshold)
    return raised, np.where(raised, STANDS_H, left)


def reasons(inputs: InputState) -> tuple[Reason, ...]:
    """Return what stands out of one bed's vitals, the most unusual first."""
    found: list[tuple[float, Reason]] = []
    value = vital_inputs.carried(inputs)[0]
    level, trend = inputs.level[0], inputs.level[0] - inputs.mean[0]
    for i, name in enumerate(VITALS):
        if not inputs.seen[0, i]:
            continue
        own = round(float(value[i]), 1), round(float(trend[i] * SCALE[i]), 1)
        if abs(level[i]) >= UNUSUAL:
            found.append((abs(level[i]), Reason("low" if level[i] < 0 else "high", name, *own)))
        if abs(trend[i]) >= TREND:
            found.append((abs(trend[i]) / TREND, Reason("falling" if trend[i] < 0 else "rising", name, *own)))
    found.sort(key=lambda each: -each[0])
    return tuple(reason for _, reason in found[:MAX_REASONS])
