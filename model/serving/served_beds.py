"""Which beds a worker serves: their places, their leases, and what earlier workers left of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial

from model.alarms.alarm_manager import AlarmManager, SavedAlarms
from model.alarms.state import AlarmContext
from model.conditions.settings import AlarmConfig
from model.pipeline.bed_group import Slot
from model.pipeline.beds import Beds
from model.serving.bed import Bed, restored_bed
from model.serving.checkpoint import BedCheckpoint
from model.serving.checkpoint_writer import CheckpointWriter
from stream.clock import Clock, monotonic_ns
from stream.errors import StorageError
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.bed_places import BedPlaces
from stream.wire.bed_stream import Stream
from stream.wire.lease import next_lease
from stream.wire.messages import Message, Waveform

log = logging.getLogger("bedside.worker")

FRESH_NS = 60_000_000_000
"""Age in ns up to which a bed in a checkpoint is expected to send at once, and is served before it does."""

MAX_LEASES = 4096
"""Largest number of beds whose leases are registered."""


class UrgentBeds(Container[str]):
    """The beds with an active alarm of high or medium priority; the loop that holds them asks for few."""

    def __init__(self, beds: Mapping[str, Bed]) -> None:
        self._beds = beds

    def __contains__(self, name: object) -> bool:
        bed = self._beds.get(name) if isinstance(name, str) else None
        return bed is not None and bed.alarms.urgent


class Leases(Mapping[str, int]):
    """The leases of beds."""

    def __init__(self, beds: Mapping[str, Bed]) -> None:
        self._beds = beds

    def __getitem__(self, name: str) -> int:
        return self._beds[name].lease

    def __contains__(self, name: object) -> bool:
        return name in self._beds

    def __iter__(self) -> Iterator[str]:
        return iter(self._beds)

    def __len__(self) -> int:
        return len(self._beds)


class ServedBeds(Mapping[str, Bed]):
    """The beds that are served, by name: they have sent samples, or are expected to at once.

    Parameters
    ----------
    config : AlarmConfig
    instance : str
        This worker's process.
    clock : Clock
    send : callable
        Sends a message of an alarm manager.
    checkpoints : CheckpointWriter
    lose : callable
        Called with a bed that has lost its place to another, and is not served any more.

    Attributes
    ----------
    restored : dict of str to AlarmManager
        Alarms that an earlier worker left, of beds that have sent nothing yet.
    limit : int
        Number of places for beds.
    names : tuple of str
        Of the beds, sorted.
    """

    def __init__(
        self,
        config: AlarmConfig,
        instance: str,
        clock: Clock,
        *,
        send: Callable[[Message], None],
        checkpoints: CheckpointWriter,
        lose: Callable[[Bed], None],
    ) -> None:
        self.restored: dict[str, AlarmManager] = {}
        self._config = config
        self._instance = instance
        self._clock = clock
        self._send = send
        self._checkpoints = checkpoints
        self._lose = lose
        self._beds: dict[str, Bed] = {}
        self.names: tuple[str, ...] = ()
        self._waiting: dict[str, Bed] = {}  # in a checkpoint, and not expected to send; their alarms are in `restored`
        self._highest_leases: dict[str, int] = {}
        self._places = BedPlaces()
        self.limit = self._places.limit

    def __getitem__(self, name: str) -> Bed:
        return self._beds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._beds)

    def __len__(self) -> int:
        return len(self._beds)

    def alarm_managers(self) -> Iterator[tuple[str, AlarmManager]]:
        """Yield the alarms of all beds, also of those that have sent nothing yet."""
        for name, bed in self._beds.items():
            yield name, bed.alarms
        yield from self.restored.items()

    def restored_context(self, name: str) -> AlarmContext:
        """Return the context of the alarms in `restored`: their bed has sent no samples."""
        return AlarmContext(name, "", "", 0, self._clock.now_ns())

    # --- places ---------------------------------------------------------------------------------------------------

    def admit(self, name: str, *, retained: bool = False, signal_s: float = 0.0) -> bool:
        """Return whether a bed that has sent a message has a place; see `BedPlaces.admit`."""
        admitted, lost = self._places.admit(name, monotonic_ns(self._clock) / 1e9, signal_s, retained=retained)
        if lost is not None:
            self.restored.pop(lost, None)
            self._forget_waiting(lost)
            served = self._remove(lost)
            self._checkpoints.remove(lost)
            if served is not None:
                self._lose(served)
        return admitted

    def renew(self, beds: Iterable[Bed], now_ns: int, signal_s: float) -> None:
        """Note that served beds have sent ``signal_s`` seconds of signal each; times are monotonic."""
        self._places.renew([bed.name for bed in beds], now_ns / 1e9, signal_s)

    def give_way(self, name: str) -> None:
        """Let others have the place of a bed that has ended, 10 s after its last message."""
        self._places.leave(name)
        self._places.admit(name, monotonic_ns(self._clock) / 1e9)

    def serve_waiting(self, name: str) -> bool:
        """Serve a bed that waited in a checkpoint; return whether there was one."""
        bed = self._waiting.pop(name, None)
        if bed is not None:
            self._serve(bed)
        return bed is not None

    def serve_new(self, chunk: Waveform, stream: Stream, slot: Slot) -> Bed:
        """Serve a bed from its first chunk on, with the alarms that an earlier worker left."""
        name = chunk.bed
        alarms = self.restored.get(name) or self._alarm_manager(name)
        bed = Bed(chunk, stream, slot, alarms, self.lease_of(name), received_ns=monotonic_ns(self._clock))
        bed.served_by = (self._instance,)
        self._serve(bed)
        return bed

    def give_up(self, name: str) -> None:
        """Serve a bed no more, because it sends no ECG from now on; its alarms are kept for its values."""
        bed = self._remove(name)
        if bed is not None:
            self._places.leave(name)
            self.restored[name] = bed.alarms

    def left_alarms(self, name: str) -> AlarmManager | None:
        """Return the alarms that an earlier worker left of a bed that sends no ECG; its ECG is forgotten."""
        self._forget_waiting(name)
        return self.restored.pop(name, None)

    def _remove(self, name: str) -> Bed | None:
        bed = self._beds.pop(name, None)
        if bed is not None:
            bed.leave_run()
            bed.slot.release()
            self.names = tuple(sorted(self._beds))
            self._checkpoints.leave(name)
        return bed

    def _forget_waiting(self, name: str) -> None:
        bed = self._waiting.pop(name, None)
        if bed is not None:
            bed.slot.release()
            self._checkpoints.leave(name)

    def take_alarms(self, name: str, saved: SavedAlarms) -> None:
        """Keep the alarms of a bed that sent no ECG, for the ECG that it sends from now on."""
        self.restored[name] = self._alarm_manager(name)
        self.restored[name].restore_saved(saved)

    def _serve(self, bed: Bed) -> None:
        self._beds[bed.chunk.bed] = bed
        self.names = tuple(sorted(self._beds))
        self.restored.pop(bed.chunk.bed, None)

    # --- leases ---------------------------------------------------------------------------------------------------

    def observe_lease(self, name: str, lease: int) -> None:
        """Register the lease of another worker, before this one serves: it will use a higher one."""
        if name in self._highest_leases or len(self._highest_leases) < MAX_LEASES:
            self._highest_leases[name] = max(self._highest_leases.get(name, 0), lease)
        if name in self.restored:
            self.restored[name].lease = self.lease_of(name)

    def lease_of(self, name: str) -> int:
        """Return the lease under which this worker serves a bed that it begins to serve."""
        return next_lease(self._highest_leases.get(name, 0))

    def _alarm_manager(self, name: str) -> AlarmManager:
        save = partial(self._checkpoints.save_alarms, name)
        return AlarmManager(self._config, self._send, self.lease_of(name), save)

    # --- what earlier workers left --------------------------------------------------------------------------------

    def restore_alarms(self, active: ActiveAlarms) -> None:
        """Restore the retained alarms of an earlier worker; they continue when the bed sends samples.

        A checkpoint prevails over them. Kinds of alarm that are switched off in the list are logged: anyone who may
        write to the broker can write it.
        """
        known = active.bed in self._beds or active.bed in self._waiting
        if known or not self.admit(active.bed, retained=True):
            return
        alarms = self.restored[active.bed] = self._alarm_manager(active.bed)
        alarms.restore(active, self._clock.now_ns())
        if active.limits.off:
            log.warning("bed %s: alarms restored as switched off: %s", active.bed, ", ".join(active.limits.off))

    def restore_beds(self, checkpoints: Iterable[BedCheckpoint], served_by: Mapping[str, str], analysis: Beds) -> None:
        """Go on with the beds of earlier workers.

        Parameters
        ----------
        checkpoints : iterable of BedCheckpoint
            They prevail over the retained alarms.
        served_by : mapping of str to str
            The process that served each bed last, according to the retained status of the bed. If that process did
            not continue the checkpoint, the checkpoint is outdated and is ignored.
        analysis : Beds
        """
        now_ns = self._clock.now_ns()
        for checkpoint in checkpoints:
            name = checkpoint.chunk.bed
            if served_by.get(name, self._instance) not in (*checkpoint.served_by, self._instance):
                log.warning("bed %s starts anew: another worker has served it since its checkpoint", name)
                continue
            self.observe_lease(name, checkpoint.lease)
            fresh = abs(now_ns - checkpoint.alive_ns) <= FRESH_NS and not checkpoint.ended
            if not self.admit(name, signal_s=checkpoint.chunk.end / FS if fresh else 0.0, retained=not fresh):
                continue
            try:
                slot = analysis.put(checkpoint.analysis)
            except StorageError as error:
                log.warning("bed %s starts anew: %s", name, error)
                continue
            alarms, lease = self._alarm_manager(name), self.lease_of(name)
            bed = restored_bed(checkpoint, slot, alarms, self._instance, lease, now_ns, monotonic_ns(self._clock))
            self._checkpoints.save(bed)
            if fresh:
                self._serve(bed)
            else:
                self._waiting[name] = bed
                self.restored[name] = bed.alarms
