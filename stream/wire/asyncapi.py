"""Generates ``docs/asyncapi.yaml``, the AsyncAPI 3.0 document of all topics, from the message classes.

``python -m stream.wire.asyncapi > docs/asyncapi.yaml`` regenerates it; a test compares the two.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from stream.wire.codec import BINARY, MESSAGE_OF
from stream.wire.nomenclature import NUMERIC_CODES, WAVE_CODES
from stream.wire.numerics_message import UNIT_OF, NumericName
from stream.wire.shard import WARD_SHARDS
from stream.wire.topics import QOS, RETAINED, ROOT, SIGNALS, Kind, Role
from stream.wire.wave_message import WAVE_UNIT

SENDERS: dict[Kind, str] = {
    Kind.ECG: "publisher",
    Kind.WAVE: "publisher",
    Kind.FORECAST: "worker",
    Kind.BEATS: "worker",
    Kind.VITALS: "worker",
    Kind.NUMERICS: "publisher",
    Kind.NUMERICS_DERIVED: "worker",
    Kind.OUTLOOK: "worker",
    Kind.ALARMS: "worker",
    Kind.ALARMS_ACTIVE: "worker",
    Kind.ANNOTATIONS: "publisher (optional)",
    Kind.STATUS: "publisher, worker",
    Kind.PROCESS: "each process; also its last will",
    Kind.COMMAND: "anyone",
    Kind.TRUTH: "publisher; for instructors and scorers",
    Kind.SCORE: "scorer (optional)",
    Kind.EVENTS_REQUEST: "logger",
    Kind.WARD_ECG: "publisher of more than 64 beds",
    Kind.WARD_FORECAST: "worker of more than 64 beds",
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "bed": {"description": "Matches [a-z0-9][a-z0-9_-]{0,31}."},
    "shard": {"description": f"CRC-32 of the names of its beds, modulo {WARD_SHARDS}."},
    "role": {"description": "Role of the process.", "enum": [role.value for role in Role]},
    "instance": {"description": "Chosen at random by each process."},
    "signal": {
        "description": "; ".join(f"{signal}: {code}, {WAVE_UNIT[signal]}" for signal, code in WAVE_CODES.items()),
        "enum": list(SIGNALS),
    },
}

JSON_TYPE = {str: "string", int: "integer"}

YAML_KEYWORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""Keys that must be quoted: a YAML 1.1 parser would read them as booleans or null."""


def document() -> dict[str, Any]:
    """Return the AsyncAPI document as dicts, lists and scalars."""
    _, schemas = msgspec.json.schema_components(list(MESSAGE_OF.values()), ref_template="#/components/schemas/{name}")
    schemas["Numeric"]["properties"]["name"]["description"] = "; ".join(
        f"{name}: {NUMERIC_CODES.get(name, 'no MDC code')}, {UNIT_OF[name]}" for name in get_args(NumericName)
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "bedside",
            "version": "1",
            "description": "A streaming bedside-monitor simulator for teaching and development; never a medical "
            "device. docs/topics.md explains times, delivery and commands.",
        },
        "defaultContentType": "application/json",
        "channels": {_name(kind): _channel(kind) for kind in Kind},
        "operations": {f"send_{_name(kind)}": _operation(kind) for kind in Kind},
        "components": {
            "messages": {
                cls.__name__: {
                    "contentType": "application/vnd.msgpack" if cls in BINARY else "application/json",
                    "payload": {"$ref": f"#/components/schemas/{cls.__name__}"},
                }
                for cls in MESSAGE_OF.values()
            },
            "schemas": _plain(schemas),
        },
    }


def to_yaml(value: dict[str, Any]) -> str:
    """Return a document of dicts, lists and scalars as YAML; scalars are written as JSON, a subset of YAML."""
    return "\n".join(_lines(value)) + "\n"


def _name(kind: Kind) -> str:
    return kind.replace("/", "_")


def _address(kind: Kind) -> str:
    match kind:
        case Kind.PROCESS:
            return f"{ROOT}/_/status/{{role}}/{{instance}}"
        case Kind.STATUS:
            return f"{ROOT}/{{bed}}/status/{{role}}"
        case Kind.WAVE:
            return f"{ROOT}/{{bed}}/wave/{{signal}}"
        case Kind.EVENTS_REQUEST:
            return f"{ROOT}/_/{kind}"
        case Kind.WARD_ECG | Kind.WARD_FORECAST:
            return f"{ROOT}/_/ward/{{shard}}/{kind.rpartition('/')[2]}"
        case _:
            return f"{ROOT}/{{bed}}/{kind}"


def _channel(kind: Kind) -> dict[str, Any]:
    address, message = _address(kind), MESSAGE_OF[kind].__name__
    return {
        "address": address,
        "parameters": {name: parameter for name, parameter in PARAMETERS.items() if f"{{{name}}}" in address},
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _operation(kind: Kind) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_name(kind)}"},
        "summary": f"From: {SENDERS[kind]}.",
        "bindings": {"mqtt": {"qos": QOS[kind], "retain": kind in RETAINED}},
    }


def _plain(schema: Any) -> Any:
    """Return a schema for other languages: ECMA patterns, bytes as binary strings, descriptions without indent."""
    if isinstance(schema, list | tuple):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("contentEncoding") == "base64":  # msgspec assumes JSON; these messages are MessagePack
        return {"type": "string", "format": "binary"}
    plain = {key: _plain(value) for key, value in schema.items() if key not in ("title", "discriminator")}
    if "discriminator" in schema:  # an OpenAPI keyword; redundant, as each alternative has a constant tag
        plain["oneOf"] = plain.pop("anyOf")
    if "enum" in plain:
        [plain["type"]] = {JSON_TYPE[type(value)] for value in plain["enum"]}
    if isinstance(plain.get("pattern"), str):
        plain["pattern"] = plain["pattern"].replace(r"\Z", "$")
    if isinstance(plain.get("description"), str):
        plain["description"] = inspect.cleandoc(plain["description"])
    return plain


def _lines(value: Any) -> Iterator[str]:
    """Yield the YAML lines of a nonempty dict or list."""
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in pairs:
        head = "-" if key is None else f"{json.dumps(key) if key in YAML_KEYWORDS else key}:"
        if isinstance(item, str) and "\n" in item:
            yield f"{head} |-"
            yield from (f"  {line}".rstrip() for line in item.split("\n"))
        elif isinstance(item, dict) and item:
            inner = list(_lines(item))
            if key is None:
                yield f"- {inner[0]}"
                yield from (f"  {line}".rstrip() for line in inner[1:])
            else:
                yield head
                yield from (f"  {line}".rstrip() for line in inner)
        elif isinstance(item, list) and any(isinstance(part, dict) for part in item):
            yield head
            yield from (f"  {line}".rstrip() for line in _lines(item))
        else:
            yield f"{head} {json.dumps(item, ensure_ascii=False)}"


if __name__ == "__main__":
    sys.stdout.write(to_yaml(document()))
