"""The values of a bed, each second."""

from functools import cache

import numpy as np
import pytest

from model.physiology import derived_values
from model.physiology.derived_values import DerivedValues, WavesState
from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples
from stream.timebase import FS
from stream.wire.numerics_message import Numeric
from stream.wire.wave_message import Signal
from tests.model.pulse_trains import every, pulse_wave

SECONDS = 40


@cache
def waves() -> dict[Signal, FloatArray]:
    """Return waves at 125 Hz with a pulse of 75/min, breathing of 15/min."""
    pulse = pulse_wave(every(0.8, SECONDS), SECONDS)
    at = np.arange(SECONDS * 125) / 125
    breath = np.sin(2 * np.pi * 0.25 * at)
    return {
        "pleth": 50 + pulse,
        "abp": 75 + 45 * pulse,
        "pap": 12 + 10 * pulse,
        "cvp": 8 + breath,
        "resp": 0.3 * breath,
        "co2": 38 * np.clip(4 * breath, 0, 1),
    }


def run(
    signals: tuple[Signal, ...], seconds: int = SECONDS, size: int = 1, until: int = SECONDS
) -> list[DerivedValues]:
    """Return the values of each second, ``size`` seconds at once; waves are received up to ``until``."""
    state, found = None, []
    beats = [(round(time * FS), round((time + 0.2) * FS)) for time in np.subtract(every(0.8, SECONDS), 0.2).tolist()]
    for first in range(0, seconds, size):
        stop = min(first + size, until)
        own = [WaveSamples(name, 125, first * FS, waves()[name][first * 125 : stop * 125]) for name in signals]
        state = derived_values.receive(state, own)
        assert isinstance(state, WavesState)
        new = [beat for beat in beats if first * FS <= beat[1] < (first + size) * FS]
        values, state = derived_values.advance(
            state, new, [(second + 1) * FS - 1 for second in range(first, min(first + size, seconds))]
        )
        found += values
    return found


def named(values: DerivedValues) -> dict[str, Numeric]:
    return {value.name: value for value in values.values}


def test_all_values_are_those_of_the_waves() -> None:
    last = named(run(("pleth", "abp", "pap", "cvp", "resp", "co2"))[-1])
    expected = {
        "pulse_rate": (75, 1), "pulse_rate_abp": (75, 1), "perfusion_index": (2, 0.1), "pulse_arrival": (200, 60),
        "abp_systolic": (120, 2), "abp_diastolic": (75, 2), "pap_systolic": (22, 1), "pap_diastolic": (12, 1),
        "cvp_mean": (8, 0.2), "respiration_rate": (15, 0.5), "etco2": (38, 1),
    }  # fmt: skip
    for name, (value, tolerance) in expected.items():
        assert last[name].value == pytest.approx(value, abs=tolerance), name
        assert (last[name].quality or 0) > 0.7, name
        assert last[name].age_s < 5, name
    assert last["apnoea"].value is None
    assert {value.source for value in last.values()} == {"measured"}


def test_only_what_the_waves_of_a_bed_can_give_is_there() -> None:
    assert set(named(run(("pleth",), 3)[-1])) == {"pulse_rate", "perfusion_index", "pulse_arrival"}
    assert set(named(run(("cvp",), 3)[-1])) == {"cvp_mean"}
    assert set(named(run(("resp",), 3)[-1])) == {"respiration_rate", "apnoea"}


def test_a_value_that_is_lost_is_none_and_grows_older() -> None:
    found = [named(values)["pulse_rate"] for values in run(("pleth",), until=20)]
    assert found[2].value is None
    assert found[2].age_s == pytest.approx(3, abs=0.1)
    assert found[19].value is not None
    assert found[-1].value is None
    assert found[-1].quality is None
    assert found[-1].age_s == pytest.approx(20, abs=2)


def test_how_much_comes_at_once_changes_nothing() -> None:
    signals: tuple[Signal, ...] = ("abp", "resp")
    assert run(signals, 32, 8) == run(signals, 32)


def test_a_bed_without_waves_has_no_state() -> None:
    assert derived_values.receive(None, []) is None
    assert derived_values.receive(None, [WaveSamples("pleth", 5.0, 0, np.zeros(5))]) is None


def test_a_pause_of_breathing_is_counted_for_as_long_as_it_lasts() -> None:
    at = np.arange(100 * 25) / 25
    wave = np.where(at < 40, 0.3 * np.sin(2 * np.pi * 0.25 * at), 0.002 * np.sin(2 * np.pi * 1.3 * at))
    state = derived_values.receive(None, [WaveSamples("resp", 25, 0, wave)])
    assert state is not None
    found, _ = derived_values.advance(state, [], [(second + 1) * FS - 1 for second in range(100)])
    apnoea = [named(values)["apnoea"].value for values in found]
    assert apnoea[45] is None
    assert apnoea[64] == pytest.approx(26, abs=2)
    assert apnoea[-1] == pytest.approx(61, abs=2)
    assert named(found[-1])["respiration_rate"].value is None


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "invalid"])
def test_time_without_a_wave_is_no_pause_of_breathing(missing: bool) -> None:
    breath = 0.3 * np.sin(2 * np.pi * 0.25 * np.arange(40 * 25) / 25)
    off, flat = np.full(30 * 25, np.nan), np.full(50 * 25, 0.1)
    own = [WaveSamples("resp", 25, 0, breath), WaveSamples("resp", 25, 70 * FS, flat)]
    if not missing:
        own.insert(1, WaveSamples("resp", 25, 40 * FS, off))
    state, pauses = None, []
    for second in range(120):
        first, end = second * 25, (second + 1) * FS - 1
        parts = [(wave, first - wave.start * 25 // FS) for wave in own]
        now = [
            WaveSamples("resp", 25, second * FS, wave.values[place : place + 25])
            for wave, place in parts
            if 0 <= place < len(wave.values)
        ]
        state = derived_values.receive(state, now)
        assert state is not None
        found, state = derived_values.advance(state, [], [end])
        pauses.append(named(found[0])["apnoea"].value)
    known = {second + 1 - 70: pause for second, pause in enumerate(pauses) if pause is not None and second >= 70}
    assert known
    assert all(pause <= since for since, pause in known.items())
    assert known[30] == pytest.approx(30, abs=2)
