"""Location of an anomaly: which of the last patches are anomalous, and which sample deviates most.

The score averages over time, so the patches that raise it lie before the patch at which it is high.
"""

from __future__ import annotations

import numpy as np

from model.anomaly.episodes import Deviation, Episode, Interval
from model.anomaly.state import LOOK_BACK
from model.signal.arrays import FloatArray

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
    highest = float(np.nanmax(votes))
    anomalous = np.flatnonzero(votes >= max(MIN_VOTE_SHARE * highest, peak_vote))
    if not len(anomalous):
        if episode is not None:  # The anomalous patches lie further back, within the episode.
            return Interval(episode.onset, episode.end, episode.largest)
        anomalous = np.flatnonzero(votes == highest)
    start = end - LOOK_BACK * patch
    best = int(anomalous[np.nanargmax(deviations[anomalous, 0])])
    distance, within, lead, horizon_ms, observed, predicted = deviations[best].tolist()
    deviation = Deviation(distance, start + best * patch + int(within), int(lead), horizon_ms, observed, predicted)
    return Interval(start + int(anomalous[0]) * patch, start + (int(anomalous[-1]) + 1) * patch, deviation)
