"""Alarms of breathing from waves: what is measured of them raises the right ones."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from model.conditions import numeric_conditions, settings
from model.conditions.changes import Began, Change
from model.conditions.numeric_conditions import NumericState, Second
from model.physiology import derived_values
from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples
from stream.records.synthetic.presets import synthetic_record
from stream.timebase import FS
from stream.wire.wave_message import Signal

CONFIG = settings.load()
WAVE_FS = 25


def alarms(waves: Sequence[WaveSamples], seconds: int) -> list[Change]:
    """Return the changes of a bed with these waves, each second."""
    waves_state, state, changes = None, NumericState(), []
    for second in range(seconds):
        waves_state = derived_values.receive(waves_state, [part for wave in waves for part in _second(wave, second)])
        assert waves_state is not None
        end = (second + 1) * FS - 1
        found, waves_state = derived_values.advance(waves_state, [], [end])
        now = Second(end, 75.0, "sinus", found[0].values if found else ())
        new, state = numeric_conditions.step(CONFIG, CONFIG.limits, state, [now])
        changes += new
    return changes


def _second(wave: WaveSamples, second: int) -> list[WaveSamples]:
    """Return the part of a wave, from the start of the session, in a second."""
    first, stop = (round(at * wave.fs) for at in (second, second + 1))
    return [WaveSamples(wave.signal, wave.fs, second * FS, wave.values[first:stop])]


def resp(phase: Callable[[FloatArray], FloatArray], seconds: int) -> list[WaveSamples]:
    """Return an impedance with breaths of some phase, in breaths, and a little of the heart."""
    at = np.arange(seconds * WAVE_FS) / WAVE_FS
    wave = 0.3 * np.sin(2 * np.pi * phase(at)) + 0.002 * np.sin(2 * np.pi * 1.3 * at)
    return [WaveSamples("resp", WAVE_FS, 0, wave)]


def began(changes: Sequence[Change]) -> dict[str, Began]:
    return {change.kind: change for change in changes if isinstance(change, Began)}


def test_breathing_that_stops_is_an_apnoea_and_no_fault_of_the_sensor() -> None:
    found = began(alarms(resp(lambda at: np.minimum(at, 60) / 4, 100), 100))
    assert set(found) == {"apnoea"}
    assert found["apnoea"].value == pytest.approx(20, abs=1)
    assert found["apnoea"].at / FS == pytest.approx(57 + 20, abs=2)  # the last breath is at 57 s


@pytest.mark.parametrize("signal", ["resp", "co2"])
def test_the_apnoea_of_the_synthetic_patient_is_measured(signal: Signal) -> None:
    record = synthetic_record("synthetic/apnoea")
    wave = next(wave for wave in record.waves if wave.signal == signal)
    values = ((wave.adu - wave.zero) / wave.gain)[round(80 * wave.fs) :]  # from 1:20; breathing pauses at 2:00
    found = began(alarms([WaveSamples(signal, wave.fs, 0, values)], 70))
    assert set(found) == {"apnoea"}
    assert found["apnoea"].at / FS == pytest.approx(60, abs=5)


@pytest.mark.parametrize("per_min", [3.5, 5.5])
def test_slow_breathing_is_a_low_rate(per_min: float) -> None:
    found = began(alarms(resp(lambda at: per_min / 60 * at, 120), 120))
    assert set(found) == {"respiration_low"}
    assert found["respiration_low"].value == pytest.approx(per_min, abs=1)


@pytest.mark.parametrize("per_min", [9.0, 28.0])
def test_breathing_within_its_limits_raises_nothing(per_min: float) -> None:
    assert alarms(resp(lambda at: per_min / 60 * at, 70), 70) == []
