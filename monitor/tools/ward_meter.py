"""Figures of a ward from its messages: latency of some of its beds, gaps and alarms of all. No sockets."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from monitor.tools.wire_stats import quantiles_ms
from stream.mqtt.client import Received
from stream.wire.alarm_messages import ADVISORIES, Alarm
from stream.wire.messages import Forecast, Vitals, Waveform
from stream.wire.status_messages import BedStatus, ProcessStatus

MAX_LATENCY_MS = 1000.0
"""Largest 99th percentile of a worker that keeps up: the wait of a chunk after which it leaves beds out."""

MAX_LATENESS_MS = 100.0
"""Largest 99th percentile of a publisher that keeps up: the duration of a chunk."""

PROMPT_MS = 500.0
"""Largest 99th percentile of a worker whose output still looks live."""

_KEPT_CHUNKS = 600


@dataclass(frozen=True)
class Gaps:
    """What was not analysed.

    Attributes
    ----------
    gaps : int
        Gaps that the worker has counted.
    unexplained : int
        Beds of which published samples were neither analysed nor left out by a process that says so: dropped by the
        publisher (``chunks_dropped``), shed by the worker (``shed_samples``).
    """

    gaps: int
    unexplained: int


@dataclass
class _Latencies:
    """Times from when a chunk was due to the arrival of its outputs, in ms."""

    forecasts: deque[float] = field(default_factory=deque)
    vitals: deque[float] = field(default_factory=deque)

    def add(self, message: Forecast | Vitals, latency_ms: float) -> None:
        """Add an output."""
        (self.forecasts if isinstance(message, Forecast) else self.vitals).append(latency_ms)

    def quantiles_ms(self) -> dict[str, float | None]:
        """Return p50 and p99 of the forecasts, or of the vital signs where no forecast came."""
        return quantiles_ms(self.forecasts or self.vitals)


class WardMeter:
    """Processes the messages of a ward.

    Parameters
    ----------
    beds : collection of str
        All beds.
    chunk : int
        Samples per chunk.

    Attributes
    ----------
    measuring : bool
        Latencies count for `latency_ms` while it is true.
    overloaded : bool
        A worker has reported that it is, since the start.
    workers : set of str
        Instances of workers that are online.
    overloaded_now : set of str
        Those whose latest status says that they are overloaded.
    raised : int
        Alarms raised, without advisories.
    """

    def __init__(self, beds: Collection[str], chunk: int) -> None:
        self.measuring = False
        self.overloaded = False
        self.workers: set[str] = set()
        self.overloaded_now: set[str] = set()
        self.raised = 0
        self._active: set[str] = set()
        self._beds = beds
        self._chunk = chunk
        self._publisher: dict[str, BedStatus] = {}
        self._worker: dict[str, BedStatus] = {}
        self._chunks: defaultdict[str, deque[Waveform]] = defaultdict(lambda: deque(maxlen=_KEPT_CHUNKS))
        self._measured, self._recent = _Latencies(), _Latencies()

    def process(self, received: Received) -> None:
        """Process a message."""
        match received.message:
            case Waveform() as chunk:
                self._chunks[chunk.bed].append(chunk)
            case Forecast() as forecast:
                self._add(forecast, forecast.origin, received.received_ns)
            case Vitals() as vitals if not received.retained:
                self._add(vitals, vitals.index, received.received_ns)
            case Alarm(resent=False) as alarm if alarm.kind not in ADVISORIES:
                self._count(alarm)
            case BedStatus(role="publisher") as status:
                self._publisher[status.bed] = status
            case BedStatus() as status:
                self._worker[status.bed] = status
            case ProcessStatus(role="worker") as process:
                online, overloaded = process.state == "online", process.overloaded
                (self.workers.add if online else self.workers.discard)(process.instance)
                (self.overloaded_now.add if online and overloaded else self.overloaded_now.discard)(process.instance)
                self.overloaded |= overloaded

    def _add(self, message: Forecast | Vitals, sample: int, received_ns: int) -> None:
        """Keep the time since the chunk of a sample was due."""
        for chunk in reversed(self._chunks[message.bed]):
            if chunk.session == message.session and chunk.start <= sample < chunk.end:
                latency_ms = (received_ns - chunk.due_ns) / 1e6
                self._recent.add(message, latency_ms)
                if self.measuring:
                    self._measured.add(message, latency_ms)
                return

    def _count(self, alarm: Alarm) -> None:
        if alarm.phase == "raised" and alarm.alarm_id not in self._active:
            self._active.add(alarm.alarm_id)
            self.raised += 1
        elif alarm.end is not None:
            self._active.discard(alarm.alarm_id)

    @property
    def latency_ms(self) -> dict[str, float | None]:
        """Median and 99th percentile from a chunk's due time to the arrival of its forecast; of its vitals if none."""
        return self._measured.quantiles_ms()

    def recent_latency_ms(self) -> dict[str, float | None]:
        """Return the same of the time since the last call."""
        recent, self._recent = self._recent, _Latencies()
        return recent.quantiles_ms()

    @property
    def active(self) -> int:
        """Number of alarms whose condition lasts."""
        return len(self._active)

    @property
    def served(self) -> int:
        """Number of beds that a worker serves."""
        return len(self._worker)

    @property
    def caught_up(self) -> bool:
        """True once all beds are paused, or have ended, and their last chunks are processed."""
        return all(
            (published := self._publisher.get(bed)) is not None
            and published.state != "playing"
            and (worked := self._worker.get(bed)) is not None
            and worked.last_seq == published.last_seq
            for bed in self._beds
        )

    @property
    def stopped(self) -> bool:
        """True once the worker has sent the last status of each bed."""
        return all(status.state == "stopped" for status in self._worker.values())

    def gaps(self) -> Gaps:
        """Return what was not analysed, from the last status of each bed."""
        return Gaps(sum(self._gaps()), sum(self._missing(bed) > 0 for bed in self._beds))

    def _gaps(self) -> Iterable[int]:
        return (int(status.counters.get("gaps", 0)) for status in self._worker.values())

    def _missing(self, bed: str) -> float:
        """Return the samples of a bed that are neither analysed nor explained."""
        published, worked = self._publisher.get(bed), self._worker.get(bed)
        if published is None:
            return 0
        sent = published.counters["samples_published"] - self._chunk * published.counters["chunks_dropped"]
        if worked is None or worked.session != published.session:
            return sent
        return sent - worked.counters.get("samples_forecast", 0) - worked.counters.get("shed_samples", 0)
