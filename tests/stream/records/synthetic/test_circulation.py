"""The pulse follows the beat, respiration moves all of it, and what the heart does not eject is not seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Patient, Segment
from stream.wire.wave_message import Signal
from tests.stream.records.synthetic.measures import beats, peaks, pulse_after, wave


@pytest.mark.parametrize("delay", [0.18, 0.3])
def test_the_pulse_reaches_the_finger_after_its_delay(delay: float) -> None:
    record = generate(Patient(heart_rate=65, pulse_arrival_s=delay), 40, 1)
    at_finger, _ = pulse_after(*wave(record, "pleth"), beats(record, "N")[5:-2])
    assert np.abs(at_finger - delay).max() < 0.03
    at_artery, _ = pulse_after(*wave(record, "abp"), beats(record, "N")[5:-2])
    assert np.abs(at_artery - delay + 0.06).max() < 0.03


@pytest.mark.parametrize("signal", ["pleth", "abp"])
def test_a_premature_ventricular_beat_gives_a_weak_pulse(signal: Signal) -> None:
    record = generate(Patient(rhythm=(Segment(0, "bigeminy"),)), 40, 1)
    _, normal = pulse_after(*wave(record, signal), beats(record, "N")[3:-2])
    _, premature = pulse_after(*wave(record, signal), beats(record, "V")[3:-2])
    assert premature.max() < 0.6 * normal.min()


@pytest.mark.parametrize("rhythm", ["ventricular fibrillation", "asystole"])
def test_without_beats_there_is_no_pulse(rhythm) -> None:
    record = generate(Patient(rhythm=(Segment(0, "sinus"), Segment(20, rhythm))), 50, 1)
    for signal, smallest in (("pleth", 0.2), ("abp", 8.0), ("cvp", 4.0)):
        time, values = wave(record, signal)
        assert len(peaks(time[time < 20], values[time < 20], smallest)[0]) >= 18, signal
        late = time > 26
        assert len(peaks(time[late], values[late], smallest)[0]) == 0, signal
    time, abp = wave(record, "abp")
    assert abp[time > 35].max() < 20


def test_fast_ventricular_tachycardia_lowers_the_pressure() -> None:
    record = generate(Patient(rhythm=(Segment(0, "sinus"), Segment(20, "ventricular tachycardia")), vt_rate=190), 40, 1)
    time, abp = wave(record, "abp")
    assert abp[time > 30].max() < abp[(time > 5) & (time < 20)].mean()


def test_arterial_pulses_have_a_dicrotic_wave() -> None:
    record = generate(Patient(heart_rate=65), 30, 1)
    for signal, smallest in (("pleth", 0.01), ("abp", 1.5)):
        time, values = wave(record, signal)
        smooth = np.convolve(values, np.ones(5) / 5, "same")
        found, _ = peaks(time[200:-200], smooth[200:-200], smallest)
        assert abs(len(found) / len(beats(record, "N")) - 2) < 0.3, signal


def test_respiration_moves_the_waves_and_the_heart_rate() -> None:
    record = generate(Patient(respiration_rate=12), 120, 1)
    time, volume = wave(record, "resp")
    beat = beats(record, "N")[2:-2]
    inspired = np.interp(beat, time, volume)
    rr = np.diff(beat)
    assert np.corrcoef(rr, inspired[:-1])[0, 1] < -0.7
    _, heights = pulse_after(*wave(record, "abp"), beat)
    assert np.corrcoef(heights, inspired)[0, 1] < -0.6
    # Means from beat to beat, as the waves of a beat are larger than those of respiration.
    for signal in ("abp", "cvp", "pleth"):
        _, values = wave(record, signal)
        means = [values[(time >= a) & (time < b)].mean() for a, b in pairwise(beat)]
        volumes = [volume[(time >= a) & (time < b)].mean() for a, b in pairwise(beat)]
        assert np.corrcoef(means, volumes)[0, 1] < -0.3, signal


@pytest.mark.parametrize("before", [(), (Segment(0, "sinus"),)])
def test_after_an_arrest_the_pressure_recovers_beat_by_beat(before: tuple[Segment, ...]) -> None:
    arrest = Segment(20 * len(before), "asystole")
    record = generate(Patient(rhythm=(*before, arrest, Segment(40, "sinus"))), 70, 1)
    time, abp = wave(record, "abp")
    assert abp[(time > 35) & (time < 40)].max() < 20
    assert abp[(time > 41) & (time < 42)].max() < 80
    assert abp[time > 60].max() > 110
