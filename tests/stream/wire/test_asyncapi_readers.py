"""docs/asyncapi.yaml is accepted by the official parser and by a code generator."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from stream.wire.codec import BINARY, MESSAGE_OF, decode, encode, topic_of
from stream.wire.messages import Message
from tests.stream.wire.test_codec import MESSAGES

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs/asyncapi.yaml"
PARSER = ROOT / "tests/asyncapi"
INFORMATION = 2
"""Severity of the parser's recommendations; errors are 0, warnings 1."""


def parse_document(document: Path) -> dict[str, Any]:
    """Return the output of the official parser for a document."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None or not (PARSER / "node_modules/@asyncapi/parser").is_dir():
        pytest.skip("needs node and the official AsyncAPI parser: run 'npm ci --prefix tests/asyncapi'")
    run = subprocess.run(
        [node, PARSER / "validate.js", document], capture_output=True, encoding="utf-8", check=True, timeout=100
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_the_official_parser_accepts_the_document() -> None:
    found = parse_document(DOCUMENT)
    assert [problem for problem in found["diagnostics"] if problem["severity"] < INFORMATION] == []
    assert len(found["channels"]) == len(MESSAGE_OF)


def test_the_official_parser_rejects_a_discriminator_of_openapi(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    place = "        action:\n          oneOf:"
    assert text.count(place) == 1
    broken = tmp_path / "asyncapi.yaml"
    added = "        action:\n          discriminator:\n            propertyName: do\n          oneOf:"
    broken.write_text(text.replace(place, added), encoding="utf-8")
    problems = parse_document(broken)["diagnostics"]
    assert any(problem["severity"] == 0 and "discriminator" in problem["path"] for problem in problems)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Return the module of pydantic models that datamodel-code-generator generates from the document."""
    path = tmp_path_factory.mktemp("models") / "generated_models.py"
    command = [sys.executable, "-m", "datamodel_code_generator", "--input", DOCUMENT, "--input-file-type", "asyncapi"]
    options = ["--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin", "--output", path]
    subprocess.run([*command, *options], check=True, timeout=100)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # pydantic resolves annotations there
    spec.loader.exec_module(module)
    return module


def model_of(models: ModuleType, message: Message) -> type[BaseModel]:
    model = getattr(models, type(message).__name__)
    assert issubclass(model, BaseModel)
    return model


def test_there_are_examples_of_every_kind() -> None:
    assert {type(message) for message in MESSAGES} == set(MESSAGE_OF.values())


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_generated_models_decode_and_encode_real_payloads(models: ModuleType, message: Message) -> None:
    payload, model = encode(message), model_of(models, message)
    if isinstance(message, BINARY):
        again = msgspec.msgpack.encode(model.model_validate(msgspec.msgpack.decode(payload)).model_dump())
    else:
        again = model.model_validate_json(payload, strict=True).model_dump_json().encode()
    assert decode(topic_of(message), again) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_generated_models_reject_another_version(models: ModuleType, message: Message) -> None:
    payload = encode(message)
    fields = msgspec.msgpack.decode(payload) if isinstance(message, BINARY) else json.loads(payload)
    with pytest.raises(ValidationError, match="v\n"):
        model_of(models, message).model_validate(fields | {"v": 2})
