"""A ring buffer of samples, addressed by their index since the start of the session.

Samples that were not written read as NaN: a gap in the stream is a gap on the screen. The cost of a write depends on
the number of samples written, not on the capacity; so does the memory, since the system provides pages when they are
first written.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class RingBuffer:
    """The last ``capacity`` samples of one or more columns.

    Parameters
    ----------
    capacity : int
        Number of samples kept.
    columns : int
        Leads, or 1.

    Attributes
    ----------
    end : int or None
        Index after the newest sample; None if empty.
    """

    def __init__(self, capacity: int, columns: int = 1) -> None:
        if capacity < 1 or columns < 1:
            raise ValueError(f"invalid ring buffer: {capacity} samples, {columns} columns; use 1 or more")
        self.capacity = capacity
        self.end: int | None = None
        self._begin = 0  # nothing before it has been written: the array has no values there
        self._data = np.empty((capacity, columns), np.float32)

    def put(self, start: int, values: npt.ArrayLike) -> None:
        """Write samples from index ``start`` on; existing ones are overwritten, too old ones are ignored.

        Parameters
        ----------
        start : int
        values : array of shape (n, columns) or (n,)
        """
        rows = np.asarray(values, np.float32).reshape(-1, self._data.shape[1])
        stop = start + len(rows)
        if self.end is None or start >= self.end + self.capacity:
            self._begin = start
        elif start > self.end:
            self._write_gap(self.end, start)
        self.end = stop if self.end is None else max(self.end, stop)
        oldest = self.end - self.capacity
        if start < self._begin:
            first = max(start, oldest)
            self._write_gap(first, self._begin)
            self._begin = min(first, self._begin)
        if stop > oldest:
            skip = max(oldest - start, 0)
            self._write(start + skip, rows[skip:])

    def get(self, start: int, stop: int) -> FloatArray:
        """Return a copy of samples ``start`` to ``stop - 1``, shape (stop - start, columns); NaN if not available."""
        at = start % self.capacity
        whole = self.end is not None and self._oldest(self.end) <= start <= stop <= self.end
        if whole and at + stop - start <= self.capacity:
            return self._data[at : at + stop - start].copy()
        out = np.full((max(stop - start, 0), self._data.shape[1]), np.nan, np.float32)
        if self.end is None:
            return out
        first, last = max(start, self._oldest(self.end)), min(stop, self.end)
        if first < last:
            at = first % self.capacity
            head = min(last - first, self.capacity - at)
            out[first - start : first - start + head] = self._data[at : at + head]
            out[first - start + head : last - start] = self._data[: last - first - head]
        return out

    def _oldest(self, end: int) -> int:
        return max(end - self.capacity, self._begin)

    def _write_gap(self, start: int, stop: int) -> None:
        self._write(start, np.full((max(stop - start, 0), self._data.shape[1]), np.nan, np.float32))

    def _write(self, start: int, rows: FloatArray) -> None:
        at = start % self.capacity
        head = min(len(rows), self.capacity - at)
        self._data[at : at + head] = rows[:head]
        self._data[: len(rows) - head] = rows[head:]
