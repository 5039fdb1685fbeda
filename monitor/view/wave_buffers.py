"""Recent samples of the waves of one bed, on the time scale of its ECG."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray, RingBuffer
from monitor.view.autoscale import Range
from monitor.view.signal_buffer import CAPACITY
from monitor.view.trace import WaveTrace
from monitor.view.wave_range import WaveRange
from stream.timebase import FS
from stream.wire.wave_message import Signal, Wave

OFF_S = 2
"""Seconds without a valid sample after which a sensor counts as off."""

MIN_ADVANCE = 9
"""Samples at 360 Hz by which the cursor advances until waves are renewed: those of two frames, at 60 per second."""

_MAX_PHASES = 64
_SAME_PHASE = 0.01
"""Difference in time below which chunks share one grid of samples, in samples at 360 Hz."""


class WaveBuffer:
    """Samples of the last 11 minutes of one wave.

    Sample k lies at ``base + 360 * k / fs`` plus the phase of its chunk, in samples at 360 Hz: after a jump in the
    record, the samples of a wave may lie between those of the old grid.

    Parameters
    ----------
    chunk : Wave
        The first chunk; it is stored, too.
    """

    def __init__(self, chunk: Wave) -> None:
        self.signal, self.unit, self.fs = chunk.signal, chunk.unit, chunk.fs
        self._base, self._step = chunk.start, FS / chunk.fs
        self._ring = RingBuffer(math.ceil(CAPACITY / self._step))
        self._phases: deque[tuple[int, float]] = deque(maxlen=_MAX_PHASES)
        self._range, self._off = WaveRange(chunk.signal), False
        self.add(chunk)

    @property
    def end(self) -> float:
        """The time after the newest sample, in samples at 360 Hz."""
        return self._base + (self._ring.end or 0) * self._step

    def add(self, chunk: Wave) -> None:
        """Store the samples of a chunk."""
        at = (chunk.start - self._base) / self._step
        first = round(at)
        phase = (at - first) * self._step
        if not self._phases or abs(phase - self._phases[-1][1]) > _SAME_PHASE:
            self._phases.append((first, phase))
        self._ring.put(first, chunk.values())

    def samples(self, first: float, stop: float) -> tuple[npt.NDArray[np.float64], FloatArray]:
        """Return the times of the samples from ``first`` on and before ``stop``, and their values, both of shape (n,).

        Times are in samples at 360 Hz; values are in the wave's unit, NaN where unknown or dropped.
        """
        begin = math.floor((first - self._base) / self._step) - 1
        end = min(math.ceil((stop - self._base) / self._step) + 1, self._ring.end or 0)
        index = np.arange(begin, max(end, begin))
        times = np.asarray(self._base + index * self._step + self._phase(index), np.float64)
        inside = slice(*np.searchsorted(times, (first, stop)))
        return times[inside], self._ring.get(begin, max(end, begin))[inside, 0]

    def _phase(self, index: npt.NDArray[np.int64]) -> float | npt.NDArray[np.float64]:
        if len(self._phases) == 1:
            return self._phases[0][1]
        starts, phases = (np.array(column) for column in zip(*self._phases, strict=True))
        return np.asarray(phases[np.maximum(np.searchsorted(starts, index, side="right") - 1, 0)], np.float64)

    def update_range(self, cursor: int, *, at_wrap: bool) -> None:
        """Adapt the range to the samples before the cursor, see `WaveRange`, and notice a sensor that is off."""
        self._off = not np.isfinite(self.samples(cursor - OFF_S * FS, cursor)[1]).any()
        self._range.update(lambda seconds: self.samples(cursor - seconds * FS, cursor)[1], self.fs, at_wrap=at_wrap)

    def trace(self, first: int, cursor: int, fixed: Range | None = None) -> WaveTrace:
        """Return the samples from ``first`` to the cursor, in a fixed range or the one of the last update."""
        times, values = self.samples(first, cursor)
        return WaveTrace(self.signal, self.unit, times, values, fixed or self._range.current, self._off)


class WaveBuffers:
    """All waves of one session."""

    def __init__(self) -> None:
        self._buffers: dict[Signal, WaveBuffer] = {}
        self._early: dict[Signal, Wave] = {}
        self._session: str | None = None
        self._latest: tuple[tuple[Signal, ...], int, int, tuple[WaveTrace, ...]] | None = None

    def begin(self, session: str) -> None:
        """Begin a session, with the chunks that arrived before its ECG."""
        if session == self._session:
            return
        self._session, self._buffers, self._latest = session, {}, None
        for chunk in self._early.values():
            if chunk.session == session:
                self._buffers[chunk.signal] = WaveBuffer(chunk)
        self._early = {}

    def add(self, chunk: Wave, newest: int) -> None:
        """Store a chunk; one of another session is kept until its ECG arrives, one far from ``newest`` is ignored."""
        if chunk.session != self._session:
            self._early[chunk.signal] = chunk
            return
        if abs(chunk.start - newest) > CAPACITY:
            return
        buffer = self._buffers.get(chunk.signal)
        if buffer is None or (buffer.fs, buffer.unit) != (chunk.fs, chunk.unit):
            self._buffers[chunk.signal] = WaveBuffer(chunk)
        else:
            buffer.add(chunk)

    def advance(self, before: int, cursor: int, span: int, shown: Iterable[Signal]) -> None:
        """Adapt the ranges of the waves shown: at the start of a sweep, and each second."""
        at_wrap = before // span != cursor // span
        if at_wrap or before // FS != cursor // FS:
            for signal in shown:
                if signal in self._buffers:
                    self._buffers[signal].update_range(cursor, at_wrap=at_wrap)

    def latest(self, first: int, cursor: int, shown: tuple[Signal, ...]) -> tuple[WaveTrace, ...]:
        """Return `traces` of an advancing cursor; they are renewed in every second frame: waves are slower than ECG."""
        if self._latest is not None:
            of, begin, end, traces = self._latest
            if of == shown and begin <= first and 0 <= cursor - end < MIN_ADVANCE:
                return traces
        traces = self.traces(first, cursor, shown)
        self._latest = (shown, first, cursor, traces)
        return traces

    def traces(
        self, first: int, cursor: int, shown: Iterable[Signal], fixed: dict[Signal, Range] | None = None
    ) -> tuple[WaveTrace, ...]:
        """Return those waves of ``shown`` that the bed has or had within the buffer, in that order."""
        ranges = fixed or {}
        return tuple(
            self._buffers[signal].trace(first, cursor, ranges.get(signal))
            for signal in shown
            if signal in self._buffers and self._buffers[signal].end > cursor - CAPACITY
        )
