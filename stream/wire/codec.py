"""Encodes and decodes messages by topic; no sockets.

Messages with samples are MessagePack; the others are JSON, readable with ``mosquitto_sub``. The version of the layout
is in the topic (``bedside/v1``) and in each message (``"v": 1``).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from stream.errors import MessageError
from stream.wire import topics
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command, EventsRequest
from stream.wire.messages import Annotation, Beat, Forecast, Message, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import Outlook
from stream.wire.score_message import Score
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import OF_WARD, RETAINED, Kind, Topic
from stream.wire.truth_message import Truth
from stream.wire.ward_messages import MAX_WARD_BYTES, WardEcg, WardForecast
from stream.wire.wave_message import Wave

MAX_BYTES = 64 * 1024
"""Maximum payload size of most topics; larger ones are rejected unread. A chunk of 30 s of two leads has 43,200
bytes of samples."""

MAX_ACTIVE_BYTES = 128 * 1024
"""The same of a list of active alarms: it may contain the largest alarm of each kind."""

MESSAGE_OF: dict[Kind, type[Message]] = {
    Kind.ECG: Waveform,
    Kind.WAVE: Wave,
    Kind.FORECAST: Forecast,
    Kind.BEATS: Beat,
    Kind.VITALS: Vitals,
    Kind.NUMERICS: Numerics,
    Kind.NUMERICS_DERIVED: Numerics,
    Kind.OUTLOOK: Outlook,
    Kind.ALARMS: Alarm,
    Kind.ALARMS_ACTIVE: ActiveAlarms,
    Kind.ANNOTATIONS: Annotation,
    Kind.STATUS: BedStatus,
    Kind.PROCESS: ProcessStatus,
    Kind.COMMAND: Command,
    Kind.TRUTH: Truth,
    Kind.SCORE: Score,
    Kind.EVENTS_REQUEST: EventsRequest,
    Kind.WARD_ECG: WardEcg,
    Kind.WARD_FORECAST: WardForecast,
}

BINARY = (Waveform, Wave, Forecast, WardEcg, WardForecast)
"""Messages with samples, encoded as MessagePack."""

_decoders = {
    kind: (msgspec.msgpack.Decoder(cls) if cls in BINARY else msgspec.json.Decoder(cls))
    for kind, cls in MESSAGE_OF.items()
}
_json = msgspec.json.Encoder()
_msgpack = msgspec.msgpack.Encoder()


_NOT_OF_A_BED = (Wave, Numerics, BedStatus, ProcessStatus, EventsRequest, WardEcg, WardForecast)
_KIND_OF = {cls: kind for kind, cls in MESSAGE_OF.items() if cls not in _NOT_OF_A_BED}
"""Kinds of the messages whose topic depends on the bed alone."""

_bed_topic = lru_cache(16_384)(Topic)


def topic_of(message: Message) -> Topic:
    """Return the topic of a message."""
    kind = _KIND_OF.get(type(message))
    if kind is not None:
        return _bed_topic(kind, message.bed)  # type: ignore[attr-defined]
    match message:
        case WardEcg():
            return Topic(Kind.WARD_ECG, shard=message.shard)
        case WardForecast():
            return Topic(Kind.WARD_FORECAST, shard=message.shard)
        case ProcessStatus():
            return Topic(Kind.PROCESS, role=topics.Role(message.role), instance=message.instance)
        case BedStatus():
            return Topic(Kind.STATUS, message.bed, topics.Role(message.role))
        case EventsRequest():
            return Topic(Kind.EVENTS_REQUEST)
        case Wave():
            return Topic(Kind.WAVE, message.bed, signal=message.signal)
        case Numerics():
            return _bed_topic(Kind.NUMERICS_DERIVED if message.derived else Kind.NUMERICS, message.bed)
    raise TypeError(f"{type(message).__name__} has no topic")


def max_bytes(topic: Topic) -> int:
    """Return the maximum payload size of a topic."""
    if topic.kind in OF_WARD:
        return MAX_WARD_BYTES
    return MAX_ACTIVE_BYTES if topic.kind is Kind.ALARMS_ACTIVE else MAX_BYTES


def encode(message: Message) -> bytes:
    """Return the payload of a message."""
    return _msgpack.encode(message) if isinstance(message, BINARY) else _json.encode(message)


def decode(topic: Topic, payload: bytes) -> Message | None:
    """Return the message in a payload; None for an empty payload, which removes a retained message.

    Raises
    ------
    MessageError
        The payload is too large, malformed, violates a constraint of its message, or contains another bed, role,
        instance, signal or shard than its topic; or it is empty and the topic is not retained.
    """
    if not payload:
        if topic.kind in RETAINED:
            return None
        raise MessageError(f"{topic}: empty payload")
    if len(payload) > max_bytes(topic):
        # The size is not named: a connection keeps only the beginning of such a payload.
        raise MessageError(f"{topic}: the payload exceeds the limit of {max_bytes(topic)} bytes")
    try:
        message: Message = _decoders[topic.kind].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise MessageError(f"{topic}: {error}") from None
    if topic_of(message) != topic:
        raise MessageError(f"{topic}: the payload is for {topic_of(message)}")
    return message
