"""What the log of a class stores beside alarms, for a debriefing: truth, commands, forecasts. No sockets, no database.

The truth is not for monitors and ordinary loggers: with an access list, this takes the account of an instructor
(docs/topics.md). Reference rhythms of a replay with annotations are truth, too, and are stored as such. The forecast of
a strip is what the worker had predicted at most 100 ms before each sample.

Truth and forecasts come over the connection without a persistent session: what is sent while the logger is away is
not stored. Memory is bounded: 1000 messages of truth that wait for the disk, forecasts of 130 s of 64 beds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from monitor.common.strip import Strip
from stream.clock import rfc3339
from stream.wire.detail import IN_FULL
from stream.wire.messages import Annotation, Forecast
from stream.wire.topics import Kind
from stream.wire.truth_message import Truth

OF_CLASS = (Kind.TRUTH, Kind.COMMAND, Kind.ANNOTATIONS, Kind.FORECAST)
"""Topics that only the log of a class reads."""

STRIDE = 36
"""Samples between two forecasts; of each, the first so many are kept."""

MAX_FORECASTS = 1300
"""Forecasts kept of each bed, 130 s."""

MAX_TRUTHS = 1000
"""Messages of truth that wait for the disk; the oldest are dropped."""

WITH_STRIP = frozenset({"injection", "rhythm", "episode", "reference"})
"""What changes the ECG: its beginning is stored as a strip."""


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """An event of truth whose strip is to be stored; see `monitor.alarm_log.strips.Event`."""

    alarm_id: str
    bed: str
    session: str
    onset: int
    priority: str = "low"


@dataclass(frozen=True, slots=True)
class StripForecast:
    """The forecast of a strip.

    Attributes
    ----------
    alarm_id : str
        That of the strip.
    leads : tuple of str
    points : bytes
        Little-endian float32 of shape (k, 1 + 2 × leads): sample of the strip, then the predicted mean of each lead
        and the standard deviation of each lead, in mV.
    """

    alarm_id: str
    leads: tuple[str, ...]
    points: bytes


class ClassLog:
    """Collects what is to be stored.

    Attributes
    ----------
    truths : deque of (Truth, int)
        Messages that wait for the disk, with the Unix time in ns at which they were received.
    """

    def __init__(self) -> None:
        self.truths: deque[tuple[Truth, int]] = deque(maxlen=MAX_TRUTHS)
        self._forecasts: dict[str, deque[Forecast]] = {}

    def receive(self, message: Truth | Annotation | Forecast, received_ns: int) -> TruthEvent | None:
        """Process a message; return the event of which a strip is to be stored, if there is one."""
        match message:
            case Forecast():
                kept = self._forecasts.setdefault(message.bed, deque(maxlen=MAX_FORECASTS))
                kept.append(message)
                if len(self._forecasts) > IN_FULL:
                    del self._forecasts[next(iter(self._forecasts))]
                return None
            case Annotation():
                truth = _of_reference(message, received_ns)
                if truth is None:
                    return None
                message = truth
        self.truths.append((message, received_ns))
        if message.what not in WITH_STRIP or message.phase == "end":
            return None
        return TruthEvent(strip_id(message), message.bed, message.session, message.index)

    def stored(self, some: Sequence[tuple[Truth, int]]) -> None:
        """Forget messages of truth that are on the disk; others may have taken the place of the oldest meanwhile."""
        on_disk = set(map(id, some))
        while self.truths and id(self.truths[0]) in on_disk:
            self.truths.popleft()

    def forecast(self, strip: Strip) -> StripForecast | None:
        """Return the forecast of a strip; None if there was none."""
        start, stop = strip.start, strip.start + len(strip.samples) // (2 * len(strip.leads))
        kept = self._forecasts.get(strip.bed, ())
        points = [
            _points(one, start)
            for one in kept
            if one.session == strip.session and one.leads == strip.leads and start - STRIDE <= one.origin < stop
        ]
        if not points:
            return None
        joined = np.concatenate(points)
        inside = (joined[:, 0] >= 0) & (joined[:, 0] < stop - start)
        return StripForecast(strip.alarm_id, strip.leads, joined[inside].astype("<f4").tobytes())


def strip_id(truth: Truth) -> str:
    """Return the key under which the strip of an event of truth is stored; alarms have other keys."""
    return f"truth {truth.bed} {truth.session[:8]} {truth.truth_id} {truth.index}"


def _points(forecast: Forecast, start: int) -> npt.NDArray[np.float32]:
    """Return the first 100 ms of a forecast, in samples of a strip."""
    count = sum(1 for _ in _within(forecast.offsets))
    at = np.asarray(forecast.offsets[:count], np.float32) + np.float32(forecast.origin - start)
    return np.column_stack((at, forecast.mean_mv()[:count], forecast.scale_mv()[:count]))


def _within(offsets: Iterable[int]) -> Iterable[int]:
    return (offset for offset in islice(offsets, STRIDE) if offset <= STRIDE)


def _of_reference(annotation: Annotation, received_ns: int) -> Truth | None:
    """Return a reference rhythm as truth; None if the annotation is none."""
    name = annotation.aux[1:].strip()
    if annotation.aux[:1] != "(" or not name:
        return None
    return Truth(
        bed=annotation.bed,
        session=annotation.session,
        epoch=0,
        index=annotation.index,
        when=rfc3339(received_ns),
        truth_id="reference",
        what="reference",
        phase="at",
        name=name,
        synthetic=False,
    )
