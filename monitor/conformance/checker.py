"""Checks all that comes from a broker against docs/topics.md; no socket.

State plus message gives findings. Results of a worker are judged `PATIENCE_NS` after their arrival, so that the ECG to
which they belong has come, whatever its QoS.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from monitor.conformance import rules
from monitor.conformance.alarm_events import BedAlarms
from monitor.conformance.bed_stream import BedStream
from monitor.conformance.findings import Findings, Note
from monitor.conformance.payloads import read
from monitor.conformance.processes import BedServers, Processes
from monitor.conformance.results import BedResults
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command
from stream.wire.bed_places import PLACES_VARIABLE, BedPlaces
from stream.wire.both_ways import BothWays
from stream.wire.messages import Annotation, Beat, Forecast, Message, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import Outlook
from stream.wire.raw_message import RawMessage
from stream.wire.replay_actions import PublisherAction
from stream.wire.shard import ALL_BEDS
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import ROOT, Kind, Topic
from stream.wire.ward_messages import WardEcg
from stream.wire.wave_message import Wave

PATIENCE_NS = 500_000_000


@dataclass(slots=True)
class _Bed:
    stream: BedStream = field(default_factory=BedStream)
    results: BedResults = field(default_factory=BedResults)
    alarms: BedAlarms = field(default_factory=BedAlarms)
    servers: BedServers = field(default_factory=BedServers)


class Checker:
    """All beds and processes of a broker.

    Attributes
    ----------
    findings : Findings
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._beds: dict[str, _Bed] = {}
        self._places = BedPlaces()
        self._processes = Processes()
        self._both_ways = BothWays()
        self._results: deque[tuple[int, _Bed, Message, Note]] = deque()

    def observe(self, arrival: RawMessage) -> None:
        """Check a message, in the order of arrival."""
        self._judge(arrival.monotonic_ns)
        note = self.findings.note(self.findings.count(arrival.topic))
        found = read(arrival, note)
        topic, message = (None, None) if found is None else found
        if topic is None or message is None:
            return
        if isinstance(message, ProcessStatus):
            self._processes.status(message, arrival.stored, arrival.monotonic_ns, note)
        elif isinstance(message, WardEcg):
            for chunk in self._both_ways.chunks(message, ALL_BEDS):
                if self._admit(chunk.bed, arrival, chunk.n / FS):
                    self._chunk(chunk, arrival, note)
        elif not self._admit(topic.bed, arrival, message.n / FS if isinstance(message, Waveform) else 0.0):
            return
        elif isinstance(message, BedStatus):
            bed = self._bed(message.bed)
            bed.servers.status(message, arrival.stored, arrival.monotonic_ns, note)
            if not arrival.stored and message.role == "publisher":
                self._publisher(message, arrival.monotonic_ns, note)
            elif not arrival.stored:
                bed.results.check_lease(message, arrival.monotonic_ns, note)
        elif not arrival.stored:
            self._live(message, arrival, note)

    def advance(self, now_ns: int) -> None:
        """Judge what has waited, and look for what does not come: a few times per second; monotonic time in ns."""
        self._judge(now_ns)
        self._processes.check(now_ns)
        note, kept = self.findings.note, self.findings.kept
        for name, bed in self._beds.items():
            bed.servers.check(self._processes, now_ns)
            plays = bed.servers.plays() and self._processes.is_online(bed.servers.latest["publisher"].instance)
            if plays:
                bed.stream.check_silence(now_ns, note(kept(str(Topic(Kind.ECG, name)))))
            served = bed.servers.is_analysed() and plays and not self._processes.overloaded
            bed.results.check_missing(bed.stream, served, note(kept(str(Topic(Kind.VITALS, name)))))

    def finish(self, now_ns: int) -> Findings:
        """Judge all that waits, and return the findings; monotonic time in ns."""
        self._judge(now_ns + PATIENCE_NS)
        self.findings.finish()
        return self.findings

    def _judge(self, now_ns: int) -> None:
        while self._results and now_ns - self._results[0][0] >= PATIENCE_NS:
            _, bed, message, note = self._results.popleft()
            bed.results.result(message, bed.stream, note)

    def _admit(self, name: str | None, arrival: RawMessage, signal_s: float) -> bool:
        """Return whether there is a place for a bed; the one that loses its place keeps its findings."""
        if name is None:
            return True
        admitted, lost = self._places.admit(name, arrival.monotonic_ns / 1e9, signal_s, retained=arrival.stored)
        if lost is not None:
            self._beds.pop(lost, None)
        if not admitted:
            limit = f"at most {self._places.limit} beds ({PLACES_VARIABLE}); further ones are not checked"
            self.findings.note(f"{ROOT}/#")(rules.PLACES, f"bed {name}", limit)
        return admitted

    def _bed(self, name: str) -> _Bed:
        return self._beds.setdefault(name, _Bed())

    def _live(self, message: Message, arrival: RawMessage, note: Note) -> None:
        now_ns = arrival.monotonic_ns
        match message:
            case Waveform():
                if not self._both_ways.is_copy(message):
                    self._chunk(message, arrival, note)
            case Wave():
                self._bed(message.bed).stream.wave(message, note)
            case Annotation():
                self._bed(message.bed).stream.annotation(message, note)
            case Forecast() | Beat() | Vitals() | Numerics():
                bed = self._bed(message.bed)
                bed.results.check_lease(message, now_ns, note)
                self._results.append((now_ns, bed, message, note))
            case Outlook():
                self._bed(message.bed).results.check_lease(message, now_ns, note)
                self._bed(message.bed).results.outlook(message, note)
            case Alarm():
                self._bed(message.bed).results.check_lease(message, now_ns, note)
                self._bed(message.bed).alarms.event(message, now_ns, note)
            case ActiveAlarms():
                self._bed(message.bed).results.check_lease(message, now_ns, note)
                self._bed(message.bed).alarms.active(message, now_ns, note)
            case Command():
                if isinstance(message.action, PublisherAction):
                    self._bed(message.bed).stream.excuse(now_ns)
                self._bed(message.bed).alarms.command(message, arrival.received_ns, note)

    def _chunk(self, chunk: Waveform, arrival: RawMessage, note: Note) -> None:
        bed = self._bed(chunk.bed)
        publisher = bed.servers.latest.get("publisher")
        if publisher is not None and publisher.state == "ended" and publisher.session == chunk.session:
            note(rules.ENDED, f"seq {chunk.seq} of {chunk.bed} after the status ended")
        bed.stream.chunk(chunk, arrival.received_ns, arrival.monotonic_ns, note)

    def _publisher(self, status: BedStatus, now_ns: int, note: Note) -> None:
        stream = self._bed(status.bed).stream
        if status.state != "playing":
            stream.excuse(now_ns)
            stream.sent_ns = now_ns
        last = stream.last
        if last is not None and status.session != last.session and status.state == "playing":
            note(rules.STATE, f"session {status.session[:8]}", f"session {last.session[:8]}, which is sent")
