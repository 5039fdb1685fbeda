"""The beds without ECG that a worker serves: their messages in, outlooks and alarms out; no sockets.

What a message changes is saved before anything of it is sent, so a worker that is killed goes on exactly where it was.
Such a bed is never said to be silent: its values may come once an hour. One session is served at a time, as of a bed
with ECG; another one takes over once its publisher has ended, or once nothing of it has come for `SILENT_NS`: no
message and, however rare those are, no status.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.conditions.settings import AlarmConfig
from model.serving import charted_bed, charted_checkpoints, outlook_output
from model.serving.bed_output import STATUS_EVERY_NS
from model.serving.charted_bed import ChartState
from model.serving.charted_checkpoints import ChartCheckpoint, ChartedCheckpoints
from model.serving.checkpoint import lineage
from model.serving.checkpoint_store import CheckpointStore
from model.serving.served_beds import ServedBeds
from model.trends.forecaster import TrendForecaster
from stream.clock import Clock, monotonic_ns, rfc3339
from stream.wire.alarm_messages import Command
from stream.wire.bed_places import BedPlaces
from stream.wire.chart_order import SILENT_NS, is_plausible
from stream.wire.messages import BedStatus, Message
from stream.wire.numerics_message import Numerics
from stream.wire.shard import ALL_BEDS, Shard

log = logging.getLogger("bedside.worker")

Verdict = Literal["taken", "gap", "duplicate", "refused"]
"""What became of a message, as in the ledger; a gap is before it."""


@dataclass
class ChartedBed:
    """The worker's state of one bed without ECG.

    Attributes
    ----------
    numerics : Numerics
        The last message.
    chart : ChartState
    alarms : AlarmManager
    heard_ns : int
        Monotonic time in ns at which it was received.
    reported_ns : int
        Monotonic time in ns at which its publisher has last said that it sends the session.
    counters : Counter
    released : bool
        Whether the publisher of its session has ended.
    ended : bool
        Whether the publisher has reported the end of the record.
    next_status_ns : int
        Monotonic time in ns at which the next status is due.
    alive_ns : int
        Unix time in ns at which the last message was processed.
    served_by : tuple of str
    checkpoint : int
        Number of the last checkpoint.
    """

    numerics: Numerics
    chart: ChartState
    alarms: AlarmManager
    heard_ns: int
    reported_ns: int = 0
    counters: Counter[str] = field(default_factory=Counter)
    released: bool = False
    ended: bool = False
    next_status_ns: int = 0
    alive_ns: int = 0
    served_by: tuple[str, ...] = ()
    checkpoint: int = 0

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarm transitions after the last message."""
        numerics = self.numerics
        record = "" if numerics.alone is None else numerics.alone.record
        return AlarmContext(numerics.bed, numerics.session, record, numerics.index + 1, now_ns)

    def gives_way(self, now_ns: int) -> bool:
        """Return whether another session may take over, at a monotonic time in ns."""
        return self.released or self.ended or now_ns - max(self.heard_ns, self.reported_ns) > SILENT_NS


class ChartedBeds(Mapping[str, ChartedBed]):
    """All beds without ECG.

    Parameters
    ----------
    config : AlarmConfig
    served : ServedBeds
        The beds with ECG; leases, and the alarms that earlier workers left, are registered there.
    send : callable
        Sends a message; never blocks.
    lose : callable
        Called with the name of a bed that is not served any more.
    instance : str
    clock : Clock
    store : CheckpointStore or None
        Keeps the state of the beds for the next worker.
    """

    def __init__(
        self,
        config: AlarmConfig,
        served: ServedBeds,
        *,
        send: Callable[[Message], None],
        lose: Callable[[str], None],
        instance: str,
        clock: Clock,
        store: CheckpointStore | None,
    ) -> None:
        self._config = config
        self._served = served
        self._send = send
        self._lose = lose
        self._instance = instance
        self._clock = clock
        self._places = BedPlaces()
        self._checkpoints = ChartedCheckpoints(store, lambda: charted_checkpoints.fingerprint(self._forecaster))
        self._beds: dict[str, ChartedBed] = {}
        self._unsent: list[Message] = []

    def __getitem__(self, name: str) -> ChartedBed:
        return self._beds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._beds)

    def __len__(self) -> int:
        return len(self._beds)

    @cached_property
    def _forecaster(self) -> TrendForecaster:
        return TrendForecaster.load()  # only where there is a bed without ECG

    # --- begin and end --------------------------------------------------------------------------------------------

    def read_all(self, shard: Shard = ALL_BEDS) -> list[ChartCheckpoint]:
        """Return what earlier workers have saved."""
        return self._checkpoints.read_all(shard)

    def restore(self, checkpoints: Iterable[ChartCheckpoint], served_by: Mapping[str, str]) -> None:
        """Go on with the beds of earlier workers; see `ServedBeds.restore_beds`."""
        for checkpoint in checkpoints:
            name = checkpoint.numerics.bed
            if served_by.get(name, self._instance) not in (*checkpoint.served_by, self._instance):
                log.warning("bed %s starts anew: another worker has served it since its checkpoint", name)
                continue
            self._served.observe_lease(name, checkpoint.lease)
            if checkpoint.ended:
                if self._served.admit(name, retained=True):
                    self._served.take_alarms(name, checkpoint.alarms)
                continue
            if not self._admit(name, retained=True):
                continue
            bed = ChartedBed(
                checkpoint.numerics,
                checkpoint.chart,
                self._alarm_manager(name),
                heard_ns=monotonic_ns(self._clock) - max(self._clock.now_ns() - checkpoint.alive_ns, 0),
                reported_ns=monotonic_ns(self._clock),
                counters=Counter(checkpoint.counters),
                alive_ns=checkpoint.alive_ns,
                served_by=lineage(checkpoint.served_by, self._instance),
                checkpoint=checkpoint.number,
            )
            self._served.left_alarms(name)
            self._beds[name] = bed
            bed.alarms.continue_saved(name, checkpoint.alarms)
            self._save(bed)
            self._flush()

    def stop(self) -> None:
        """Publish that the beds are no longer served."""
        for bed in self._beds.values():
            self._publish_status(bed, "stopped")

    def give_up(self, name: str) -> AlarmManager | None:
        """Serve a bed no more, which sends ECG from now on, and return its alarms; None if it is still served here."""
        bed = self._beds.get(name)
        if bed is None or not bed.gives_way(monotonic_ns(self._clock)):
            return None
        self._finish(bed)
        self._places.leave(name)
        return self._beds.pop(name).alarms

    def alarm_managers(self) -> Iterator[tuple[str, AlarmManager]]:
        """Yield the alarms of all beds."""
        return ((name, bed.alarms) for name, bed in self._beds.items())

    # --- messages -------------------------------------------------------------------------------------------------

    def receive(self, numerics: Numerics) -> tuple[Verdict, int]:
        """Process a message of a bed without ECG; return what became of it, and the samples lost before it."""
        lost = 0
        name = numerics.bed
        bed = self._beds.get(name)
        now_ns = monotonic_ns(self._clock)
        if bed is None:
            if not self._admit(name):
                return "refused", 0
            bed = self._begin(numerics)
        elif charted_bed.is_old(bed.chart, numerics):
            bed.counters["duplicates"] += 1
            return "duplicate", 0
        elif not self._follows(bed, numerics, now_ns):
            bed.counters["rejected"] += 1
            return "refused", 0
        else:
            lost = charted_bed.lost_samples(bed.numerics, numerics)
        if lost:
            bed.counters["gaps"] += 1
            bed.counters["lost_samples"] += lost
        self._admit(name)
        self._process(bed, numerics)
        bed.heard_ns, bed.alive_ns = now_ns, self._clock.now_ns()
        self._save(bed)
        self._flush()
        if now_ns >= bed.next_status_ns:
            self._publish_status(bed, "forecasting")
        return "gap" if lost else "taken", lost

    def _follows(self, bed: ChartedBed, numerics: Numerics, now_ns: int) -> bool:
        """Return whether a message can follow the last one, of its session or of another one that takes over."""
        if numerics.session == bed.numerics.session:
            return is_plausible(bed.numerics, numerics, now_ns - bed.heard_ns)
        return bed.gives_way(now_ns)

    def _begin(self, numerics: Numerics) -> ChartedBed:
        """Begin to serve a bed, with the alarms that an earlier worker left."""
        name = numerics.bed
        alarms = self._alarm_manager(name)
        left = self._served.left_alarms(name)
        if left is not None:
            alarms.restore_saved(left.saved)
        bed = ChartedBed(numerics, charted_bed.begin(self._forecaster, numerics), alarms, monotonic_ns(self._clock))
        bed.served_by = (self._instance,)
        self._beds[name] = bed
        bed.alarms.resume(bed.context(self._clock.now_ns()))
        return bed

    def _process(self, bed: ChartedBed, numerics: Numerics) -> None:
        now_ns = self._clock.now_ns()
        if not charted_bed.continues(bed.chart, numerics):
            bed.alarms.process(charted_bed.close(bed.chart), bed.context(now_ns))
            if numerics.session != bed.numerics.session:
                bed.counters.clear()
            bed.chart = charted_bed.begin(self._forecaster, numerics)
        bed.numerics, bed.released, bed.ended = numerics, False, False
        before = bed.alarms.raised
        found = charted_bed.step(self._config, self._forecaster, bed.alarms.limits, bed.chart, numerics)
        bed.chart = found.state
        if found.outlook is not None:
            bed.counters["outlooks"] += 1
            limit = charted_bed.threshold(self._forecaster)
            self._unsent.append(
                outlook_output.outlook_message(numerics, found.state, found.outlook, limit, now_ns, bed.alarms.lease)
            )
        bed.alarms.process(found.changes, bed.context(now_ns))
        bed.alarms.advance_time(bed.context(now_ns))
        bed.counters["alarms"] += bed.alarms.raised - before
        bed.counters["messages"] += 1

    def end_publisher(self, name: str, session: str) -> None:
        """Note that the publisher of a session has ended."""
        bed = self._beds.get(name)
        if bed is not None and bed.numerics.session == session:
            bed.released = True

    def update_status(self, status: BedStatus) -> None:
        """Process a publisher's status: the end of the record clears all alarms."""
        bed = self._beds.get(status.bed)
        if bed is None or status.session != bed.numerics.session:
            return
        bed.reported_ns = monotonic_ns(self._clock)
        if status.state == "ended" and not bed.ended:
            self._finish(bed)

    def _finish(self, bed: ChartedBed) -> None:
        bed.ended = True
        bed.alarms.finish(bed.context(self._clock.now_ns()))
        self._save(bed)
        self._flush()

    def execute(self, command: Command) -> None:
        """Execute a command for a bed that is served.

        Raises
        ------
        MessageError
            The command is old or repeated, or its alarm is not in the list.
        """
        bed = self._beds[command.bed]
        bed.alarms.execute(command, bed.context(self._clock.now_ns()))
        bed.counters["commands"] += 1
        self._save(bed)
        self._flush()

    def advance_time(self, now_ns: int) -> None:
        """Advance the time of alarms, and publish the statuses that are due; monotonic time in ns."""
        for bed in self._beds.values():
            if bed.alarms.waits:
                bed.alarms.advance_time(bed.context(self._clock.now_ns()))
                self._flush()
            if not bed.ended and now_ns >= bed.next_status_ns:
                self._publish_status(bed, "forecasting")

    # --- output ---------------------------------------------------------------------------------------------------

    def _alarm_manager(self, name: str) -> AlarmManager:
        return AlarmManager(self._config, self._unsent.append, self._served.lease_of(name))

    def _admit(self, name: str, *, retained: bool = False) -> bool:
        admitted, lost = self._places.admit(name, monotonic_ns(self._clock) / 1e9, retained=retained)
        if lost is not None:
            self._publish_status(self._beds[lost], "stopped")
            del self._beds[lost]
            self._lose(lost)
        return admitted

    def _flush(self) -> None:
        """Send what has been saved."""
        unsent, self._unsent[:] = tuple(self._unsent), ()
        for message in unsent:
            self._send(message)

    def _save(self, bed: ChartedBed) -> None:
        bed.checkpoint += 1
        self._checkpoints.write(
            ChartCheckpoint(
                bed.checkpoint,
                bed.served_by,
                bed.alive_ns,
                bed.numerics,
                dict(bed.counters),
                bed.ended,
                bed.alarms.lease,
                bed.chart,
                bed.alarms.saved,
            )
        )

    def _publish_status(self, bed: ChartedBed, state: Literal["forecasting", "stopped"]) -> None:
        bed.next_status_ns = monotonic_ns(self._clock) + STATUS_EVERY_NS
        numerics, alone = bed.numerics, bed.numerics.alone
        assert alone is not None
        self._send(
            BedStatus(
                bed=numerics.bed,
                role="worker",
                instance=self._instance,
                state=state,
                when=rfc3339(self._clock.now_ns()),
                record=alone.record,
                session=numerics.session,
                position=alone.position,
                speed=alone.speed,
                synthetic=numerics.synthetic,
                counters=dict(bed.counters),
                lease=bed.alarms.lease,
            )
        )
