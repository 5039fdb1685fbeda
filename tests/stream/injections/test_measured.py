"""Each injection changes what it should, and by how much: measured in the disturbed signal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import welch

from stream.injections import electrode_motion, muscle_noise, pressure
from stream.injections.chain import Channel
from stream.injections.noise import Spectrum, noise
from stream.injections.signal_level import qrs_amplitude
from stream.timebase import FS
from stream.wire.injection_kinds import InjectionKind
from tests.stream.injections.signals import LEADS, PRESSURE, PULSE, disturbed, ecg, pulses, running, values

CLEAN = values(ecg(120), LEADS)


def power_about_each_second(mv: npt.NDArray[np.float64]) -> float:
    seconds = mv[: mv.size // FS * FS].reshape(-1, FS)
    return float(np.mean((seconds - seconds.mean(axis=1, keepdims=True)) ** 2))


def amplitude_at(mv: npt.NDArray[np.float64], hz: float, fs: float = FS) -> float:
    """Return the amplitude of the sine of a frequency, of which the signal contains whole periods."""
    return float(2 * abs(np.mean(mv * np.exp(-2j * np.pi * hz * np.arange(mv.size) / fs))))


@pytest.mark.parametrize("kind", ["electrode_motion", "muscle_noise"])
@pytest.mark.parametrize("snr_db", [-6.0, 12.0])
def test_noise_has_the_ratio_of_nst(kind: InjectionKind, snr_db: float) -> None:
    added = disturbed(ecg(120), LEADS, running(kind, level=snr_db)) - CLEAN
    for lead in (0, 1):
        snr = 10 * np.log10(LEADS[lead].amplitude ** 2 / 8 / power_about_each_second(added[:, lead]))
        assert snr == pytest.approx(snr_db, abs=0.7)


def share_between(mv: npt.NDArray[np.float64], low: float, high: float) -> float:
    hz, power = welch(mv, FS, nperseg=8192)
    return float(power[(hz >= low) & (hz < high)].sum() / power.sum())


def test_muscle_noise_lies_between_20_and_150_hz() -> None:
    added = noise(muscle_noise.SPECTRUM, 1, 0, 120 * FS, FS)
    assert share_between(added, 19, 151) > 0.99
    assert share_between(added, 20, 85) == pytest.approx(0.5, abs=0.03), "flat"


def test_electrode_motion_has_the_spectrum_of_the_record_em() -> None:
    """Shares of nstdb/118e_6 less mitdb/118, lead MLII, of the power from 0.5 Hz on."""
    added = noise(electrode_motion.SPECTRUM, 1, 0, 300 * FS, FS)
    of_all = share_between(added, 0.5, 180)
    bands = {(0.5, 2): 0.62, (2, 5): 0.27, (5, 20): 0.11, (20, 180): 0.006}
    for (low, high), share in bands.items():
        assert share_between(added, low, high) / of_all == pytest.approx(share, rel=0.2), (low, high)


def test_noise_has_the_same_power_everywhere() -> None:
    flat: Spectrum = ((1.0, 0.0), (100.0, 0.0))
    made = np.stack([noise(flat, seed, 8000, 8192, FS) for seed in range(60)])
    power = np.mean(made.reshape(60, 8, 1024) ** 2, axis=(0, 2))
    assert power == pytest.approx(np.ones(8), abs=0.1)


@pytest.mark.parametrize(("kind", "hz"), [("mains", 50.0), ("mains", 60.0), ("baseline_wander", 0.2)])
def test_a_sine_has_its_amplitude_and_frequency_and_nothing_else(kind: InjectionKind, hz: float) -> None:
    added = disturbed(ecg(120), LEADS, running(kind, level=0.3, hz=hz)) - CLEAN
    assert amplitude_at(added[:, 0], hz) == pytest.approx(0.3, rel=1e-3)
    assert np.std(added[:, 0]) == pytest.approx(0.3 / np.sqrt(2), rel=1e-3)
    assert abs(added[0, 0]) < 1e-3, "no jump at the start"


def test_lead_off_is_invalid_and_a_flat_line_is_zero() -> None:
    assert np.isnan(disturbed(ecg(4), LEADS, running("lead_off", lead="I"))[:, 0]).all()
    assert not disturbed(ecg(4), LEADS, running("flat_line", lead="I"), running("mains"))[:, 0].any()


def test_saturation_clips_and_a_gain_scales() -> None:
    made = disturbed(ecg(120), LEADS, running("saturation", level=0.5))
    np.testing.assert_allclose(made, np.clip(CLEAN, -0.5, 0.5), atol=1e-9)
    np.testing.assert_allclose(disturbed(ecg(120), LEADS, running("gain_error")), CLEAN / 2, atol=6e-4)


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        (("I", "II"), [[-1, 0], [-1, 1]]),
        (("II", "I"), [[1, -1], [0, -1]]),
        (("I", "III"), [[-1, 0], [1, 1]]),
        (("II", "III"), [[0, 1], [1, 0]]),
        (("aVR", "aVL"), [[0, 1], [1, 0]]),
        (("I", "V5"), [[-1, 0], [0, 1]]),
        (("I", "aVR"), [[-1, 0], [1.5, 1]]),
        (("II", "V1"), [[0, 1], [1, 0]]),
        (("aVF", "V1"), [[1, 0], [0, 1]]),
        (("MLII", "V1"), [[0, 1], [1, 0]]),
        (("II",), [[-1]]),
        (("II", "V", "AVR"), [[2, 0, 2], [0, 1, 0], [-1.5, 0, -2]]),
        (("MLII", "V1", "V5"), [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
    ],
)
def test_reversed_arm_electrodes_follow_einthoven(leads: tuple[str, ...], expected: list[list[float]]) -> None:
    channels = tuple(Channel("b", lead, 1000.0, 0, 0.0, 1.0) for lead in leads)
    adu = np.array([[100, 300, 20], [-50, 7, -9]], np.int16)[:, : len(leads)]
    made = disturbed(adu, channels, running("swapped_electrodes"))
    np.testing.assert_allclose(made, adu / 1000 @ np.transpose(expected), atol=1e-9)


def test_reversed_arm_electrodes_of_twelve_leads() -> None:
    chest = ("V1", "V2", "V3", "V4", "V5", "V6")
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", *chest)
    channels = tuple(Channel("b", lead, 1000.0, 0, 0.0, 1.0) for lead in leads)
    adu = np.arange(24, dtype=np.int16).reshape(2, 12)
    made = disturbed(adu, channels, running("swapped_electrodes")) * 1000
    order = [leads.index(name) for name in ("I", "III", "II", "aVL", "aVR", "aVF", *chest)]
    np.testing.assert_allclose(made, adu[:, order] * np.array([-1, *[1] * 11]), atol=1e-6)


@pytest.mark.parametrize(("hz", "damping"), [(3.0, 1.5), (10.0, 0.2), (12.5, 0.7)])
def test_a_line_has_the_response_of_its_natural_frequency_and_damping(hz: float, damping: float) -> None:
    """A sine at the natural frequency comes through with 1 / (2 ζ), and a quarter period late."""
    fs, time = 125.0, np.arange(4000) / 125
    made, _ = pressure.damp(90 + 20 * np.sin(2 * np.pi * hz * time), fs, hz, damping, None)
    assert amplitude_at(made[2000:], hz, fs) == pytest.approx(20 / (2 * damping), rel=0.01)
    slow, _ = pressure.damp(90 + 20 * np.sin(2 * np.pi * 0.05 * time), fs, hz, damping, None)
    assert np.ptp(slow[2000:]) == pytest.approx(40, rel=0.05)


def test_a_damped_pressure_keeps_its_mean_and_loses_its_pulse() -> None:
    adu = pulses(60, 125, PRESSURE[0])
    made = disturbed(adu, PRESSURE, running("damped_pressure"), fs=125)[1000:]
    expected = 1 / np.hypot(1 - (1.2 / 3) ** 2, 2 * 1.5 * 1.2 / 3)  # |H| at the pulse rate
    assert np.mean(made[: 5 * 625]) == pytest.approx(90, abs=0.2)
    assert np.ptp(made) == pytest.approx(40 * expected, rel=0.02)
    share = pressure.pulse_share(values(adu, PRESSURE)[:, 0], 125, 3, 1.5)
    assert share == pytest.approx(expected, rel=0.05), "what numerics are changed by"
    assert not disturbed(adu, PRESSURE, running("disconnected_pressure"), fs=125).any()


def test_poor_perfusion_weakens_the_pulse_to_its_factor() -> None:
    made = disturbed(pulses(60, 125, PULSE[0]), PULSE, running("poor_perfusion", level=0.1), fs=125)[:, 0]
    assert amplitude_at(made, 1.2, 125) == pytest.approx(0.04, rel=0.1)
    assert np.std(made - 1) < 0.04
    nothing = disturbed(pulses(60, 125, PULSE[0]), PULSE, running("poor_perfusion", level=0.0), fs=125)[:, 0]
    assert np.std(nothing) == pytest.approx(0.01 * PULSE[0].amplitude, rel=0.2)


def test_a_cuff_takes_the_pulse_away_and_gives_it_back() -> None:
    made = disturbed(pulses(40, 125, PULSE[0]), PULSE, running("cuff_inflation", 0, 30 * FS), fs=125)[:, 0]
    height = [float(np.ptp(made[125 * at : 125 * (at + 1)])) for at in range(40)]
    assert max(height[3:25]) < 0.01
    assert height[0] > 0.5
    assert min(height[31:]) > 0.7


def test_the_amplitude_of_a_record_is_that_of_its_complexes() -> None:
    mv = CLEAN[:, 0] + np.linspace(0, 20, CLEAN.shape[0])  # a baseline that drifts
    peaks = np.arange(120) * FS + FS // 2
    assert qrs_amplitude(mv, FS, peaks) == pytest.approx(1.55, abs=0.1)
    assert qrs_amplitude(CLEAN[:, 0], FS, peaks[:0]) == pytest.approx(1.55, abs=0.1), "without annotations"
    assert qrs_amplitude(np.full(7200, np.nan), FS, peaks) == 1.0
