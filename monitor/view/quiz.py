"""Quiz mode: what tells the rhythm is hidden, so that a student can name it. No Qt.

Hidden: rhythms, names of alarms that name one, reference annotations with the types of beats, the live score, and the
record with its place among the records on offer. Numbers, priorities and tones stay, and so do alarms of limits and of
the signal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from monitor.view.source import Source
from stream.mqtt.client import Received
from stream.wire.alarm_messages import ActiveAlarms, Alarm, AlarmKind
from stream.wire.alarm_texts import Phrase, Table
from stream.wire.messages import Annotation, Message, Vitals, Waveform
from stream.wire.score_message import Score
from stream.wire.status_messages import BedStatus
from stream.wire.wave_message import Wave

HIDDEN_KINDS: tuple[AlarmKind, ...] = (
    "asystole",
    "ventricular_fibrillation",
    "ventricular_tachycardia",
    "pvc_run",
    "atrial_fibrillation",
)
"""Alarms whose name is the answer."""

RECORD = "quiz"
"""Shown in place of the name of a record."""

_STATUS = (
    "bed",
    "role",
    "instance",
    "state",
    "when",
    "session",
    "position",
    "duration",
    "speed",
    "loop",
    "last_seq",
    "synthetic",
    "counters",
    "lease",
)
"""Fields of the status of a bed that a quiz shows."""

_ALARM: Mapping[str, str] = {"en": "Rhythm alarm", "ja": "調律のアラーム"}
_ASKED: Mapping[str, str] = {"en": "which rhythm?", "ja": "どの調律?"}


def quiz_table(table: Table, language: str) -> Table:
    """Return the templates of a language without those that tell the rhythm."""
    hidden = dict(table)
    for code in table:
        if any(code in (f"kind.{kind}", f"kind.short.{kind}") or code.startswith(f"{kind}.") for kind in HIDDEN_KINDS):
            hidden[code] = _ALARM[language]
        elif code.startswith("rhythm.short."):
            hidden[code] = "?"
        elif code.startswith("rhythm."):
            hidden[code] = _ASKED[language]
    return hidden


def without_answers(received: Received) -> Received | None:
    """Return a message without what tells the rhythm; None if nothing is left."""
    message = received.message
    if isinstance(message, Annotation | Score):
        return None
    return received if message is None else replace(received, message=_hidden(message))


def _hidden(message: Message) -> Message:
    match message:
        case Waveform() | Wave():
            return msgspec.structs.replace(message, record=RECORD)
        case Vitals():
            return msgspec.structs.replace(message, rhythm="unknown")
        case BedStatus():
            # What else a publisher says, of its records, its scenario, is for those who steer it.
            return BedStatus(record=RECORD, **{name: getattr(message, name) for name in _STATUS})
        case Alarm():
            return msgspec.structs.replace(message, record=RECORD, text="")
        case ActiveAlarms():
            alarms = tuple(msgspec.structs.replace(alarm, record=RECORD, text="") for alarm in message.alarms)
            return msgspec.structs.replace(message, alarms=alarms)
    return message


class QuizSource:
    """A source whose messages do not tell the rhythm.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.send = source.send

    def drain(self) -> list[Received]:
        """Return the messages received since the last call, without what tells the rhythm."""
        return [shown for one in self._source.drain() if (shown := without_answers(one)) is not None]

    @property
    def connected(self) -> bool:
        """Whether the broker is connected."""
        return self._source.connected

    @property
    def phrase(self) -> Phrase:
        """The state of the connection."""
        return self._source.phrase

    @property
    def counters(self) -> dict[str, int]:
        """Counters of the connection."""
        return self._source.counters
