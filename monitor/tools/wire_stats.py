"""What an onlooker can measure on the wire: rates, ages, delays, and how good the forecasts were. No sockets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from stream.errors import MessageError
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.continuity import Continuity, follow
from stream.wire.messages import BedStatus, Forecast, Message, Waveform

HORIZONS = {"11": 4, "50": 18, "100": 36}
"""Horizon in ms, as it is written, and in samples at 360 Hz."""

_RING = 8192
_RATE_WINDOW_NS = 5_000_000_000
_MAX_LATENCIES = 200_000


@dataclass
class Errors:
    """Sums of absolute errors in mV, by horizon."""

    forecast: dict[str, float] = field(default_factory=lambda: dict.fromkeys(HORIZONS, 0.0))
    persistence: dict[str, float] = field(default_factory=lambda: dict.fromkeys(HORIZONS, 0.0))
    count: int = 0

    def mae(self, sums: dict[str, float]) -> dict[str, float | None]:
        """Return the mean absolute errors in mV; None before the first forecast came true."""
        return {horizon: sums[horizon] / self.count if self.count else None for horizon in HORIZONS}


class BedStats:
    """What was seen of one bed. The first lead counts for forecast errors.

    Attributes
    ----------
    waveform : Waveform or None
        The latest chunk.
    score, threshold : float or None
        Of the latest forecast; a score of None says that the worker is learning.
    errors : Errors
        Forecast and persistence (the last sample stays) against what came.
    latencies_ms : deque of float
        Chunk due → forecast published.
    active : tuple of Alarm
        The alarms that last.
    raised : set of str
        The ids of all alarms raised.
    publisher, worker : BedStatus or None
        The latest status in each role.
    """

    def __init__(self) -> None:
        self.waveform: Waveform | None = None
        self.score: float | None = None
        self.threshold: float | None = None
        self.errors = Errors()
        self.latencies_ms: deque[float] = deque(maxlen=_MAX_LATENCIES)
        self.active: tuple[Alarm, ...] = ()
        self.raised: set[str] = set()
        self.publisher: BedStatus | None = None
        self.worker: BedStatus | None = None
        self._position: Continuity | None = None
        self._mv: npt.NDArray[np.float64] = np.full(_RING, np.nan)
        self._due: dict[int, int] = {}
        self._pending: deque[Forecast] = deque(maxlen=100)
        self._recent: deque[tuple[int, int]] = deque()

    def update(self, message: Message, received_ns: int) -> None:
        """Take a message of this bed."""
        match message:
            case Waveform():
                self._take_waveform(message, received_ns)
            case Forecast():
                self._take_forecast(message)
            case Alarm(phase="raised"):
                self.raised.add(message.alarm_id)
            case ActiveAlarms():
                self.active = message.alarms
            case BedStatus(role="publisher"):
                self.publisher = message
            case BedStatus(role="worker"):
                self.worker = message

    def rate(self, now_ns: int) -> float:
        """Return the samples per second that arrived over the last seconds."""
        self._forget(now_ns)
        if len(self._recent) < 2:
            return 0.0
        # The first chunk only marks the begin of the interval.
        samples = sum(n for _, n in self._recent) - self._recent[0][1]
        return samples * 1e9 / max(self._recent[-1][0] - self._recent[0][0], 1)

    def _forget(self, now_ns: int) -> None:
        while self._recent and self._recent[0][0] < now_ns - _RATE_WINDOW_NS:
            self._recent.popleft()

    def age_s(self, now_ns: int) -> float | None:
        """Return the seconds since the latest sample was due; None before the first."""
        return None if self.waveform is None else (now_ns - self.waveform.due_ns) / 1e9

    def _take_waveform(self, chunk: Waveform, received_ns: int) -> None:
        last = self.waveform
        try:
            arrival, self._position = follow(self._position, chunk)
        except MessageError:
            return  # left out, as by the worker, which counts and reports it
        if arrival.duplicate:
            return
        if last is None or (chunk.session, chunk.epoch) != (last.session, last.epoch):
            self._mv[:] = np.nan
            self._pending.clear()
            self._due.clear()
        elif arrival.lost_samples:
            # The values of one ring length ago must not be taken for the lost samples.
            self._mv[np.arange(last.end, min(chunk.start, last.end + _RING)) % _RING] = np.nan
        self.waveform = chunk
        self._mv[np.arange(chunk.start, chunk.end) % _RING] = chunk.mv()[:, 0]
        self._due[chunk.seq] = chunk.due_ns
        self._due.pop(chunk.seq - 1000, None)
        self._recent.append((received_ns, chunk.n))
        self._forget(received_ns)
        self._resolve()

    def _take_forecast(self, forecast: Forecast) -> None:
        self.score, self.threshold = forecast.score, forecast.threshold
        if self.waveform is None or (forecast.session, forecast.epoch) != (self.waveform.session, self.waveform.epoch):
            return
        if (due_ns := self._due.get(forecast.seq)) is not None:
            self.latencies_ms.append((forecast.published_ns - due_ns) / 1e6)
        self._pending.append(forecast)
        self._resolve()

    def _resolve(self) -> None:
        assert self.waveform is not None
        reach = max(HORIZONS.values())
        while self._pending and self._pending[0].origin + reach < self.waveform.end:
            forecast = self._pending.popleft()
            if forecast.origin <= self.waveform.end - _RING:
                continue
            truth = self._mv[(forecast.origin + np.array([0, *HORIZONS.values()])) % _RING]
            if not np.isfinite(truth).all():
                continue
            mean = forecast.mean_mv()[:, 0]
            if len(mean) < reach:
                continue
            for (horizon, samples), value in zip(HORIZONS.items(), truth[1:], strict=True):
                self.errors.forecast[horizon] += abs(value - float(mean[samples - 1]))
                self.errors.persistence[horizon] += abs(value - truth[0])
            self.errors.count += 1


def quantiles_ms(latencies: deque[float]) -> dict[str, float | None]:
    """Return the median and the 99th percentile, rounded to 0.01 ms."""
    if not latencies:
        return {"p50": None, "p99": None}
    p50, p99 = np.percentile(np.fromiter(latencies, np.float64), [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
