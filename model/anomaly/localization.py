"""Location of an anomaly: which of the last patches are anomalous, and which sample deviates most.

The score averages over time, so the patches that raise it lie before the patch at which it is high.
"""

from __future__ import annotations

import numpy as np

from model.anomaly.episodes import Deviation, Episode, Interval
from model.anomaly.state import LOOK_BACK
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled

MIN_VOTE_SHARE = 0.5
"""A patch is anomalous if its vote reaches this share of the highest vote in the last `LOOK_BACK` patches, and the vote
that is normal at a peak."""


def locate(
    votes: FloatArray, deviations: FloatArray, peak_vote: float, end: int, patch: int, episode: Episode | None
) -> Interval:
    """Return the anomalous patches among the last `LOOK_BACK`.

    Parameters
    ----------
    votes : ndarray, shape (LOOK_BACK,)
        Mean votes of these patches.
    deviations : ndarray, shape (LOOK_BACK, DEVIATION)
        Their largest deviations, from `model.anomaly.features.find_largest_deviation`.
    peak_vote : float
        Mean vote that is normal at a peak.
    end : int
        Index of the sample after the last patch.
    patch : int
        Samples per patch.
    episode : Episode or None
        Its interval is returned if none of the patches is anomalous.
    """
    highest = _highest(votes)
    first, last, largest = _anomalous(votes, deviations, max(MIN_VOTE_SHARE * highest, peak_vote))
    if first > last:
        if episode is not None:  # The anomalous patches lie further back, within the episode.
            return Interval(episode.onset, episode.end, episode.largest)
        first, last, largest = _anomalous(votes, deviations, highest)
    start = end - LOOK_BACK * patch
    distance, within, lead, horizon_ms, observed, predicted = deviations[largest].tolist()
    deviation = Deviation(distance, start + largest * patch + int(within), int(lead), horizon_ms, observed, predicted)
    return Interval(start + first * patch, start + (last + 1) * patch, deviation)


@compiled
def _highest(votes: FloatArray) -> float:
    """Return the highest of the known votes."""
    highest = -np.inf
    for vote in votes:
        highest = np.fmax(highest, vote)
    return highest


@compiled
def _anomalous(votes: FloatArray, deviations: FloatArray, least: float) -> tuple[int, int, int]:
    """Return the first and the last patch whose vote reaches ``least``, and that of them with the largest deviation.

    Without any, the first is behind the last one.
    """
    first, last, largest = len(votes), -1, -1
    for patch in range(len(votes)):
        if votes[patch] >= least:
            first, last = min(first, patch), patch
            if largest < 0 or np.isnan(deviations[largest, 0]) or deviations[patch, 0] > deviations[largest, 0]:
                largest = patch
    return first, last, largest
