"""Limits of alarms: ranges, pairs, and messages of older senders."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wire.alarm_messages import Limits
from stream.wire.limit_ranges import BELOW, LIMIT_RANGES, LimitName


def test_every_limit_has_a_range_and_a_default_within() -> None:
    names = [field.name for field in msgspec.structs.fields(Limits) if field.name != "off"]
    assert names == list(LIMIT_RANGES)
    for name, own in LIMIT_RANGES.items():
        assert own.minimum <= getattr(Limits(), name) <= own.maximum


@pytest.mark.parametrize("name", LIMIT_RANGES)
def test_limits_beyond_their_range_are_refused(name: LimitName) -> None:
    for value in (LIMIT_RANGES[name].minimum - 1, LIMIT_RANGES[name].maximum + 1):
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({name: value}, Limits)


@pytest.mark.parametrize(("low", "high"), BELOW)
def test_a_low_limit_is_below_its_high_one(low: LimitName, high: LimitName) -> None:
    value = getattr(Limits(), high)
    with pytest.raises(msgspec.ValidationError, match=f"{low} {value} is not below {high} {value}"):
        msgspec.convert({low: value, high: value}, Limits)


def test_limits_of_an_older_sender_have_the_defaults_of_the_others() -> None:
    old = b'{"heart_rate_low":40,"heart_rate_high":130,"off":["residual"]}'
    assert msgspec.json.decode(old, type=Limits) == Limits(heart_rate_low=40, heart_rate_high=130, off=("residual",))


@given(st.data())
def test_limits_survive_the_wire(data: st.DataObject) -> None:
    drawn = {name: data.draw(st.integers(own.minimum, own.maximum), label=name) for name, own in LIMIT_RANGES.items()}
    for low, high in BELOW:
        drawn[low], drawn[high] = sorted((drawn[low], drawn[high]))
        if drawn[low] == drawn[high]:
            drawn[low], drawn[high] = LIMIT_RANGES[low].minimum, LIMIT_RANGES[high].maximum
    limits = Limits(**drawn)
    assert msgspec.json.decode(msgspec.json.encode(limits), type=Limits) == limits
