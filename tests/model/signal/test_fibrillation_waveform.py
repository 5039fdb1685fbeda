"""Resemblance to ventricular fibrillation, of fibrillation and of other waves."""

from __future__ import annotations

import numpy as np
import pytest

from model.signal import blocks, fibrillation_waveform
from model.signal.arrays import FloatArray
from model.signal.blocks import BLOCK
from model.signal.fibrillation_waveform import RECENT_BLOCKS, SAMPLES_PER_BLOCK, Waveform
from model.signal.intake import strides_of
from stream.timebase import FS
from tests.model.ecg_waves import beats, fibrillating


def run(mv: FloatArray, start: int = 0) -> list[Waveform]:
    leads = mv.shape[1]
    whole, _ = blocks.step(blocks.begin(leads), strides_of(mv, start))
    measured, _ = fibrillation_waveform.step(fibrillation_waveform.begin(leads), whole)
    return list(measured)


@pytest.mark.parametrize("hz", [3.5, 5.0, 7.0])
@pytest.mark.parametrize("leads", [1, 2])
def test_most_windows_of_fibrillation_resemble_it(hz: float, leads: int) -> None:
    margins = [window.margin for window in run(fibrillating(20, hz)[:, :leads])[6:]]
    assert np.mean(np.array(margins) > 0) > 0.9


@pytest.mark.parametrize("rate", [40, 75, 120, 180, 230])
def test_no_window_of_a_regular_rhythm_resembles_fibrillation(rate: float) -> None:
    assert max(window.margin for window in run(beats(30, rate))) < 0


def test_a_slow_sine_resembles_slow_fibrillation_only() -> None:
    time = np.arange(20 * FS) / FS
    last = run(np.sin(2 * np.pi * 2.2 * time)[:, None])[-1]
    assert last.margin < 0 < last.slow_margin


def test_a_periodic_wave_with_a_long_period_resembles_slow_fibrillation_only() -> None:
    """Its second harmonic raises the mean frequency above 150/min, but it repeats at 84/min."""
    time = np.arange(20 * FS) / FS
    last = run((np.sin(2 * np.pi * 1.4 * time) + 2 * np.sin(2 * np.pi * 2.8 * time))[:, None])[-1]
    assert last.margin < 0 < last.slow_margin


@pytest.mark.parametrize("level", [0.0, 0.005, 0.02, 0.3])
def test_neither_a_flat_signal_nor_white_noise_resembles_fibrillation(level: float) -> None:
    mv = np.random.default_rng(0).normal(0, level, (30 * FS, 2))
    measured = run(mv)
    assert max(max(window.margin, window.slow_margin) for window in measured) < 0


def test_an_invalid_lead_is_not_measured() -> None:
    mv = fibrillating(20)
    mv[:, 0] = np.nan
    assert run(mv)[-1].margin > 0
    mv[12 * FS :, 1] = np.nan
    last = run(mv)[-1]
    assert last.margin < 0
    assert np.isnan(last.slope)


def test_the_slope_of_a_sine() -> None:
    time = np.arange(20 * FS) / FS
    for window in run(0.5 * np.sin(2 * np.pi * 5 * time)[:, None])[4:]:
        assert window.slope == pytest.approx(4 * 0.5 * 5, rel=0.06)


def test_one_measurement_per_half_second() -> None:
    measured = run(beats(8.2), start=70)
    assert [window.at for window in measured] == [70 + BLOCK * i - 1 for i in range(1, 17)]
    assert [len(window.recent) for window in measured] == [
        min(i, RECENT_BLOCKS) * SAMPLES_PER_BLOCK for i in range(1, 17)
    ]
