"""The injections and faults of the wire of all beds of a publisher: begin, end, and what they change. No socket.

They concern the bed: after a seek, at the restart of a loop and with another record they go on, until they are stopped
or over. In a record without their signal or lead they change nothing. Each start and each end is sent as truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

import numpy as np
from msgspec.structs import replace

from stream.errors import UsageError
from stream.injections import chain, numerics
from stream.injections.chain import Lines
from stream.injections.lead_off import of_respiration
from stream.replay.injection_truth import description, in_effect, truth
from stream.replay.playhead import AnyRecord, Playhead
from stream.replay.record_levels import RecordLevels
from stream.replay.schedule import NEVER_NS
from stream.replay.wire_faults import HeldBack, copies, release_ns
from stream.timebase import FS
from stream.wire.injection_kinds import INJECTION_RULES, MAX_INJECTIONS, Disturbable
from stream.wire.messages import Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import Inject, InjectionAction, StopInjection
from stream.wire.status_messages import RunningInjection
from stream.wire.wave_message import Wave


class Interval(NamedTuple):
    """What is sent of one interval of a bed."""

    waves: tuple[Wave, ...]
    chunk: Waveform
    numerics: Numerics | None


@dataclass
class _Bed:
    running: dict[str, RunningInjection] = field(default_factory=dict)
    held: HeldBack = field(default_factory=HeldBack)
    lines: Lines = field(default_factory=dict)
    epoch: int = 0
    levels: RecordLevels | None = None


class Disturbances:
    """Injections and faults of the wire of all beds.

    Parameters
    ----------
    send : callable
        Sends a message without blocking.
    in_shards : bool
        Whether the ECG of the beds is sent in the messages of their shards: then there are no faults of the wire.
    """

    def __init__(self, send: Callable[[Message], None], *, in_shards: bool) -> None:
        self._send = send
        self._in_shards = in_shards
        self._beds: defaultdict[str, _Bed] = defaultdict(_Bed)

    def concern(self, bed: str) -> bool:
        """Return whether a bed has injections or faults, or messages that are held back."""
        return bed in self._beds

    def running(self, bed: str) -> tuple[RunningInjection, ...]:
        """Return what is in progress."""
        return tuple(self._beds[bed].running.values()) if bed in self._beds else ()

    def disturbable(self, record: AnyRecord) -> tuple[Disturbable, ...]:
        """Return what injections can change in a bed with a record: nothing if it has numerics alone."""
        if record.alone:
            return ()
        found = {"ecg", *(wave.signal for wave in record.waves)} | (set() if self._in_shards else {"wire"})
        return tuple(one for one in get_args(Disturbable) if one in found)

    @property
    def due_ns(self) -> int:
        """Unix time in ns at which the next message leaves that is held back; `NEVER_NS` if there is none."""
        return min((bed.held.due_ns for bed in self._beds.values()), default=NEVER_NS)

    def execute(self, action: InjectionAction, head: Playhead, now_ns: int) -> str:
        """Begin or end an injection at the next chunk of a bed, and return what was done, in words.

        Raises
        ------
        UsageError
            The bed has no such signal or lead, or too many injections.
        """
        if isinstance(action, StopInjection):
            injection = self._beds[head.bed].running.get(action.injection_id) if self.concern(head.bed) else None
            if injection is None:
                return f"injection {action.injection_id!r} is not in progress"
            self._end(injection, head.start, head, now_ns)
            return f"{injection.kind} stopped"
        self._check(action, head)
        injection = in_effect(action, head.start)
        bed = self._beds[head.bed]
        earlier = bed.running.get(action.injection_id)
        if earlier is not None:
            self._end(earlier, head.start, head, now_ns)
        self._beds[head.bed] = bed
        bed.running[injection.injection_id] = injection
        self._send(truth(injection, "begin", head.start, head, now_ns))
        return description(injection, head.record.leads)

    def _check(self, action: Inject, head: Playhead) -> None:
        record, rules = head.record, INJECTION_RULES[action.kind]
        signal = action.signal or next(iter(rules.signals), None)
        signals = ("ecg", *(wave.signal for wave in record.waves))
        if record.alone:
            raise UsageError(f"{action.kind}: bed {head.bed} sends numerics alone, in which nothing can be injected")
        if signal is not None and signal not in signals:
            raise UsageError(f"{action.kind} of {signal}: bed {head.bed} sends {', '.join(signals)}")
        if action.lead is not None and action.lead not in record.leads:
            raise UsageError(f"{action.kind} of lead {action.lead}: bed {head.bed} has {', '.join(record.leads)}")
        if signal is None and self._in_shards:
            raise UsageError(
                f"{action.kind}: beds of a ward are sent together; for faults of the wire, replay with --detail all"
            )
        others = set(self._beds[head.bed].running) - {action.injection_id} if self.concern(head.bed) else ()
        if len(others) >= MAX_INJECTIONS:
            raise UsageError(f"{action.kind}: bed {head.bed} has {MAX_INJECTIONS} injections already; stop one")

    def _end(self, injection: RunningInjection, index: int, head: Playhead, now_ns: int) -> None:
        bed = self._beds[head.bed]
        del bed.running[injection.injection_id]
        bed.lines = {key: line for key, line in bed.lines.items() if key != injection.injection_id}
        if injection.kind == "disconnect":
            bed.held.reconnect(now_ns)
        if not bed.running and not bed.held:
            del self._beds[head.bed]
        self._send(truth(injection, "end", index, head, now_ns))

    def disturb(self, record: AnyRecord, made: Interval) -> Interval:
        """Return what is sent of an interval with the injections of its bed."""
        waves, chunk, values = made
        if chunk.bed not in self._beds:
            return made
        bed = self._beds[chunk.bed]
        injections = [one for one in bed.running.values() if one.signal is not None]
        if not injections:
            return made
        if bed.levels is None or bed.levels.record is not record:
            bed.levels = RecordLevels(record, chunk.bed)
        if chunk.epoch != bed.epoch:
            bed.epoch, bed.lines = chunk.epoch, {}
        return Interval(
            tuple(self._disturbed_wave(bed, wave, injections) for wave in waves),
            self._disturbed_ecg(bed, chunk, injections),
            None if values is None else _disturbed_numerics(bed.levels, values, injections),
        )

    def _disturbed_ecg(self, bed: _Bed, chunk: Waveform, injections: list[RunningInjection]) -> Waveform:
        own = [one for one in injections if one.signal == "ecg"]
        if not own or bed.levels is None:
            return chunk
        adu, _ = chain.disturb(chunk.adu(), bed.levels.ecg, chunk.start, FS, own, {})
        return replace(chunk, samples=adu.astype("<i2", copy=False).tobytes())

    def _disturbed_wave(self, bed: _Bed, wave: Wave, injections: list[RunningInjection]) -> Wave:
        own = [one for one in injections if one.signal == wave.signal]
        if wave.signal == "resp":
            own += [one for one in map(of_respiration, injections) if one is not None]
        if not own or bed.levels is None:
            return wave
        adu = np.frombuffer(wave.samples, "<i2").reshape(-1, 1)
        made, bed.lines = chain.disturb(adu, (bed.levels.wave(wave.signal),), wave.start, wave.fs, own, bed.lines)
        return replace(wave, samples=made.astype("<i2", copy=False).tobytes())

    def carry(self, chunk: Waveform, message: Message) -> None:
        """Send a message of the interval of a chunk over the faulty wire of its bed."""
        bed = self._beds.get(chunk.bed)
        if bed is None:
            self._send(message)
            return
        faults = [one for one in bed.running.values() if one.signal is None and _concerns(one, chunk.start)]
        at_ns = release_ns(chunk, faults)
        for _ in range(copies(message, chunk, faults)):
            bed.held.put(message, at_ns)
        for ready in bed.held.take(chunk.due_ns):
            self._send(ready)

    def finish(self, chunk: Waveform, head: Playhead, now_ns: int) -> bool:
        """End what is over after a chunk; return whether something is."""
        if not self.concern(chunk.bed):
            return False
        over = [one for one in self.running(chunk.bed) if one.end is not None and one.end <= chunk.end]
        for injection in over:
            self._end(injection, injection.end or chunk.end, head, now_ns)
        self.release(now_ns)
        return bool(over)

    def release(self, now_ns: int) -> None:
        """Send what need not be held back any longer."""
        for name, bed in tuple(self._beds.items()):
            for message in bed.held.take(now_ns):
                self._send(message)
            if not bed.running and not bed.held:
                del self._beds[name]

    def release_all(self, bed: str) -> None:
        """Send all that is held back of a bed: it has ended, or another record follows."""
        if self.concern(bed):
            for message in self._beds[bed].held.take_all():
                self._send(message)

    def stop(self, head: Playhead, now_ns: int) -> None:
        """End all injections of a bed, at the end of the process."""
        for injection in self.running(head.bed):
            self._end(injection, head.start, head, now_ns)

    def shift(self, by_ns: int) -> None:
        """Shift all times, after a clock step."""
        for bed in self._beds.values():
            bed.held.shift(by_ns)


def _disturbed_numerics(levels: RecordLevels, values: Numerics, injections: list[RunningInjection]) -> Numerics:
    own = [one for one in injections if _concerns(one, values.index)]
    own += [one for one in map(of_respiration, own) if one is not None and levels.by_impedance]
    return replace(values, values=numerics.disturb(values.values, values.index, own, levels.pulse_share))


def _concerns(injection: RunningInjection, index: int) -> bool:
    return injection.begin <= index and (injection.end is None or index < injection.end)
