"""The tones: how long, how loud, and which pulses."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.view.tones import BURSTS, RATE, Burst, Sound, pcm


def pulses(samples: np.ndarray) -> list[tuple[float, float]]:
    """Return begin and length of each stretch with sound, in seconds: where silence lasts 20 ms a pulse is over."""
    loud = np.flatnonzero(samples)
    breaks = np.flatnonzero(np.diff(loud) > 0.02 * RATE)
    begins, ends = np.concatenate([[loud[0]], loud[breaks + 1]]), np.concatenate([loud[breaks], [loud[-1]]])
    return [(begin / RATE, (end + 1 - begin) / RATE) for begin, end in zip(begins, ends, strict=True)]


@pytest.mark.parametrize("sound", BURSTS)
def test_a_burst_has_its_length_its_pulses_and_its_pitch(sound: Sound) -> None:
    burst = BURSTS[sound]
    samples = pcm(burst)
    assert samples.dtype == np.int16
    assert len(samples) == round(burst.seconds * RATE)
    found = pulses(samples)
    np.testing.assert_allclose([begin for begin, _ in found], burst.starts_s, atol=0.003)
    np.testing.assert_allclose([length for _, length in found], burst.pulse_s, atol=0.005)
    pulse = samples[: round(burst.pulse_s * RATE)].astype(float)
    spectrum = np.abs(np.fft.rfft(pulse, 8 * len(pulse)))
    assert np.argmax(spectrum) * RATE / (8 * len(pulse)) == pytest.approx(burst.hz, rel=0.01)


@pytest.mark.parametrize("sound", BURSTS)
def test_it_does_not_clip_and_does_not_click(sound: Sound) -> None:
    samples = pcm(BURSTS[sound]).astype(int)
    assert 0.4 * 32767 < np.abs(samples).max() < 0.6 * 32767
    steps = np.abs(np.diff(samples, prepend=0, append=0))
    assert steps.max() <= 2 * np.pi * BURSTS[sound].hz / RATE * 0.5 * 32767 + 200, "no step larger than the tone's own"
    assert max(abs(samples[0]), abs(samples[-1])) < 200


def test_priorities_differ_in_the_number_of_pulses() -> None:
    assert [len(BURSTS[sound].starts_s) for sound in ("high", "medium", "low", "technical", "beat")] == [5, 3, 2, 1, 1]


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_other_rates_give_the_same_seconds(rate: int) -> None:
    burst = Burst(440.0, 0.1, (0.0, 0.2))
    assert len(pcm(burst, rate)) == round(0.3 * rate)
