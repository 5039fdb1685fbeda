"""Tones: duration, level and pulses."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.view.tones import BURSTS, SAMPLE_RATE_HZ, Burst, Sound, pcm


def pulses(samples: np.ndarray) -> list[tuple[float, float]]:
    """Return start and length of each pulse, in seconds; a silence of 20 ms ends a pulse."""
    loud = np.flatnonzero(samples)
    breaks = np.flatnonzero(np.diff(loud) > 0.02 * SAMPLE_RATE_HZ)
    starts, ends = np.concatenate([[loud[0]], loud[breaks + 1]]), np.concatenate([loud[breaks], [loud[-1]]])
    return [
        (start / SAMPLE_RATE_HZ, (end + 1 - start) / SAMPLE_RATE_HZ) for start, end in zip(starts, ends, strict=True)
    ]


@pytest.mark.parametrize("sound", BURSTS)
def test_a_burst_has_the_specified_length_pulses_and_frequency(sound: Sound) -> None:
    burst = BURSTS[sound]
    samples = pcm(burst)
    assert samples.dtype == np.int16
    assert len(samples) == round(burst.seconds * SAMPLE_RATE_HZ)
    found = pulses(samples)
    np.testing.assert_allclose([start for start, _ in found], burst.starts_s, atol=0.003)
    np.testing.assert_allclose([length for _, length in found], burst.pulse_s, atol=0.005)
    pulse = samples[: round(burst.pulse_s * SAMPLE_RATE_HZ)].astype(float)
    spectrum = np.abs(np.fft.rfft(pulse, 8 * len(pulse)))
    assert np.argmax(spectrum) * SAMPLE_RATE_HZ / (8 * len(pulse)) == pytest.approx(burst.hz, rel=0.01)


@pytest.mark.parametrize("sound", BURSTS)
def test_it_neither_clips_nor_clicks(sound: Sound) -> None:
    samples = pcm(BURSTS[sound]).astype(int)
    assert 0.4 * 32767 < np.abs(samples).max() < 0.6 * 32767
    steps = np.abs(np.diff(samples, prepend=0, append=0))
    assert steps.max() <= 2 * np.pi * BURSTS[sound].hz / SAMPLE_RATE_HZ * 0.5 * 32767 + 200, (
        "no step larger than those of the tone itself"
    )
    assert max(abs(samples[0]), abs(samples[-1])) < 200


def test_priorities_differ_in_the_number_of_pulses() -> None:
    assert [len(BURSTS[sound].starts_s) for sound in ("high", "medium", "low", "technical", "beat")] == [5, 3, 2, 1, 1]


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_the_duration_is_independent_of_the_sample_rate(rate: int) -> None:
    burst = Burst(440.0, 0.1, (0.0, 0.2))
    assert len(pcm(burst, rate)) == round(0.3 * rate)
