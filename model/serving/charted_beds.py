"""The beds without ECG that a worker serves: their messages in, outlooks and alarms out; no sockets.

What a message changes is saved before anything of it is sent, so a worker that is killed goes on exactly where it was.
Such a bed is never reported as silent: its values may come once an hour. One session is served at a time, as of a bed
with ECG; another one takes over once its publisher has ended, or once nothing of it has come for `SILENT_NS`: no
message and, however rare those are, no status.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from model.alarms.alarm_manager import AlarmManager
from model.conditions.settings import AlarmConfig
from model.serving import charted_bed, charted_checkpoints, hourly_outlook
from model.serving.charted_checkpoints import ChartCheckpoint, ChartedCheckpoints
from model.serving.charted_output import ChartedBed, ChartedOutput
from model.serving.checkpoint import lineage
from model.serving.checkpoint_store import CheckpointStore
from model.serving.served_beds import ServedBeds
from model.trends.forecaster import TrendForecaster
from stream.clock import Clock, monotonic_ns
from stream.wire.alarm_messages import Command
from stream.wire.bed_places import BedPlaces
from stream.wire.chart_order import is_plausible
from stream.wire.messages import Message
from stream.wire.numerics_message import Numerics
from stream.wire.shard import ALL_BEDS, Shard
from stream.wire.status_messages import BedStatus

log = logging.getLogger("bedside.worker")

Verdict = Literal["taken", "gap", "duplicate", "refused"]
"""What became of a message, as in the ledger; a gap is before it."""


class ChartedBeds(Mapping[str, ChartedBed]):
    """All beds without ECG.

    Parameters
    ----------
    config : AlarmConfig
    forecaster : callable
        Returns the forecaster; called once there is such a bed.
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
        forecaster: Callable[[], TrendForecaster],
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
        self._forecaster = forecaster
        self._lose = lose
        self._instance = instance
        self._clock = clock
        self._places = BedPlaces()
        self._output = ChartedOutput(
            ChartedCheckpoints(store, lambda: charted_checkpoints.fingerprint(forecaster())), send, instance, clock
        )
        self._beds: dict[str, ChartedBed] = {}

    def __getitem__(self, name: str) -> ChartedBed:
        return self._beds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._beds)

    def __len__(self) -> int:
        return len(self._beds)

    # --- begin and end --------------------------------------------------------------------------------------------

    def read_all(self, shard: Shard = ALL_BEDS) -> list[ChartCheckpoint]:
        """Return what earlier workers have saved."""
        return self._output.checkpoints.read_all(shard)

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
                received_ns=monotonic_ns(self._clock) - max(self._clock.now_ns() - checkpoint.alive_ns, 0),
                reported_ns=monotonic_ns(self._clock),
                counters=Counter(checkpoint.counters),
                alive_ns=checkpoint.alive_ns,
                served_by=lineage(checkpoint.served_by, self._instance),
                checkpoint=checkpoint.number,
            )
            self._served.left_alarms(name)
            self._beds[name] = bed
            bed.alarms.continue_saved(name, checkpoint.alarms)
            self._output.save_and_send(bed)

    def stop(self) -> None:
        """Publish that the beds are no longer served."""
        for bed in self._beds.values():
            self._output.publish_status(bed, "stopped")

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
        bed.received_ns, bed.alive_ns = now_ns, self._clock.now_ns()
        self._output.save_and_send(bed)
        if now_ns >= bed.next_status_ns:
            self._output.publish_status(bed, "forecasting")
        return "gap" if lost else "taken", lost

    def _follows(self, bed: ChartedBed, numerics: Numerics, now_ns: int) -> bool:
        """Return whether a message can follow the last one, of its session or of another one that takes over."""
        if numerics.session == bed.numerics.session:
            return is_plausible(bed.numerics, numerics, now_ns - bed.received_ns)
        return bed.gives_way(now_ns)

    def _begin(self, numerics: Numerics) -> ChartedBed:
        """Begin to serve a bed, with the alarms that an earlier worker left."""
        name = numerics.bed
        alarms = self._alarm_manager(name)
        left = self._served.left_alarms(name)
        if left is not None:
            alarms.restore_saved(left.saved)
        bed = ChartedBed(numerics, charted_bed.begin(self._forecaster(), numerics), alarms, monotonic_ns(self._clock))
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
            bed.chart = charted_bed.begin(self._forecaster(), numerics)
        bed.numerics, bed.released, bed.ended = numerics, False, False
        before = bed.alarms.raised
        found = charted_bed.step(self._config, self._forecaster(), bed.alarms.limits, bed.chart, numerics)
        bed.chart = found.state
        if found.outlook is not None:
            bed.counters["outlooks"] += 1
            self._output.add_outlook(bed, found.outlook, hourly_outlook.threshold(self._forecaster()))
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
        self._output.save_and_send(bed)

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
        self._output.save_and_send(bed)

    def advance_time(self, now_ns: int) -> None:
        """Advance the time of alarms, and publish the statuses that are due; monotonic time in ns."""
        for bed in self._beds.values():
            if bed.alarms.waits:
                bed.alarms.advance_time(bed.context(self._clock.now_ns()))
                self._output.send_all()
            if not bed.ended and now_ns >= bed.next_status_ns:
                self._output.publish_status(bed, "forecasting")

    # --- places ---------------------------------------------------------------------------------------------------

    def _alarm_manager(self, name: str) -> AlarmManager:
        return AlarmManager(self._config, self._output.add, self._served.lease_of(name))

    def _admit(self, name: str, *, retained: bool = False) -> bool:
        admitted, lost = self._places.admit(name, monotonic_ns(self._clock) / 1e9, retained=retained)
        if lost is not None:
            self._output.publish_status(self._beds[lost], "stopped")
            del self._beds[lost]
            self._output.checkpoints.remove(lost)
            self._lose(lost)
        return admitted
