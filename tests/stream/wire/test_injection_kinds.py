"""Injections on the wire: every kind takes its range and no more; docs/topics.md has the same ranges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from stream.errors import UsageError
from stream.wire.injection_kinds import (
    INJECTION_KINDS,
    INJECTION_RULES,
    WIRE_FAULTS,
    InjectedSignal,
    Range,
    known_kind,
)
from stream.wire.replay_actions import Inject
from stream.wire.topics import SIGNALS

TOPICS = (Path(__file__).parents[3] / "docs" / "topics.md").read_text(encoding="utf-8")


def refused(match: str, **fields: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match=match):
        msgspec.convert({"do": "inject", "injection_id": "1", **fields}, Inject)


def test_every_kind_takes_its_range_and_nothing_beyond() -> None:
    assert tuple(INJECTION_RULES) == INJECTION_KINDS
    assert {kind for kind, rules in INJECTION_RULES.items() if not rules.signals} == set(WIRE_FAULTS)
    for kind, rules in INJECTION_RULES.items():
        for signal in (None, *rules.signals):
            assert Inject(injection_id="1", kind=kind, signal=signal).level is None
        for name, own in (("level", rules.level), ("hz", rules.hz)):
            if own is None:
                refused(f"{kind} has no {name}, not 1", kind=kind, **{name: 1.0})
                continue
            assert own.minimum <= own.usual <= own.maximum
            for value in (own.minimum, own.maximum):
                Inject(injection_id="1", kind=kind, **{name: value})  # type: ignore[arg-type]
            refused(f"{name} of {kind} is {own.minimum:g} to", kind=kind, **{name: own.maximum + 1})
            refused(f"{name} of {kind} is {own.minimum:g} to", kind=kind, **{name: own.minimum - 1})
        refused(f"seconds of {kind} are", kind=kind, seconds=100_000.0)
        refused(f"seconds of {kind} are", kind=kind, seconds=0.0)


def test_signals_leads_and_kinds_that_do_not_fit_are_named() -> None:
    assert get_args(InjectedSignal) == ("ecg", *SIGNALS)
    refused("mains changes ecg, not abp", kind="mains", signal="abp")
    refused("loss changes no signal, not ecg", kind="loss", signal="ecg")
    refused("only that has leads, not 'II'", kind="loss", lead="II")
    refused("cuff_inflation does not concern an ECG: only that has leads, not 'II'", kind="cuff_inflation", lead="II")
    refused("injection_id", injection_id=" ", kind="mains")
    refused("Invalid enum value 'tea'", kind="tea")
    assert known_kind("mains") == "mains"
    with pytest.raises(UsageError, match="'tea' is unknown; use one of lead_off, "):
        known_kind("tea")


def _cell(own: Range | None, unit: str) -> str:
    if own is None:
        return ""
    text = f"{own.minimum:,g} to {own.maximum:,g} {unit}".rstrip() + f" ({own.usual:,g})"
    return text.replace("-", "−")


def test_the_documented_ranges_are_those_of_the_code() -> None:
    section = TOPICS.partition("## Injections")[2].partition("### Truth")[0]
    documented: dict[str, list[str]] = {}
    for row in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE):
        kinds, *cells = row.split("|")
        documented |= {kind: [cell.strip() for cell in cells] for kind in re.findall(r"`(\w+)`", kinds)}
    del documented["kind"]
    assert documented.keys() == INJECTION_RULES.keys()
    for kind, rules in INJECTION_RULES.items():
        signals, level, hz, seconds = documented[kind]
        expected = get_args(InjectedSignal) if signals == "any" else tuple(re.findall(r"`(\w+)`", signals))
        assert set(rules.signals) == set(expected)
        assert level.endswith(_cell(rules.level, rules.level.unit if rules.level else ""))
        assert hz.endswith(_cell(rules.hz, ""))
        assert seconds == _cell(rules.seconds, "")
        assert bool(level) == (rules.level is not None)
        assert bool(hz) == (rules.hz is not None)
