"""docs/asyncapi.yaml and docs/topics.md match the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml

from stream.wire.alarm_messages import Action
from stream.wire.asyncapi import document, to_yaml
from stream.wire.codec import BINARY, MESSAGE_OF, encode
from stream.wire.topics import QOS, RETAINED, ROOT, Kind
from tests.stream.wire.test_codec import TRUTH, alarm, command
from tests.waveforms import numerics

DOCS = Path(__file__).parents[3] / "docs"
TOPICS = (DOCS / "topics.md").read_text(encoding="utf-8")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_file_is_up_to_date() -> None:
    written = (DOCS / "asyncapi.yaml").read_text(encoding="utf-8")
    assert written == to_yaml(document()), "run: python -m stream.wire.asyncapi > docs/asyncapi.yaml"


def test_the_yaml_is_parsed_to_the_document() -> None:
    assert yaml.safe_load(to_yaml(document())) == document()


def test_each_reference_resolves() -> None:
    root = document()
    found = list(references(root))
    assert found
    for reference in found:
        node: Any = root
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_documented_table_of_topics_matches_the_code() -> None:
    rows = re.findall(r"^\| `(\S+)` \| (\w+), (\w+) \| (\d) \|([^|]*)\|", TOPICS, re.MULTILINE)
    channels = document()["channels"]
    assert len(rows) == len(Kind)
    for kind in Kind:
        address = channels[kind.replace("/", "_")]["address"]
        [(_, message, form, qos, retained)] = [row for row in rows if row[0] == address]
        assert address.startswith(ROOT)
        assert message == MESSAGE_OF[kind].__name__
        assert int(qos) == QOS[kind]
        assert retained.strip().startswith("yes") == (kind in RETAINED)
        assert form == ("MessagePack" if MESSAGE_OF[kind] in BINARY else "JSON")


def test_the_documented_table_of_commands_matches_the_code() -> None:
    section = TOPICS.partition("## Commands")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE))
    actions = {action.__struct_config__.tag: action.__struct_fields__ for action in get_args(Action)}
    assert rows.keys() == actions.keys()
    for tag, fields in actions.items():
        assert set(fields) <= set(re.findall(r"`(\w+)`", rows[tag]))


def keys(text: str) -> list[str]:
    return re.findall(r'"(\w+)":', text)


def test_the_examples_have_the_fields_of_their_messages() -> None:
    [example] = re.findall(r'\{"v":1,"event_id".*?\}', TOPICS, re.DOTALL)
    assert keys(example) == keys(encode(alarm()).decode())
    [example] = re.findall(r'\{"v":1,"command_id".*?\}\}', TOPICS, re.DOTALL)
    assert keys(example) == keys(encode(command()).decode())
    [example] = re.findall(r'\{"v":1,"bed"[^{}]*"truth_id".*?\}.*?\}', TOPICS, re.DOTALL)
    assert json.loads(example).keys() == json.loads(encode(TRUTH)).keys()
    [example] = re.findall(r'\{"v":1,"bed":.*?"lease":0.*?\}', TOPICS, re.DOTALL)
    assert keys(example) == keys(encode(numerics()).decode())
