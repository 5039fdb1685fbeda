"""Figures of a ward from its messages: latency of some of its beds, gaps of all. No sockets."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from monitor.tools.wire_stats import quantiles_ms
from stream.mqtt.client import Received
from stream.wire.messages import BedStatus, Forecast, ProcessStatus, Vitals, Waveform

MAX_LATENCY_MS = 1000.0
"""Largest 99th percentile of a worker that keeps up: the wait of a chunk after which it leaves beds out."""

MAX_LATENESS_MS = 100.0
"""Largest 99th percentile of a publisher that keeps up: the duration of a chunk."""

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
        Latencies are kept while it is true.
    overloaded : bool
        A worker has reported that it is, since the begin.
    workers : set of str
        Instances of workers that are online.
    """

    def __init__(self, beds: Collection[str], chunk: int) -> None:
        self.measuring = False
        self.overloaded = False
        self.workers: set[str] = set()
        self._beds = beds
        self._chunk = chunk
        self._publisher: dict[str, BedStatus] = {}
        self._worker: dict[str, BedStatus] = {}
        self._chunks: defaultdict[str, deque[Waveform]] = defaultdict(lambda: deque(maxlen=_KEPT_CHUNKS))
        self._of_forecasts: deque[float] = deque()
        self._of_vitals: deque[float] = deque()

    def process(self, received: Received) -> None:
        """Process a message."""
        match received.message:
            case Waveform() as chunk:
                self._chunks[chunk.bed].append(chunk)
            case Forecast() as forecast:
                self._add(self._of_forecasts, forecast, forecast.origin, received.received_ns)
            case Vitals() as vitals if not received.retained:
                self._add(self._of_vitals, vitals, vitals.index, received.received_ns)
            case BedStatus(role="publisher") as status:
                self._publisher[status.bed] = status
            case BedStatus() as status:
                self._worker[status.bed] = status
            case ProcessStatus(role="worker") as process:
                self.overloaded |= process.overloaded
                if process.state == "online":
                    self.workers.add(process.instance)
                else:
                    self.workers.discard(process.instance)

    def _add(self, latencies: deque[float], message: Forecast | Vitals, sample: int, received_ns: int) -> None:
        """Keep the time since the chunk of a sample was due."""
        if not self.measuring:
            return
        for chunk in reversed(self._chunks[message.bed]):
            if chunk.session == message.session and chunk.start <= sample < chunk.end:
                latencies.append((received_ns - chunk.due_ns) / 1e6)
                return

    @property
    def latency_ms(self) -> dict[str, float | None]:
        """Median and 99th percentile from a chunk's due time to the arrival of its forecast; of its vitals if none."""
        return quantiles_ms(self._of_forecasts or self._of_vitals)

    @property
    def served(self) -> int:
        """Number of beds that a worker serves."""
        return len(self._worker)

    @property
    def caught_up(self) -> bool:
        """True once the worker has processed the last chunk of each bed that has ended."""
        return all(
            (published := self._publisher.get(bed)) is not None
            and published.state == "ended"
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
