"""The recorder of a broker's beds: receives, orders and writes; publishes nothing.

It reads with the rights of an observer. Of a large ward it takes the messages of the shards: to ask for a bed in full
would need the right to send commands. Waves other than ECG have a topic of their own in every ward.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from stream.errors import RecordError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.recording.bed_files import BedFiles
from stream.recording.bed_recording import BedRecording
from stream.recording.chart_recording import ChartRecording
from stream.recording.folder import RecordingFolder
from stream.recording.short_records import DEFAULT_SHORT, ShortRecords
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm
from stream.wire.bed_places import PLACES_VARIABLE, BedPlaces
from stream.wire.both_ways import BothWays
from stream.wire.lease import Leases
from stream.wire.messages import Annotation, Beat, Message, Vitals, Waveform
from stream.wire.numerics_message import Alone, Numerics
from stream.wire.publishers import Publishers
from stream.wire.shard import ALL_BEDS
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from stream.wire.ward_messages import WardEcg
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.record")

TICK_S = 0.5
"""Time between two turns in which what is due is written."""

_OF_BEDS = (
    Kind.ECG,
    Kind.WAVE,
    Kind.BEATS,
    Kind.VITALS,
    Kind.NUMERICS,
    Kind.NUMERICS_DERIVED,
    Kind.ALARMS,
    Kind.ANNOTATIONS,
    Kind.STATUS,
)

Convert = Callable[[Path], None]
"""Turns a complete record, a path without suffix, into another format."""


async def record_beds(address: BrokerAddress, recorder: Recorder, seconds: float | None = None) -> None:
    """Record until cancelled, or for a number of seconds; all records are complete then.

    Raises
    ------
    BrokerError
        The broker cannot be reached or refuses this client.
    StorageError
        The files cannot be written.
    """
    try:
        recorder.finish_interrupted()
        async with Client(address, role=None, subscriptions=subscriptions(recorder.beds)) as client:
            log.info("connected; recording %s; Ctrl-C ends it", ", ".join(recorder.beds) or "all beds")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await recorder.run(client)
    finally:
        recorder.close()


def subscriptions(beds: Sequence[str]) -> list[str]:
    """Return the topic filters for some beds; for all beds if there are none."""
    of_beds = [pattern(kind, bed) for kind in _OF_BEDS for bed in beds] or [pattern(kind) for kind in _OF_BEDS]
    return [*of_beds, pattern(Kind.WARD_ECG), pattern(Kind.PROCESS, role=Role.PUBLISHER)]


class Recorder:
    """The recordings of all beds. Times are monotonic, in ns.

    Parameters
    ----------
    folder : RecordingFolder
    beds : sequence of str
        Names; none for all beds.
    rotate : int
        Samples of ECG after which a new record begins.
    convert : callable or None
    short : int
        Short records that a bed may begin in an hour.
    min_free : int
        Bytes on the disk below which recording ends.

    Attributes
    ----------
    beds : tuple of str
        As given.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        beds: Sequence[str],
        *,
        rotate: int,
        convert: Convert | None = None,
        short: int = DEFAULT_SHORT,
        min_free: int = 0,
    ) -> None:
        self.beds = tuple(beds)
        self._folder, self._wanted, self._rotate, self._convert = folder, frozenset(beds), rotate, convert
        self._most_short, self._min_free = short, min_free
        self._recorded = folder.recorded()
        self._folders = folder.beds()
        self._short: dict[str, ShortRecords] = {}  # also of beds that have lost their place, and may come again
        self._full = False
        self._recordings: dict[str, BedRecording] = {}
        self._charts: dict[str, ChartRecording] = {}
        self._places = BedPlaces()
        self._publishers = Publishers()
        self._both_ways = BothWays()
        self._leases = Leases()
        self._totals: Counter[str] = Counter()

    def finish_interrupted(self) -> None:
        """Complete the records that a killed process left, and say so."""
        for stem, reason in self._folder.finish_interrupted().items():
            log.warning("%s is complete now: %s", stem, reason)
            self._converted(stem)

    async def run(self, client: Client) -> None:
        """Process what a client receives, until cancelled."""
        due_s = time.monotonic() + TICK_S
        while True:
            received = client.receive_nowait()
            if received is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(due_s - time.monotonic(), 0)):
                        received = await client.receive()
            now_ns = time.monotonic_ns()
            if received is not None:
                self.process(received.message, now_ns)
            if now_ns / 1e9 >= due_s:
                self.tick(now_ns)
                due_s = now_ns / 1e9 + TICK_S
                await asyncio.sleep(0)

    def process(self, message: Message | None, now_ns: int) -> None:
        """Process a message.

        Raises
        ------
        StorageError
            The files cannot be written.
        """
        if not self._leases.accept(message):
            return
        match message:
            case Waveform() if not self._both_ways.is_copy(message):
                self._push(message, now_ns)
            case WardEcg():
                for chunk in self._both_ways.chunks(message, self._wanted or ALL_BEDS):
                    self._push(chunk, now_ns)
            case Wave():
                bed = self._bed(message.bed, now_ns)
                if bed is not None:
                    bed.push_wave(message, now_ns)
            case Numerics(alone=Alone()):
                chart = self._chart(message.bed, now_ns)
                if chart is not None:
                    chart.push(message, now_ns)
            case Beat() | Vitals() | Numerics() | Annotation() | Alarm():
                known = self._recordings.get(message.bed)
                if known is not None:
                    known.push_event(message)
                if isinstance(message, Alarm) and message.bed in self._charts:
                    self._charts[message.bed].push_alarm(message)
            case BedStatus() | ProcessStatus():
                self._update(message, now_ns)

    def tick(self, now_ns: int) -> None:
        """Write what is due.

        Raises
        ------
        StorageError
            The files cannot be written, or the disk is nearly full.
        """
        self._folder.check_room(self._min_free)
        for bed in self._recordings.values():
            bed.tick(now_ns)
        for chart in self._charts.values():
            chart.tick(now_ns)

    def close(self) -> None:
        """Finish all records."""
        for name in {*self._recordings, *self._charts}:
            self._remove(name, "the recorder was stopped", time.monotonic_ns())

    def summary(self) -> str:
        """Return one line: what was recorded."""
        total = self._totals
        return (
            f"{total['segments']} records of {total['beds']} beds in {self._folder.path}: "
            f"{total['samples'] / FS:.1f} s of ECG, {total['gaps']} gaps ({total['gap_samples'] / FS:.1f} s)"
            + (f", {total['rows']} rows of beds without ECG" if total["rows"] else "")
        )

    def _push(self, chunk: Waveform, now_ns: int) -> None:
        bed = self._bed(chunk.bed, now_ns, chunk.n / FS)
        if bed is not None:
            bed.push(chunk, now_ns)

    def _update(self, status: BedStatus | ProcessStatus, now_ns: int) -> None:
        for name, session in self._publishers.update(status):
            if name in self._recordings:
                self._recordings[name].release(session, now_ns)
            if name in self._charts:
                self._charts[name].release(session, now_ns)
        if isinstance(status, BedStatus) and status.role == "publisher" and status.bed in self._charts:
            self._charts[status.bed].note_reported(status.session, now_ns)
        if isinstance(status, BedStatus) and status.role == "worker" and status.bed in self._recordings:
            self._recordings[status.bed].expect(status)

    def _bed(self, name: str, now_ns: int, signal_s: float = 0.0) -> BedRecording | None:
        """Return a bed; None if there is no place for it."""
        if not self._admit(name, now_ns, signal_s):
            return None
        if name not in self._recordings:
            self._recordings[name] = BedRecording(self._files(name), self._rotate)
        return self._recordings[name]

    def _chart(self, name: str, now_ns: int) -> ChartRecording | None:
        """Return a bed without ECG; None if there is no place for it, or if it sends ECG."""
        known = self._recordings.get(name)
        if (known is not None and known.is_sent(now_ns)) or not self._admit(name, now_ns):
            return None
        if name not in self._charts:
            self._charts[name] = ChartRecording(self._files(name), self._rotate // FS)
        return self._charts[name]

    def _files(self, name: str) -> BedFiles:
        short = self._short.setdefault(name, ShortRecords(name, self._most_short))
        recorded = self._recorded.get(name, {})
        return BedFiles(name, lambda: self._next_stem(name), self._converted, recorded, short)

    def _next_stem(self, name: str) -> Path | None:
        """Return the path of a new record; None if its bed has no folder and there are too many."""
        if not self._has_folder(name):
            return None
        self._folders.add(name)
        return self._folder.next_stem(name)

    def _has_folder(self, name: str) -> bool:
        """Return whether a bed has a folder or may have one; that there are too many is logged once."""
        if name in self._folders or len(self._folders) < self._places.limit:
            return True
        if not self._full:
            self._full = True
            log.warning(
                "%s has folders of %d beds: bed %s and others beyond are not recorded. Choose another --out, name the "
                "beds with --bed, or set %s",
                self._folder.path,
                len(self._folders),
                name,
                PLACES_VARIABLE,
            )
        return False

    def _admit(self, name: str, now_ns: int, signal_s: float = 0.0) -> bool:
        """Return whether there is a place for a bed. The one that loses its place ends with what it has."""
        if not self._has_folder(name):
            return False
        admitted, lost = self._places.admit(name, now_ns / 1e9, signal_s)
        if lost is not None:
            self._remove(lost, "another bed has its place", now_ns)
        return admitted

    def _remove(self, name: str, reason: str, now_ns: int) -> None:
        """Remove a bed, its records complete."""
        counters: Counter[str] = Counter()
        if (bed := self._recordings.pop(name, None)) is not None:
            bed.close(reason, now_ns)
            counters.update(bed.counters)
        if (chart := self._charts.pop(name, None)) is not None:
            chart.close(reason)
            counters.update(chart.counters)
        if name not in self._folders:
            self._short.pop(name, None)
        self._totals.update(counters)
        self._totals["beds"] += bool(counters["segments"])

    def _converted(self, stem: Path) -> None:
        """Convert a complete record, if that is wanted; one that cannot be converted stays as it is."""
        if self._convert is None:
            return
        try:
            self._convert(stem)
        except RecordError as error:
            log.warning("%s", error)
