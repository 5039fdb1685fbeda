"""Trusted pulses: those that resemble the patient's own, at any sampling rate and cut into any chunks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.signal import pulse_detector
from model.signal.arrays import FloatArray
from model.signal.pulse_detector import Detectors
from model.signal.wave_samples import SIGNALS, WaveSamples, to_rows
from stream.timebase import FS
from stream.wire.wave_message import Signal
from tests.model.pulse_trains import every, movement, pieces, pulse_wave


class Pulse(NamedTuple):
    """A trusted pulse."""

    at: int
    known_at: int
    since: int


def run(samples: Iterable[WaveSamples]) -> tuple[list[Pulse], Detectors]:
    """Push messages of one wave one by one; return all pulses that were found, and the detectors."""
    found: dict[int, Pulse] = {}
    detectors = pulse_detector.begin(1)
    for piece in samples:
        number, pulses = pulse_detector.advance(detectors, np.zeros(1, np.int64), to_rows([[piece]]))
        wave = SIGNALS.index(piece.signal)
        found |= {at: Pulse(at, *rest) for at, *rest in pulses[0, wave, : number[0, wave]].tolist()}
    return list(found.values()), detectors


def trusted(wave: FloatArray, signal: Signal = "pleth", fs: float = 125.0) -> list[float]:
    """Return the times of the trusted pulses, s."""
    return [pulse.at / FS for pulse in run(pieces(wave, [], signal, fs))[0]]


def between(times: list[float], first: float, stop: float) -> list[float]:
    return [time for time in times if first <= time < stop]


@pytest.mark.parametrize("fs", [25.0, 62.4725, 125.0, 250.0, 360.0, 1000.0])
@pytest.mark.parametrize("interval", [0.35, 0.8, 1.6])
def test_each_pulse_is_found_at_its_rise(fs: float, interval: float) -> None:
    times = every(interval, 28)
    found = trusted(pulse_wave(times, 30, fs), fs=fs)
    # The first five make the template; the last needs 0.3 s more.
    expected = times[6:-1]
    assert len(between(found, expected[0] - 0.1, expected[-1] + 0.3)) == len(expected)
    for time in expected:
        assert min(abs(other - time - 0.1) for other in found) < 0.1


def test_a_wave_slower_than_25_hz_is_not_analysed() -> None:
    assert run(pieces(pulse_wave(every(0.8, 28), 30, 20.0), [], fs=20.0))[0] == []


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("signal", ["pleth", "abp"])
def test_the_pulse_does_not_go_on_through_movement(signal: Signal, seed: int) -> None:
    """As in a cardiac arrest with a moved plethysmogram: a movement resembles a pulse by chance, but not one by one."""
    scale, offset = (1.0, 0.0) if signal == "pleth" else (40.0, 80.0)
    wave = offset + scale * np.concatenate([pulse_wave(every(0.8, 19.5), 20), movement(40, seed=seed)])
    found, _ = run(pieces(wave, [], signal))
    assert len([pulse for pulse in found if 10 * FS < pulse.at < 20 * FS]) >= 11
    assert all(pulse.at - pulse.since < 3 * FS for pulse in found if pulse.at > 22.5 * FS)


def test_the_rounding_of_a_flat_signal_is_no_pulse() -> None:
    wave = np.concatenate([pulse_wave(every(0.8, 19.5), 20), np.full(125 * 20, 1e-4) * (np.arange(125 * 20) % 90 < 45)])
    assert between(trusted(wave), 21, 40) == []


@pytest.mark.parametrize(
    ("height", "offset", "accepted"), [(40.0, 80.0, True), (5.0, 80.0, False), (40.0, 5.0, False), (40.0, 290.0, False)]
)
def test_a_pressure_must_be_plausible(height: float, offset: float, accepted: bool) -> None:
    wave = offset + pulse_wave(every(0.8, 29), 30, height=height)
    assert bool(trusted(wave, "abp")) == accepted
    assert trusted(wave, "pleth")


def test_a_pulse_of_another_height_is_not_trusted() -> None:
    times = every(0.8, 28)
    wave = pulse_wave(times, 30)
    wave[round(19.5 * 125) : round(20.3 * 125)] *= 3
    assert len(between(trusted(wave), 19.5, 20.3)) == 0


def test_missing_samples_are_no_pulses_and_the_template_is_kept() -> None:
    wave = pulse_wave(every(0.8, 28), 30)
    [whole] = pieces(wave, [])
    first, second = (
        WaveSamples("pleth", 125.0, at * FS / 125, wave[at:stop]) for at, stop in ((0, 1500), (2000, 3750))
    )
    found, _ = run([first, second])
    times = [pulse.at / FS for pulse in found]
    assert between(times, 11.8, 16) == []
    assert times[-1] == run([whole])[0][-1].at / FS
    assert len(between(times, 16.5, 29)) >= 14
    marked = wave.copy()
    marked[1500:2000] = np.nan
    assert [pulse.at for pulse in found] == [round(time * FS) for time in trusted(marked)]


def test_a_long_gap_restarts_the_detector() -> None:
    wave = pulse_wave(every(0.8, 28), 30)
    _, detectors = run([WaveSamples("pleth", 125.0, 0.0, wave), WaveSamples("pleth", 125.0, 60.0 * FS, wave[:10])])
    pleth = detectors[0, SIGNALS.index("pleth")]
    assert (pleth["start"], pleth["received"], pleth["number"]) == (60.0 * FS, 10, 0)


def test_samples_received_twice_are_used_once() -> None:
    wave = pulse_wave(every(0.8, 28), 30)
    once = list(pieces(wave, [1000, 2000]))
    assert run([once[0], once[1], once[1], once[0], once[2]])[0] == run(once)[0]


def test_a_pulse_goes_on_until_a_pause_of_two_seconds() -> None:
    times = [*every(0.8, 20), *every(0.8, 40, first=23)]
    found, _ = run(pieces(pulse_wave(times, 41), []))
    first_after = next(pulse.at for pulse in found if pulse.at > 22 * FS)
    assert {pulse.since for pulse in found if pulse.at < 22 * FS} == {found[0].at}
    assert {pulse.since for pulse in found if pulse.at > 22 * FS} == {first_after}


WAVE = np.concatenate([pulse_wave(every(0.7, 19.5), 20), movement(5), pulse_wave(every(0.7, 14.5), 15)])
WAVE[:40] = WAVE[300:320] = np.nan


@settings(max_examples=20)
@given(st.lists(st.integers(0, len(WAVE)), max_size=30), st.sampled_from([125.0, 250.0, 500.0]))
def test_chunks_change_nothing(cuts: list[int], fs: float) -> None:
    expected, whole = run(pieces(WAVE, [], fs=fs))
    found, detectors = run(pieces(WAVE, sorted(cuts), fs=fs))
    assert found == expected
    assert detectors.tobytes() == whole.tobytes()


@given(st.integers(500, len(WAVE)))
@settings(max_examples=20)
def test_no_decision_depends_on_a_sample_after_its_time(stop: int) -> None:
    known = stop * FS / 125
    expected = [pulse for pulse in run(pieces(WAVE, []))[0] if pulse.known_at < known - FS / 125]
    found = [pulse for pulse in run(pieces(WAVE[:stop], []))[0] if pulse.known_at < known - FS / 125]
    assert found == expected


def test_several_messages_at_once_are_those_one_by_one() -> None:
    expected, alone = run(pieces(WAVE, range(100, len(WAVE), 100)))
    together = pulse_detector.begin(1)
    waves = to_rows([list(pieces(WAVE, range(100, len(WAVE), 100)))])
    number, pulses = pulse_detector.advance(together, np.zeros(1, np.int64), waves)
    assert pulses[0, 0, : number[0, 0]].tolist() == [list(pulse) for pulse in expected]
    assert together.tobytes() == alone.tobytes()


def test_detectors_as_bytes() -> None:
    _, detectors = run(pieces(WAVE, []))
    data = pulse_detector.to_bytes(detectors[0])
    assert pulse_detector.from_bytes(data).tobytes() == data
    assert pulse_detector.to_bytes(pulse_detector.from_bytes(b"")) == b""
    for damaged in (data[:-8], data[: len(data) // 2], data[:-1]):
        with pytest.raises(ValueError, match=r"size|shape"):
            pulse_detector.from_bytes(damaged)
