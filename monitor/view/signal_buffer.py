"""The samples of one session that are kept: observed ECG, what was predicted for it, and anomaly scores.

All are addressed by the sample index since the session began. The predicted ECG is, for each sample, the latest
forecast made at least 100 ms before it.
"""

from __future__ import annotations

import numpy as np

from monitor.common.ring_buffer import FloatArray, RingBuffer
from stream.timebase import FS, STRIDE
from stream.wire.messages import Forecast, Waveform

LEAD_TIME = 36
"""What is kept as predicted was forecast at least so many samples (100 ms) before."""

CAPACITY = 11 * 60 * FS
"""Samples kept: 11 minutes."""


class SignalBuffer:
    """The last 11 minutes of one session.

    Parameters
    ----------
    first : int
        Index of the first sample received.
    leads : int

    Attributes
    ----------
    first : int
    """

    def __init__(self, first: int, leads: int) -> None:
        self.first = first
        self._ecg = RingBuffer(CAPACITY, leads)
        self._predicted = RingBuffer(CAPACITY, leads)
        self._score = RingBuffer(CAPACITY)

    def add_waveform(self, chunk: Waveform) -> None:
        """Place the samples of a chunk."""
        self._ecg.put(chunk.start, chunk.mv())

    def add_forecast(self, forecast: Forecast, origin_before: int) -> None:
        """Place a forecast; its score is that of the samples since the forecast before, of one stride at most."""
        self._predicted.put(forecast.origin + 1 + LEAD_TIME, forecast.mean_mv()[LEAD_TIME:])
        stride = min(forecast.origin - origin_before, STRIDE)
        score = np.nan if forecast.score is None else forecast.score
        self._score.put(forecast.origin + 1 - stride, np.full(stride, score))

    @property
    def kept(self) -> tuple[int, int]:
        """The oldest sample that may still be here, and the one after the newest."""
        end = self._ecg.end or self.first
        return max(self.first, end - CAPACITY), end

    def ecg(self, first: int, stop: int) -> FloatArray:
        """Return observed mV, shape (stop - first, leads); NaN where unknown or no longer kept."""
        return self._ecg.get(first, stop)

    def samples(self, first: int, stop: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return observed and predicted mV, shape (stop - first, leads), and scores, shape (stop - first,).

        NaN where unknown or no longer kept.
        """
        return self._ecg.get(first, stop), self._predicted.get(first, stop), self._score.get(first, stop)[:, 0]
