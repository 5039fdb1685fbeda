"""Respiration rate, pauses and end-tidal carbon dioxide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.physiology.breathing import Breathing, breathing
from model.physiology.carbon_dioxide import end_tidal
from model.signal.arrays import FloatArray

FS = 25.0


def wave_of(per_min: float, seconds: float, heart: float = 0.1) -> FloatArray:
    """Return a wave of breathing with what the heart adds to an impedance."""
    at = np.arange(round(seconds * FS)) / FS
    return 0.4 + 0.3 * np.sin(2 * np.pi * per_min / 60 * at) + heart * 0.3 * np.sin(2 * np.pi * 1.3 * at)


def follow(wave: FloatArray, seconds: float = 30.0) -> list[Breathing | None]:
    """Return the breathing at the end of each second."""
    level, found = 0.0, []
    for second in range(1, round(len(wave) / FS) + 1):
        stop = round(second * FS)
        own, level = breathing(wave[max(stop - round(seconds * FS), 0) : stop], FS, level)
        found.append(own)
    return found


@settings(max_examples=30)
@given(per_min=st.floats(8, 36), heart=st.floats(0, 0.15))
def test_the_rate_is_that_of_the_wave(per_min: float, heart: float) -> None:
    found, _ = breathing(wave_of(per_min, 30, heart), FS, 0.0)
    assert found is not None
    assert found.rate == pytest.approx(per_min, abs=1.0)
    assert found.pause_s is None


def test_a_pause_is_counted_from_the_last_breath_and_ends_with_the_next() -> None:
    wave = np.concatenate([wave_of(15, 40), wave_of(0, 40), wave_of(15, 20)])
    found = follow(wave)
    pauses = [0.0 if own is None or own.pause_s is None else own.pause_s for own in found]
    assert max(pauses[:45]) == 0
    assert 18 < pauses[60] < 24
    assert pauses[76] == 30  # the piece of the wave has no breath
    assert pauses[-1] == 0
    paused, breathes = found[72], found[-1]
    assert paused is not None
    assert breathes is not None
    assert paused.rate is None
    assert breathes.rate == pytest.approx(15, abs=2)


@pytest.mark.parametrize("wave", [np.full(750, np.nan), np.empty(0), wave_of(15, 5)], ids=["invalid", "empty", "short"])
def test_nothing_is_said_of_a_wave_that_cannot_be_read(wave: FloatArray) -> None:
    assert breathing(wave, FS, 0.3) == (None, 0.3)


def test_a_pause_is_as_good_as_the_share_of_the_wave_that_is_valid() -> None:
    wave = np.concatenate([wave_of(15, 10), wave_of(0, 20)])
    wave[300:375] = np.nan
    found, _ = breathing(wave, FS, 0.0)
    assert found is not None
    assert found.pause_s == pytest.approx(20, abs=4)
    assert found.valid == pytest.approx(0.9)
    assert found.quality < 0.5


def test_a_flat_wave_of_a_bed_that_never_breathed_is_no_pause() -> None:
    found, _ = breathing(np.full(750, 0.4), FS, 0.0)
    assert found is not None
    assert found.rate is None
    assert found.pause_s is None


def test_end_tidal_carbon_dioxide_is_the_highest_of_an_expiration() -> None:
    at = np.arange(750) / FS
    wave = 38 * np.clip(4 * np.sin(2 * np.pi * 0.25 * at), 0, 1)
    found, _ = breathing(wave, FS, 0.0)
    assert found is not None
    assert end_tidal(wave, found.breaths) == pytest.approx(38)
    assert end_tidal(np.full(750, 1.0), found.breaths) is None
    assert end_tidal(wave, found.breaths[:1]) is None
