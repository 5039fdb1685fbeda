"""Detection of ventricular fibrillation, and no detection in other rhythms, on synthetic waves and a real record."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from model.signal import blocks, ventricular_fibrillation
from model.signal.arrays import FloatArray
from model.signal.blocks import BLOCK
from model.signal.intake import strides_of
from model.signal.ventricular_fibrillation import Fibrillation
from stream.timebase import FS


def beats(seconds: float, rate: float = 75, seed: int = 0) -> FloatArray:
    """Return two leads of a regular rhythm: QRS complexes, T waves and a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * FS)) / FS
    phase = (time * rate / 60) % 1 * 60 / rate
    wave = 1.2 * np.exp(-(((phase - 0.1) / 0.012) ** 2)) + 0.25 * np.exp(-(((phase - 0.35) / 0.05) ** 2))
    return np.stack([wave, 0.6 * wave], axis=1) + rng.normal(0, 0.008, (len(time), 2))


def fibrillating(seconds: float, hz: float = 5.0, mv: float = 0.5, seed: int = 0) -> FloatArray:
    """Return two leads of a wave with varying frequency and amplitude."""
    rng = np.random.default_rng(seed)
    n = round(seconds * FS)
    knots = np.arange(0, n + FS, FS // 4)
    variation = np.interp(np.arange(n), knots, rng.normal(0, 0.1, len(knots)))
    phase = 2 * np.pi * np.cumsum(hz * (1 + variation)) / FS
    wave = mv * (1 + 2 * variation) * np.sin(phase)
    return np.stack([wave, -0.7 * wave], axis=1) + rng.normal(0, 0.008, (n, 2))


def run(mv: FloatArray, start: int = 0) -> list[Fibrillation]:
    leads = mv.shape[1]
    whole, _ = blocks.step(blocks.begin(leads), strides_of(mv, start))
    decisions, _ = ventricular_fibrillation.step(ventricular_fibrillation.begin(start, leads), whole)
    return list(decisions)


def episodes(decisions: list[Fibrillation]) -> list[tuple[int, int, int]]:
    """Return (onset, detected, last sample) of each episode."""
    groups = itertools.groupby((f for f in decisions if f.since is not None), key=lambda f: f.since)
    spans = [(since, [point.at for point in points]) for since, points in groups]
    return [(since, at[0], at[-1]) for since, at in spans if since is not None]


@pytest.mark.parametrize("hz", [3.5, 5.0, 7.0])
@pytest.mark.parametrize("leads", [1, 2])
def test_fibrillation_is_detected_within_five_seconds_and_ends(hz: float, leads: int) -> None:
    start = 1000
    mv = np.concatenate([beats(20), fibrillating(15, hz), beats(15)])[:, :leads]
    [(since, detected, last)] = episodes(run(mv, start=start))
    onset, end = start + 20 * FS, start + 35 * FS
    assert abs(since - onset) < 1.5 * FS
    assert onset + 2 * FS < detected < onset + 5 * FS
    assert end < last < end + 5 * FS


@pytest.mark.parametrize("rate", [40, 75, 120, 180, 230])
def test_a_regular_rhythm_is_not_detected(rate: float) -> None:
    assert not episodes(run(beats(30, rate)))


def test_a_wide_regular_rhythm_at_130_per_minute_is_not_detected() -> None:
    """The wave has no isoelectric segments, and its harmonics lie in the range of fibrillation."""
    time = np.arange(20 * FS) / FS
    wave = np.sin(2 * np.pi * 2.17 * time) + 0.5 * np.sin(2 * np.pi * 4.34 * time + 1)
    assert not episodes(run(wave[:, None]))


@pytest.mark.parametrize("level", [0.0, 0.005, 0.02])
def test_a_flat_signal_is_not_detected(level: float) -> None:
    mv = np.random.default_rng(0).normal(0, level, (20 * FS, 2))
    assert not episodes(run(mv))


def test_white_noise_is_not_detected() -> None:
    mv = np.random.default_rng(0).normal(0, 0.3, (30 * FS, 2))
    assert not episodes(run(mv))


def test_fibrillation_is_detected_with_one_missing_lead() -> None:
    mv = np.concatenate([beats(10), fibrillating(15)])
    mv[:, 0] = np.nan
    assert episodes(run(mv))
    mv[12 * FS :, 1] = np.nan
    decisions = run(mv)
    assert decisions[-1].since is None


def test_one_decision_per_half_second() -> None:
    decisions = run(beats(5.2), start=70)
    assert [window.at for window in decisions] == [70 + BLOCK * i - 1 for i in range(1, 11)]


def test_the_six_flutter_episodes_of_record_207(mitdb_dir: Path) -> None:
    """Each is detected within 10 s, and nothing else in the half hour."""
    from stream.records.wfdb_reader import read

    record = read(mitdb_dir / "mitdb" / "207", name="207", source="")
    annotations = record.annotations
    assert annotations is not None
    onsets = [int(s) for s, symbol in zip(annotations.sample, annotations.symbol, strict=True) if symbol == "["]
    ends = [int(s) for s, symbol in zip(annotations.sample, annotations.symbol, strict=True) if symbol == "]"]
    detected_episodes = episodes(run(record.mv()))
    assert len(onsets) == 6
    for onset in onsets:
        assert any(onset <= detected <= onset + 10 * FS for _, detected, _ in detected_episodes)
    for since, _, last in detected_episodes:
        assert any(since < end + 2 * FS and last >= onset for onset, end in zip(onsets, ends, strict=True))
