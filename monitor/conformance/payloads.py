"""A message alone: its topic, QoS, retain flag, size, schema and content."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from monitor.conformance import rules
from monitor.conformance.findings import Note
from stream.clock import unix_ns
from stream.errors import MessageError
from stream.wire import asyncapi, codec, topics
from stream.wire.messages import Message
from stream.wire.raw_message import RawMessage
from stream.wire.topics import QOS, RETAINED, Kind, Topic


def read(arrival: RawMessage, note: Note) -> tuple[Topic, Message | None] | None:
    """Check a message by itself.

    Returns
    -------
    (Topic, Message or None) or None
        The message, or None for one that removes a retained message; None for what consumers would reject.
    """
    try:
        topic = topics.parse(arrival.topic)
    except MessageError:
        note(rules.TOPIC, "a topic that is none of bedside's")
        return None
    _check_delivery(arrival, topic.kind, note)
    if arrival.stored and topic.kind not in RETAINED:
        note(rules.OLD, "a retained message")
        return None
    if not arrival.payload:
        if topic.kind not in RETAINED:
            note(rules.EMPTY, "an empty payload")
            return None
        return topic, None
    limit = codec.max_bytes(topic)
    if len(arrival.payload) > limit:
        note(rules.SIZE, f"more than {limit} bytes", f"at most {limit} bytes")
        return None
    return _decode(topic, arrival.payload, note)


def _check_delivery(arrival: RawMessage, kind: Kind, note: Note) -> None:
    if not arrival.stored and arrival.qos is not None and arrival.qos != QOS[kind]:
        note(rules.QOS, f"QoS {arrival.qos}", f"QoS {QOS[kind]}")
    if not arrival.stored and arrival.retain is not None and arrival.retain != (kind in RETAINED):
        seen = "published with the retain flag" if arrival.retain else "published without the retain flag"
        note(rules.RETAIN, seen, "retained" if kind in RETAINED else "not retained")


def _decode(topic: Topic, payload: bytes, note: Note) -> tuple[Topic, Message] | None:
    """Return a message that fits the published schema, and what every consumer demands beyond it."""
    binary = codec.MESSAGE_OF[topic.kind] in codec.BINARY
    try:
        fields = msgspec.msgpack.decode(payload) if binary else msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        note(rules.FORMAT, str(error), "MessagePack" if binary else "JSON")
        return None
    problem = next(validator(topic.kind).iter_errors(fields), None)
    if problem is not None:
        note(rules.SCHEMA, f"{problem.json_path} {_brief(problem.message)}")
    try:
        message = codec.decode(topic, payload)
    except MessageError as error:
        # What the schema forbids, consumers reject as well: one cause, one finding.
        if problem is None:
            note(rules.CONTENT, str(error).removeprefix(f"{topic}: "))
        return None
    assert message is not None
    when = getattr(message, "when", None)
    if when is not None and not unix_ns(when):
        note(rules.WHEN, f"when {when!r}")
    return topic, message


def _brief(text: str) -> str:
    return text if len(text) < 160 else f"{text[:80]} … {text[-70:]}"


@cache
def validator(kind: Kind) -> Draft202012Validator:
    """Return the validator of the schema that asyncapi.yaml has of a kind of topic.

    JSON Schema has no bytes: a ``binary`` string of the document is the type ``bytes`` of MessagePack here.
    """
    name = codec.MESSAGE_OF[kind].__name__
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _schemas()}}
    return _Validator(schema)


_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("bytes", lambda _, value: isinstance(value, bytes)),
)


@cache
def _schemas() -> Any:
    return _with_bytes(asyncapi.document()["components"]["schemas"])


def _with_bytes(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return [_with_bytes(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "binary":
        return {"type": "bytes"}
    return {key: _with_bytes(value) for key, value in schema.items()}
