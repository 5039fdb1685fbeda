"""The pulse of a bed at each stride, from two waves."""

from __future__ import annotations

import numpy as np

from model.signal import pulses
from model.signal.pulses import DELAY, KEPT, MAX_SILENCE, REPORT_DELAY, PulsesState
from stream.timebase import FS, STRIDE
from tests.model.pulse_trains import every, movement, pieces, pulse_wave

ENDS = range(STRIDE - 1, 40 * FS, STRIDE)


def test_a_pulse_goes_on_until_its_next_one_is_overdue() -> None:
    [samples] = pieces(pulse_wave(every(0.8, 30), 40), [])
    status, _ = pulses.step(pulses.push(PulsesState(), [samples]), ENDS)
    going_on = [at for at, now in zip(ENDS, status, strict=True) if now is not None]
    assert going_on == list(range(going_on[0], going_on[-1] + 1, STRIDE))
    last = status[ENDS.index(going_on[-1])]
    assert last is not None
    assert len(last.times) == KEPT
    assert going_on[-1] - last.times[-1] <= MAX_SILENCE < going_on[-1] + STRIDE - last.times[-1]
    # A pulse is used when it is known, not before.
    for at, now in zip(ENDS, status, strict=True):
        assert now is None or at - now.times[-1] >= REPORT_DELAY


def test_a_wave_that_comes_late_by_less_than_the_delay_changes_nothing() -> None:
    wave = pulse_wave(every(0.8, 39), 40)
    in_time = late = PulsesState()
    waves = list(pieces(wave, range(25, len(wave), 25)))
    for number, end in enumerate(range(2 * STRIDE - 1, 40 * FS, 2 * STRIDE)):
        in_time = pulses.push(in_time, [waves[number]])
        one, in_time = pulses.step(in_time, [end])
        late = pulses.push(late, waves[number - 1 : number] if number else [])
        assert pulses.step(late, [end])[0] == one
        late = pulses.step(late, [end])[1]
    assert DELAY == 2 * STRIDE


def test_a_missing_wave_is_a_missing_pulse() -> None:
    [samples] = pieces(pulse_wave(every(0.8, 20), 20), [])
    status, _ = pulses.step(pulses.push(PulsesState(), [samples]), ENDS)
    assert status[ENDS.index(20 * FS - 1)] is not None
    assert status[ENDS.index(23 * FS - 1)] is None


def test_of_two_waves_the_one_with_the_longer_pulse_is_used() -> None:
    good = pulse_wave(every(0.8, 39), 40)
    moved = good.copy()
    moved[125 * 15 : 125 * 20] = movement(5)
    pressure = 80 + 40 * moved
    waves = [*pieces(good, []), *pieces(pressure, [], "abp")]
    status, _ = pulses.step(pulses.push(PulsesState(), waves), ENDS)
    now = status[ENDS.index(30 * FS - 1)]
    assert now is not None
    assert now.signal == "pleth"
    waves = [*pieces(moved, []), *pieces(80 + 40 * good, [], "abp")]
    now = pulses.step(pulses.push(PulsesState(), waves), ENDS)[0][ENDS.index(30 * FS - 1)]
    assert now is not None
    assert now.signal == "abp"


def test_old_pulses_are_removed_from_the_state() -> None:
    [samples] = pieces(pulse_wave(every(0.4, 299), 300), [])
    state = pulses.push(PulsesState(), [samples])
    _, state = pulses.step(state, range(STRIDE - 1, 300 * FS, STRIDE))
    assert len(state.detectors[0].trusted) <= KEPT + 2


def test_a_bed_without_waves_has_no_pulse() -> None:
    state = pulses.push(PulsesState(), [])
    assert pulses.step(state, ENDS) == ([None] * len(ENDS), PulsesState())


def test_beds_together_have_the_pulse_of_beds_alone() -> None:
    [samples] = pieces(pulse_wave(every(0.8, 39), 40), [])
    begun = [PulsesState(), pulses.push(PulsesState(), [samples])]
    states = [begun[1], PulsesState(), begun[0], begun[0]]
    slots, ends = np.array([2, 0]), np.array([ENDS, ENDS])
    rows = pulses.advance(states, slots, ends)
    alone, after = pulses.step(begun[1], ENDS)
    assert states == [after, PulsesState(), PulsesState(), PulsesState()]
    assert (rows.since[0] == -1).all()
    assert not rows.number[0].any()
    for stride, now in enumerate(alone):
        times = () if now is None else now.times
        assert rows.since[1, stride] == (-1 if now is None else now.since)
        assert rows.number[1, stride] == len(times)
        assert rows.times[1, stride].tolist() == [*times, *[-1] * (KEPT - len(times))]
