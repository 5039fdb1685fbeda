"""The synthetic ECG is deterministic, marked as synthetic, and has plausible beats."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from stream.records.synthetic import SyntheticConfig, synthetic_patient
from stream.records.wfdb_reader import load
from stream.timebase import FS


def test_it_is_marked_as_synthetic() -> None:
    record = load("synthetic")
    assert record.synthetic
    assert record.name == "synthetic"
    assert record.leads == ("MLII", "V1")
    assert record.adu.shape == (300 * FS, 2)
    assert not record.adu.flags.writeable


def test_it_is_deterministic() -> None:
    short = SyntheticConfig(seconds=20)
    assert np.array_equal(synthetic_patient(short).adu, synthetic_patient(short).adu)
    other = synthetic_patient(SyntheticConfig(seconds=20, seed=2))
    assert not np.array_equal(synthetic_patient(short).adu, other.adu)


def test_annotations_are_at_the_r_peaks() -> None:
    record = load("synthetic")
    assert record.annotations is not None
    found, _ = find_peaks(record.mv()[:, 0], height=0.7, distance=FS // 4)
    annotated = record.annotations.sample
    assert len(found) == len(annotated)
    assert np.abs(found - annotated).max() <= 0.04 * FS


def test_heart_rate_varies_around_the_mean() -> None:
    record = load("synthetic")
    assert record.annotations is not None
    rr = np.diff(record.annotations.sample) / FS
    assert abs(60 / rr.mean() - 72) < 2
    assert 0.02 < rr[:60].std() < 0.1


def test_pvcs_are_early_and_wide_and_start_after_the_first_minute() -> None:
    record = load("synthetic")
    assert record.annotations is not None
    symbol = np.array(record.annotations.symbol)
    sample = record.annotations.sample
    premature = np.flatnonzero(symbol == "V")
    assert len(premature) >= 5
    assert sample[premature].min() > 60 * FS
    rr = np.diff(sample, prepend=0)
    assert (rr[premature] < 0.8 * np.median(rr)).all()
    inside = premature[premature + 1 < len(rr)]
    assert (rr[inside + 1] > 1.1 * np.median(rr)).all()


@settings(max_examples=25)
@given(seconds=st.floats(0.5, 10), heart_rate=st.floats(30, 200), pvc_share=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_any_config_gives_a_valid_record(seconds: float, heart_rate: float, pvc_share: float, seed: int) -> None:
    record = synthetic_patient(SyntheticConfig(seconds, heart_rate, pvc_share, seed=seed))
    assert record.n == round(seconds * FS)
    assert np.abs(record.mv()).max() < 5
    assert record.annotations is not None
    assert (np.diff(record.annotations.sample) > 0).all()
    assert (record.annotations.sample < record.n).all()
