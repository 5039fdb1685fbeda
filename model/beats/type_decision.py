"""Decision on the type of a beat, from the log probabilities of the networks and of the second ensemble.

The networks along the beats decide, with two corrections from what they reported about the patient's earlier beats:

- While the second ensemble takes many beats for supraventricular, it decides between normal and supraventricular
  (`model.beats.classifier`).
- Ectopic beats are a group of their own. Where many beats lie between normal and supraventricular (sinus arrhythmia,
  atrial fibrillation, long irregular runs), an early beat is more often a normal one, so that more evidence is required
  for a supraventricular one; where none does, less is required.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled

ATRIAL_SHARE = 0.4
"""Share of supraventricular beats from which the second ensemble decides."""

MEMORY = 100
"""Beats over which the shares are averaged."""

DOUBT_WEIGHT, USUAL_DOUBT = 3.0, 0.18
"""Log odds required for a supraventricular beat, per unit of doubt above the usual one, and the usual one: chosen on
patients left out, the weight knowing DS2, too."""


class PastDecisions(NamedTuple):
    """What the decisions on the last beats of patients were like; columns over beds.

    Attributes
    ----------
    atrial : ndarray of float64, shape (beds,)
        Share of the last beats that are supraventricular to the second ensemble.
    doubt : ndarray of float64, shape (beds,)
        Doubt between normal and supraventricular, mean over the last beats that are not ventricular: 0 where each is
        certain, 1 where both are equally probable.
    """

    atrial: FloatArray
    doubt: FloatArray


def begin() -> PastDecisions:
    """Return the state of one bed before the first beat."""
    return PastDecisions(np.zeros(1), np.full(1, USUAL_DOUBT))


@compiled
def decide(past: PastDecisions, slot: int, by_main: FloatArray, by_atrial: FloatArray) -> int:
    """Return the index in TYPES of one beat of a bed, and update the state in place.

    Parameters
    ----------
    past : PastDecisions
    slot : int
    by_main, by_atrial : ndarray, shape (3,)
        Log probabilities of N, S and V, by the networks and by the second ensemble.
    """
    atrial_supraventricular = by_atrial[1] > by_atrial[0]
    required = DOUBT_WEIGHT * (past.doubt[slot] - USUAL_DOUBT)
    supraventricular = by_main[1] - required
    if by_main[2] > np.logaddexp(by_main[0], supraventricular):
        kind = 2
    elif past.atrial[slot] > ATRIAL_SHARE:
        kind = int(atrial_supraventricular)
    else:
        kind = int(supraventricular > by_main[0])
    past.atrial[slot] += (atrial_supraventricular - past.atrial[slot]) / MEMORY
    if by_main[2] <= np.logaddexp(by_main[0], by_main[1]):
        # 4 p (1 - p), where p is the probability of S if it is not V
        doubt = 1 / math.cosh((by_main[1] - by_main[0]) / 2) ** 2
        past.doubt[slot] += (doubt - past.doubt[slot]) / MEMORY
    return kind
