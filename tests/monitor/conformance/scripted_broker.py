"""Six seconds of a bed as a correct publisher and a correct worker send it, and ways to spoil them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from monitor.conformance.checker import Checker
from monitor.conformance.findings import Findings
from stream.clock import rfc3339
from stream.wire import codec
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command
from stream.wire.messages import Annotation, Beat, Forecast, Message, Vitals
from stream.wire.raw_message import RawMessage
from stream.wire.replay_actions import SetLoop
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import QOS, RETAINED
from tests.waveforms import SESSION, chunk, numeric, numerics, wave

BEGIN_NS = 1_700_000_000_000_000_000
CHUNKS = 60
ALARM_ID = f"{SESSION}-ventricular_tachycardia-700"


@dataclass(frozen=True)
class Sent:
    """A message, when it was sent, and how; the rest as its topic demands."""

    at_s: float
    message: Message
    changed: dict[str, Any]

    def raw(self) -> RawMessage:
        topic = codec.topic_of(self.message)
        at_ns = BEGIN_NS + round(self.at_s * 1e9)
        as_it_should_be = RawMessage(
            topic=str(topic),
            payload=codec.encode(self.message),
            qos=QOS[topic.kind],
            retain=topic.kind in RETAINED,
            stored=False,
            received_ns=at_ns,
            monotonic_ns=at_ns - BEGIN_NS,
        )
        return replace(as_it_should_be, **self.changed)


Script = list[Sent]
Spoil = Callable[[Script], Script]


def when(at_s: float) -> str:
    return rfc3339(BEGIN_NS + round(at_s * 1e9))


def alarm(phase: Any, at_s: float, **fields: Any) -> Alarm:
    return Alarm(
        **{
            "event_id": f"{ALARM_ID}-{phase}",
            "alarm_id": ALARM_ID,
            "bed": "bed-1",
            "session": SESSION,
            "record": "traceable",
            "kind": "ventricular_tachycardia",
            "priority": "high",
            "phase": phase,
            "onset": 700,
            "end": None if phase == "raised" else 1400,
            "when": when(at_s),
            "text": "VT",
            "duration_s": 1.0,
            "reason": "rule_met" if phase == "raised" else "rule_no_longer_met",
            "latched": phase == "cleared",
            "lease": 1,
            **fields,
        }
    )


def process_status(at_s: float, role: Any, instance: str) -> ProcessStatus:
    return ProcessStatus(role=role, instance=instance, state="online", when=when(at_s), beds=("bed-1",))


def bed_status(at_s: float, role: Any, instance: str, state: Any) -> BedStatus:
    lease = 1 if role == "worker" else 0
    return BedStatus(
        bed="bed-1",
        role=role,
        instance=instance,
        state=state,
        when=when(at_s),
        record="traceable",
        session=SESSION,
        lease=lease,
    )


def forecast(seq: int, **fields: Any) -> Forecast:
    made: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "seq": seq,
        "origin": 36 * seq + 35,
        "leads": ("MLII",),
        "offsets": (4, 8),
        "mean": bytes(8),
        "scale": bytes(8),
        "score": None,
        "threshold": 3.0,
        "published_ns": 1,
        "lease": 1,
    }
    return Forecast(**{**made, **fields})


def vitals(at_s: float, second: int) -> Vitals:
    return Vitals(
        bed="bed-1",
        session=SESSION,
        index=360 * second - 1,
        when=when(at_s),
        heart_rate=60.0,
        rr_ms=None,
        pvc_per_min=0,
        rhythm="sinus",
        quality=1.0,
        score=None,
        skill=None,
        lease=1,
    )


def script() -> Script:
    """Return what is sent, in order."""
    sent: Script = []

    def send(at_s: float, *messages: Message) -> None:
        sent.extend(Sent(at_s, message, {}) for message in messages)

    for seq in range(CHUNKS):
        due = seq / 10 + 35 / 360
        if seq % 20 == 0:
            send(due, process_status(due, "publisher", "ab12"), process_status(due, "worker", "cd34"))
        send(due, wave(seq), chunk(seq))
        if seq % 20 == 0:
            send(due, bed_status(due, "publisher", "ab12", "playing"))
            send(due, bed_status(due, "worker", "cd34", "forecasting"))
        send(due, forecast(seq))
        if seq % 10 == 4:
            index = 36 * seq + 10
            send(due, Annotation(bed="bed-1", session=SESSION, index=index, symbol="N"))
            send(due, Beat(bed="bed-1", session=SESSION, index=index, type="N", rr_ms=None, quality=1.0, lease=1))
        if seq % 10 == 9:
            send(due, numerics(index=36 * seq, when=when(due)), vitals(due, seq // 10 + 1))
            derived = numerics(
                index=36 * seq + 35, when=when(due), values=(numeric("pulse_rate", 60.0, source="measured"),), lease=1
            )
            send(due, derived)
        if seq == 30:
            raised = alarm("raised", due)
            send(due, raised, ActiveAlarms(bed="bed-1", alarms=(raised,), lease=1))
            command = Command(
                command_id="a" * 32, bed="bed-1", who="nurse 1", when=when(due), action=SetLoop(loop=True)
            )
            send(due, command)
        if seq == 40:
            cleared = alarm("cleared", due)
            send(due, cleared, ActiveAlarms(bed="bed-1", alarms=(cleared,), lease=1))
    return sent


# --- ways to spoil it ------------------------------------------------------------------------------------------------


def place(sent: Script, kind: type[Message], number: int) -> int:
    """Return where the message of a kind with a number stands; the number may count from the end."""
    return [i for i, one in enumerate(sent) if type(one.message) is kind][number]


def change(kind: type[Message], number: int, **fields: Any) -> Spoil:
    """Change fields of one message."""

    def spoil(sent: Script) -> Script:
        i = place(sent, kind, number)
        message = msgspec.structs.replace(sent[i].message, **fields)
        return [*sent[:i], replace(sent[i], message=message), *sent[i + 1 :]]

    return spoil


def change_from(kind: type[Message], number: int, **by: Any) -> Spoil:
    """Add to fields of all messages from one on."""

    def spoil(sent: Script) -> Script:
        first = place(sent, kind, number)
        moved = []
        for i, one in enumerate(sent):
            if i >= first and type(one.message) is kind:
                fields = {name: getattr(one.message, name) + more for name, more in by.items()}
                one = replace(one, message=msgspec.structs.replace(one.message, **fields))
            moved.append(one)
        return moved

    return spoil


def deliver(kind: type[Message], number: int, **changed: Any) -> Spoil:
    """Change how one message is delivered, or its payload."""

    def spoil(sent: Script) -> Script:
        i = place(sent, kind, number)
        return [*sent[:i], replace(sent[i], changed=changed), *sent[i + 1 :]]

    return spoil


def edit(kind: type[Message], number: int, **fields: Any) -> Spoil:
    """Change the payload of one message, whatever its class permits."""

    def spoil(sent: Script) -> Script:
        i = place(sent, kind, number)
        own = msgspec.msgpack if kind in codec.BINARY else msgspec.json
        payload = own.encode({**own.decode(codec.encode(sent[i].message)), **fields})
        return [*sent[:i], replace(sent[i], changed={"payload": payload}), *sent[i + 1 :]]

    return spoil


def drop(kind: type[Message], first: int, stop: int) -> Spoil:
    """Leave some messages out."""

    def spoil(sent: Script) -> Script:
        left_out = {place(sent, kind, number) for number in range(first, stop)}
        return [one for i, one in enumerate(sent) if i not in left_out]

    return spoil


def again(kind: type[Message], number: int, after: int | None = None, **fields: Any) -> Spoil:
    """Send one message again, after another of its kind and changed."""

    def spoil(sent: Script) -> Script:
        i, j = place(sent, kind, number), place(sent, kind, number if after is None else after)
        message = msgspec.structs.replace(sent[i].message, **fields)
        return [*sent[: j + 1], Sent(sent[j].at_s, message, {}), *sent[j + 1 :]]

    return spoil


def add(at_s: float, message: Message, **changed: Any) -> Spoil:
    """Send a further message."""
    return lambda sent: sorted([*sent, Sent(at_s, message, changed)], key=lambda one: one.at_s)


def move(kind: type[Message], number: int, by: int) -> Spoil:
    """Move one message by some places."""

    def spoil(sent: Script) -> Script:
        i = place(sent, kind, number)
        rest = [*sent[:i], *sent[i + 1 :]]
        return [*rest[: i + by], replace(sent[i], at_s=rest[i + by - 1].at_s), *rest[i + by :]]

    return spoil


def all_of(*spoils: Spoil) -> Spoil:
    """Spoil in several ways."""

    def spoil(sent: Script) -> Script:
        for one in spoils:
            sent = one(sent)
        return sent

    return spoil


def check(sent: Iterable[Sent], seconds: float = 7.0) -> Findings:
    """Return what the checker finds, listening until some time."""
    checker = Checker()
    next_look_s = 0.0
    for one in sent:
        while next_look_s <= one.at_s:
            checker.advance(round(next_look_s * 1e9))
            next_look_s += 0.25
        checker.observe(one.raw())
    while next_look_s <= seconds:
        checker.advance(round(next_look_s * 1e9))
        next_look_s += 0.25
    return checker.finish(round(seconds * 1e9))
