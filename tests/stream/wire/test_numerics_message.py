"""Numerics: units belong to names, missing values have an age, publisher and worker have topics of their own."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import MessageError
from stream.wire import codec
from stream.wire.nomenclature import NUMERIC_CODES, WAVE_CODES
from stream.wire.numerics_message import MAX_NUMERICS, NUMERIC_NAMES, OF_A_LEAD, UNIT_OF, Numeric, NumericName, Numerics
from stream.wire.topics import Kind, Topic
from stream.wire.wave_message import WAVE_UNIT, Signal
from tests.waveforms import numeric, numerics

FINITE = st.floats(-1e9, 1e9)
LEADS = st.sampled_from(("MLII", "V1", "aVR"))


@st.composite
def values(draw: st.DrawFn, sources: tuple[str, ...]) -> tuple[Numeric, ...]:
    names = draw(st.lists(st.sampled_from(NUMERIC_NAMES), min_size=1, unique=True))
    return tuple(
        Numeric(
            name=name,
            value=draw(st.none() | FINITE),
            unit=UNIT_OF[name],
            source=draw(st.sampled_from(sources)),  # type: ignore[arg-type]
            age_s=draw(st.floats(0, 1e9)),
            quality=draw(st.none() | st.floats(0, 1)),
            lead=draw(LEADS) if name in OF_A_LEAD else None,
        )
        for name in names
    )


@given(values(("recorded", "simulated")), st.integers(0, 2**53))
def test_what_a_publisher_sends_round_trips_on_its_topic(given_values: tuple[Numeric, ...], index: int) -> None:
    message = numerics(values=given_values, index=index)
    topic = codec.topic_of(message)
    assert topic == Topic(Kind.NUMERICS, "bed-1")
    assert codec.decode(topic, codec.encode(message)) == message
    with pytest.raises(MessageError, match="the payload is for"):
        codec.decode(Topic(Kind.NUMERICS_DERIVED, "bed-1"), codec.encode(message))


@given(values(("measured",)), st.integers(0, 10**9))
def test_what_a_worker_measures_round_trips_on_another_topic(given_values: tuple[Numeric, ...], lease: int) -> None:
    message = numerics(values=given_values, lease=lease)
    topic = codec.topic_of(message)
    assert topic == Topic(Kind.NUMERICS_DERIVED, "bed-1")
    assert codec.decode(topic, codec.encode(message)) == message
    with pytest.raises(MessageError, match="the payload is for"):
        codec.decode(Topic(Kind.NUMERICS, "bed-1"), codec.encode(message))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "heart_rate"},
        {"name": "of_a_later_version"},
        {"unit": "mmHg"},
        {"unit": ""},
        {"value": "97"},
        {"value": 1e10},
        {"age_s": -0.1},
        {"age_s": None},
        {"quality": 1.5},
        {"lead": "V1"},
        {"name": "st", "unit": "mV"},
        {"source": "measured"},
        {"source": "guessed"},
    ],
    ids=str,
)
def test_an_invalid_value_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.json.decode(codec.encode(numerics()))
    fields["values"].append(msgspec.to_builtins(numeric("temperature")))
    codec.decode(Topic(Kind.NUMERICS, "bed-1"), msgspec.json.encode(fields))
    fields["values"][0] |= changes
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.NUMERICS, "bed-1"), msgspec.json.encode(fields))


@pytest.mark.parametrize(
    "changes",
    [
        {"values": []},
        {"values": [msgspec.to_builtins(numeric("spo2"))] * 2},
        {"values": [msgspec.to_builtins(numeric("st", lead=f"V{i}")) for i in range(MAX_NUMERICS + 1)]},
        {"index": -1},
        {"session": "short"},
        {"lease": -1},
        {"v": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_invalid_numerics_are_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.json.decode(codec.encode(numerics())) | changes
    with pytest.raises(MessageError):
        codec.decode(Topic(Kind.NUMERICS, "bed-1"), msgspec.json.encode(fields))


def test_the_largest_message_fits() -> None:
    leads = (numeric("st", None, lead="L" * 14 + f"{i:02}", age_s=123456.789012) for i in range(MAX_NUMERICS))
    assert len(codec.encode(numerics(values=tuple(leads)))) < codec.MAX_BYTES


def test_one_lead_of_several_is_found() -> None:
    message = numerics(values=(numeric("st", -0.1, lead="II"), numeric("st", 0.2, lead="V1"), numeric("spo2", 97.0)))
    assert message.value_of("st", "V1") == message.values[1]
    assert message.value_of("spo2") == message.values[2]
    assert message.value_of("st") is None
    assert message.value_of("temperature") is None


def test_each_name_has_a_unit_and_no_unknown_name_has_a_code() -> None:
    assert set(UNIT_OF) == set(get_args(NumericName)) >= set(NUMERIC_CODES)
    assert set(WAVE_UNIT) == set(get_args(Signal)) == set(WAVE_CODES)


def test_an_unknown_field_does_not_matter() -> None:
    """A later version may add fields."""
    fields = msgspec.json.decode(codec.encode(numerics())) | {"later": 1}
    assert codec.decode(Topic(Kind.NUMERICS, "bed-1"), msgspec.json.encode(fields)) == numerics()


def test_a_retained_message_can_be_removed() -> None:
    for kind in (Kind.NUMERICS, Kind.NUMERICS_DERIVED):
        assert codec.decode(Topic(kind, "bed-1"), b"") is None


def test_an_empty_message_has_no_side() -> None:
    """As it may be built in Python, unchecked: it is not taken for the worker's."""
    empty = Numerics(bed="bed-1", session="0" * 32, epoch=0, index=0, when="", values=(), synthetic=False)
    assert not empty.derived
