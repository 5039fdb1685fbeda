"""Recent samples of one session: observed ECG, predicted ECG and anomaly scores.

All are addressed by the sample index within the session. The predicted ECG is, for each sample, the forecast made 100
to 200 ms before it.
"""

from __future__ import annotations

import numpy as np

from monitor.common.ring_buffer import FloatArray, RingBuffer
from monitor.view.forecast_curve import predicted_mean
from stream.timebase import FS, STRIDE
from stream.wire.messages import Forecast, Waveform

LEAD_TIME = 36
"""Smallest lead time of the predicted ECG, samples (100 ms)."""

CAPACITY = 11 * 60 * FS
"""Capacity in samples: 11 minutes."""


class SignalBuffer:
    """Samples of the last 11 minutes of one session.

    Parameters
    ----------
    first : int
        Index of the first sample received.
    leads, analysed : int
        Numbers of leads, and of the first ones that are predicted.

    Attributes
    ----------
    first : int
    """

    def __init__(self, first: int, leads: int, analysed: int) -> None:
        self.first = first
        self._ecg = RingBuffer(CAPACITY, leads)
        self._predicted = RingBuffer(CAPACITY, analysed)
        self._score = RingBuffer(CAPACITY)

    def add_waveform(self, chunk: Waveform) -> None:
        """Store the samples of a chunk."""
        self._ecg.put(chunk.start, chunk.mv())

    def add_forecast(self, forecast: Forecast, origin_before: int) -> None:
        """Store one stride of a forecast; its score applies to the samples since the previous one, at most a stride."""
        first = 1 + LEAD_TIME
        self._predicted.put(forecast.origin + first, predicted_mean(forecast, first, first + STRIDE))
        stride = min(forecast.origin - origin_before, STRIDE)
        score = np.nan if forecast.score is None else forecast.score
        self._score.put(forecast.origin + 1 - stride, np.full(stride, score))

    @property
    def kept(self) -> tuple[int, int]:
        """The oldest sample that may be stored, and the one after the newest."""
        end = self._ecg.end or self.first
        return max(self.first, end - CAPACITY), end

    def ecg(self, first: int, stop: int) -> FloatArray:
        """Return observed mV, shape (stop - first, leads); NaN where unknown or dropped."""
        return self._ecg.get(first, stop)

    def samples(self, first: int, stop: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return observed mV, shape (stop - first, leads), predicted mV of the analysed leads, and scores.

        NaN where unknown or dropped; scores have the shape (stop - first,).
        """
        return self._ecg.get(first, stop), self._predicted.get(first, stop), self._score.get(first, stop)[:, 0]
