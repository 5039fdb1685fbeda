"""Distribution of the lateness of chunks: the time from when a chunk was due until it was sent or received."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the classes, in s; beyond the last one there is one class more."""


class Lateness:
    """Counts of chunks by lateness.

    Attributes
    ----------
    counts : list of int
        Chunks in each class, not cumulative; one more than `BOUNDS_S`.
    total_s : float
        Sum of all, in s.
    recent : list of float or None
        If it is a list, each chunk is appended to it, in s; whoever reads it must empty it.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0
        self.recent: list[float] | None = None

    def add_all(self, seconds: npt.NDArray[np.float64]) -> None:
        """Count several chunks."""
        late_s = np.maximum(seconds, 0.0)
        first, last = bisect_left(BOUNDS_S, float(late_s.min())), bisect_left(BOUNDS_S, float(late_s.max()))
        if first == last:  # the beds of a message are due at one moment
            self.counts[first] += len(late_s)
        else:
            for place in np.searchsorted(BOUNDS_S, late_s).tolist():
                self.counts[place] += 1
        self.total_s += float(late_s.sum())
        if self.recent is not None:
            self.recent.extend(late_s.tolist())

    def add(self, seconds: float) -> None:
        """Count one chunk; one that is early has no lateness."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds
        if self.recent is not None:
            self.recent.append(seconds)
