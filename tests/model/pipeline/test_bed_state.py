"""The state of a bed that sends pulse waves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.conditions.numeric_conditions import Condition, NumericState
from model.conditions.numeric_values import NumericSamples, ValuesState
from model.pipeline import bed_state
from model.pipeline.analysis import Models, load_models
from model.pipeline.bed_state import BedState
from model.pipeline.beds import Beds
from model.signal import pulse_detector
from model.signal.wave_samples import to_rows
from stream.wire.numerics_message import Numeric
from tests.model.pulse_trains import every, pieces, pulse_wave


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def with_wave(models: Models) -> BedState:
    """A bed that has received a plethysmogram."""
    detectors = pulse_detector.begin(1)
    waves = to_rows([list(pieces(pulse_wave(every(0.8, 19), 20), []))])
    pulse_detector.advance(detectors, np.zeros(1, np.int64), waves)
    state = bed_state.begin(models, ("MLII",), 0, 0)
    return replace(state, notes=replace(state.notes, pulses=pulse_detector.to_bytes(detectors[0])))


def test_the_pulse_detectors_are_part_of_the_state(models: Models, with_wave: BedState) -> None:
    """Also in a slot that another bed has used, and when the slots become more."""
    without = bed_state.begin(models, ("MLII",), 0, 0)
    beds = Beds(models)
    beds.put(with_wave).release()
    slots = [beds.put(state) for state in (without, with_wave, without, with_wave, without)]
    assert [slot.state().notes.pulses for slot in slots] == [b"", with_wave.notes.pulses] * 2 + [b""]
    assert BedState.from_bytes(slots[1].state().to_bytes()).to_bytes() == with_wave.to_bytes()


def test_shortened_pulse_detectors_are_rejected(with_wave: BedState) -> None:
    with pytest.raises(ValueError, match="size"):
        replace(with_wave.notes, pulses=with_wave.notes.pulses[:-8])


def test_after_a_gap_the_pulse_detectors_begin_anew(models: Models, with_wave: BedState) -> None:
    assert bed_state.after_gap(models, with_wave, 7200, 0).notes.pulses == b""


def test_the_values_of_the_publisher_and_their_conditions_are_part_of_the_state(models: Models) -> None:
    value = Numeric(name="spo2", value=85.0, unit="%", source="recorded", age_s=0.0)
    low = Condition(True, 0, 0, 3599, 85.0, 90)
    numerics = NumericState(ValuesState((NumericSamples(3600, (value,)),)), ("spo2",), {"spo2_low": low})
    without = bed_state.begin(models, ("MLII",), 0, 0)
    state = replace(without, notes=replace(without.notes, numerics=numerics))
    beds = Beds(models)
    beds.put(state).release()
    slots = [beds.put(own) for own in (without, state, without)]
    assert [slot.state().notes.numerics for slot in slots] == [NumericState(), numerics, NumericState()]
    assert BedState.from_bytes(slots[1].state().to_bytes()).notes.numerics == numerics
    [ended] = slots[1].finish().changes
    assert (ended.kind, ended.reason) == ("spo2_low", "signal_interrupted")
    assert bed_state.after_gap(models, state, 7200, 0).notes.numerics == replace(numerics, conditions={})
