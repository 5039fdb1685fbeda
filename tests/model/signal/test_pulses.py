"""The pulse of a bed at each stride, from two waves."""

from __future__ import annotations

import numpy as np

from model.signal import pulse_detector, pulses
from model.signal.pulses import DELAY, KEPT, MAX_SILENCE, REPORT_DELAY
from model.signal.wave_samples import SIGNALS
from stream.timebase import FS, STRIDE
from tests.model.pulse_trains import every, movement, pieces, pulse_wave, pulse_waves

ENDS = range(STRIDE - 1, 40 * FS, STRIDE)


def test_a_pulse_goes_on_until_its_next_one_is_overdue() -> None:
    [samples] = pieces(pulse_wave(every(0.8, 30), 40), [])
    status, _ = pulses.step(pulse_detector.begin(1), [samples], ENDS)
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
    in_time = late = pulse_detector.begin(1)
    waves = list(pieces(wave, range(25, len(wave), 25)))
    for number, end in enumerate(range(2 * STRIDE - 1, 40 * FS, 2 * STRIDE)):
        one, in_time = pulses.step(in_time, [waves[number]], [end])
        other, late = pulses.step(late, waves[number - 1 : number] if number else [], [end])
        assert other == one
    assert DELAY == 2 * STRIDE


def test_a_missing_wave_is_a_missing_pulse() -> None:
    [samples] = pieces(pulse_wave(every(0.8, 20), 20), [])
    status, _ = pulses.step(pulse_detector.begin(1), [samples], ENDS)
    assert status[ENDS.index(20 * FS - 1)] is not None
    assert status[ENDS.index(23 * FS - 1)] is None


def test_of_two_waves_the_one_with_the_longer_pulse_is_used() -> None:
    good = pulse_wave(every(0.8, 39), 40)
    moved = good.copy()
    moved[125 * 15 : 125 * 20] = movement(5)
    pressure = 80 + 40 * moved
    waves = [*pieces(good, []), *pieces(pressure, [], "abp")]
    status, _ = pulses.step(pulse_detector.begin(1), waves, ENDS)
    now = status[ENDS.index(30 * FS - 1)]
    assert now is not None
    assert now.signal == "pleth"
    waves = [*pieces(moved, []), *pieces(80 + 40 * good, [], "abp")]
    now = pulses.step(pulse_detector.begin(1), waves, ENDS)[0][ENDS.index(30 * FS - 1)]
    assert now is not None
    assert now.signal == "abp"


def test_the_wave_may_be_seconds_ahead_of_the_ecg() -> None:
    """Then its pulses are remembered until they are used, with those before."""
    wave = pulse_wave(every(0.3, 119), 120)
    [samples] = pieces(wave, [])
    state, ahead = pulse_detector.begin(1), 10 * FS // STRIDE
    chunks = [[], *([piece] for piece in pieces(wave, range(125, len(wave), 125)))]
    ends = range(STRIDE - 1, 119 * FS, STRIDE)
    expected, _ = pulses.step(pulse_detector.begin(1), [samples], ends)
    found = []
    for second, chunk in enumerate(chunks):
        own = ends[max(second * 10 - ahead, 0) : max(second * 10 + 10 - ahead, 0)]
        new, state = pulses.step(state, chunk, own)
        found += new
    assert found == expected[: len(found)]
    assert max(len(now.times) for now in found if now is not None) == KEPT


def test_a_bed_without_waves_has_no_pulse() -> None:
    found, state = pulses.step(pulse_detector.begin(1), [], ENDS)
    assert found == [None] * len(ENDS)
    assert pulse_detector.to_bytes(state[0]) == b""


def test_beds_together_have_the_pulse_of_beds_alone() -> None:
    """Three beds step in shuffled slots of six: with two waves, without one, and with one that comes late."""
    pleth, abp = pulse_waves().T
    cuts = range(14 * STRIDE, len(pleth), 14 * STRIDE)
    both = list(zip(pieces(pleth, cuts, fs=FS), pieces(abp, cuts, "abp", FS), strict=True))
    late = pieces(pulse_wave(every(0.7, 39), 40), range(175, 5000, 175), start=10 * 14 * STRIDE)
    one = [*[()] * 10, *((piece,) for piece in late)]
    waves = [both, [()] * len(both), one + [()] * (len(both) - len(one))]
    slots = np.array([4, 0, 3])
    detectors = pulse_detector.begin(6)
    states = [pulse_detector.begin(1)] * 3
    for step in range(len(both)):
        ends = np.array([range(step * 14 * STRIDE + STRIDE - 1, (step + 1) * 14 * STRIDE, STRIDE)] * 3)
        given = [own[step] for own in waves]
        rows = pulses.advance(detectors, slots, ends, given)
        for bed in range(3):
            expected, states[bed] = pulses.step(states[bed], given[bed], ends[bed].tolist())
            assert rows.since[bed].tolist() == [-1 if now is None else now.since for now in expected]
            for stride, now in enumerate(expected):
                times = () if now is None else now.times
                assert rows.wave[bed, stride] == (-1 if now is None else SIGNALS.index(now.signal))
                assert rows.number[bed, stride] == len(times)
                assert rows.times[bed, stride].tolist() == [*times, *[-1] * (KEPT - len(times))]
    for slot, state in zip(slots, states, strict=True):
        assert detectors[slot].tobytes() == state.tobytes()
    assert [pulse_detector.to_bytes(detectors[slot]) for slot in (0, 1, 2, 5)] == [b""] * 4
    assert len({pulse_detector.to_bytes(detectors[slot]) for slot in slots}) == 3
