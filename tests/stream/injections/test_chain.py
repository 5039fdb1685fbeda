"""Injections do not depend on chunks, repeat, and change nothing but their lead and their time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.injections.chain import ORDER, Channel
from stream.wire.injection_kinds import INJECTION_RULES, WIRE_FAULTS
from stream.wire.status_messages import RunningInjection
from tests.stream.injections.signals import LEADS, PRESSURE, PULSE, ecg, in_chunks, pulses, running

SIGNALS: dict[str, tuple[tuple[Channel, ...], float, Any]] = {
    "ecg": (LEADS, 360.0, ecg(8)),
    "pleth": (PULSE, 125.0, pulses(8, 125, PULSE[0])),
    "abp": (PRESSURE, 62.4725, pulses(8, 62.4725, PRESSURE[0])),
}
KINDS = {signal: [kind for kind, rules in INJECTION_RULES.items() if signal in rules.signals] for signal in SIGNALS}


@st.composite
def cases(draw: Any) -> tuple[str, list[RunningInjection], list[int]]:
    signal = draw(st.sampled_from(sorted(SIGNALS)))
    n = SIGNALS[signal][2].shape[0]
    chosen = draw(st.lists(st.sampled_from(KINDS[signal]), min_size=1, max_size=4, unique=True))
    injections = []
    for kind in chosen:
        begin = draw(st.integers(0, 2500))
        end = begin + draw(st.integers(1, 2500)) if kind == "cuff_inflation" or draw(st.booleans()) else None
        lead = draw(st.sampled_from([None, "II"])) if signal == "ecg" else None
        injections.append(running(kind, begin, end, signal=signal, lead=lead))
    cuts = sorted(draw(st.sets(st.integers(1, n - 1), max_size=8)))
    return signal, injections, cuts


@settings(max_examples=60)
@given(cases())
def test_any_chunks_give_the_same_bytes(case: tuple[str, list[RunningInjection], list[int]]) -> None:
    signal, injections, cuts = case
    channels, fs, adu = SIGNALS[signal]
    whole = in_chunks(adu, channels, injections, [], fs)
    assert in_chunks(adu, channels, injections, cuts, fs) == whole
    assert in_chunks(adu, channels, injections[::-1], cuts, fs) == whole, "the order of commands does not matter"


def test_every_kind_has_its_place_in_the_order() -> None:
    assert set(ORDER) == set(INJECTION_RULES) - set(WIRE_FAULTS)


@pytest.mark.parametrize("kind", KINDS["ecg"])
def test_nothing_outside_its_lead_and_its_time_changes(kind: Any) -> None:
    adu = ecg(8)
    adu[100:150] = -32768
    made = np.frombuffer(in_chunks(adu, LEADS, [running(kind, 500, 2001, lead="II")], []), np.int16).reshape(-1, 2)
    np.testing.assert_array_equal(made[:, 0], adu[:, 0])
    np.testing.assert_array_equal(
        made[[*range(500), *range(2001, len(adu))], 1], adu[[*range(500), *range(2001, len(adu))], 1]
    )
    assert (made[500:2001, 1] != adu[500:2001, 1]).any()
    other = in_chunks(adu, LEADS, [running(kind, 500, 2001, lead="III")], [])
    assert other == adu.tobytes(), "a lead that is not there"


def test_the_id_of_an_injection_is_its_seed() -> None:
    adu = ecg(8)
    one, again, other = (in_chunks(adu, LEADS, [running("muscle_noise", injection_id=key)], []) for key in "aab")
    assert one == again != other
    elsewhere = tuple(channel._replace(bed="c") for channel in LEADS)
    assert in_chunks(adu, elsewhere, [running("muscle_noise", injection_id="a")], []) != one, "and so have beds"
    both = np.frombuffer(one, np.int16).reshape(-1, 2) - adu
    assert abs(np.corrcoef(both.T)[0, 1]) < 0.1, "leads have noise of their own"


def test_invalid_samples_stay_invalid() -> None:
    adu = ecg(2)
    adu[100:150, 0] = -32768
    for kind in ("muscle_noise", "gain_error", "mains", "saturation", "swapped_electrodes"):
        made = np.frombuffer(in_chunks(adu, LEADS, [running(kind)], [120]), np.int16).reshape(-1, 2)
        assert (made[100:150, 0] == -32768).all(), kind
