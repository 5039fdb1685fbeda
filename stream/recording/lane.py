"""Samples that wait to be written: they may come late or not at all, and leave the lane in order, holes as invalid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.wire.messages import INVALID

Adu = npt.NDArray[np.int16]


class Lane:
    """Samples of signals with one rate.

    Parameters
    ----------
    width : int
        Signals.

    Attributes
    ----------
    first : int
        Index of the first sample that has not left the lane.
    end : int
        Index after the last one that has been put.
    """

    def __init__(self, width: int) -> None:
        self.first = 0
        self._samples: Adu = np.empty((0, width), np.int16)

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self.first + len(self._samples)

    def put(self, index: int, samples: Adu) -> None:
        """Put samples, shape (n, signals), from an index on; what has left the lane before is dropped."""
        late = max(self.first - index, 0)
        samples, index = samples[late:], index + late
        if not len(samples):
            return
        missing = index + len(samples) - self.end
        if missing > 0:
            more = np.full((missing, self._samples.shape[1]), INVALID, np.int16)
            self._samples = np.concatenate((self._samples, more))
        at = index - self.first
        self._samples[at : at + len(samples)] = samples

    def take(self, n: int) -> Adu:
        """Return the next ``n`` samples, shape (n, signals)."""
        taken = self._samples[:n]
        self._samples = self._samples[n:]
        self.first += n
        if len(taken) < n:
            hole = np.full((n - len(taken), taken.shape[1]), INVALID, np.int16)
            taken = np.concatenate((taken, hole))
        return taken
