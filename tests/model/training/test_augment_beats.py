"""Augmented beats: labels, RR intervals and waveforms of each kind."""

from __future__ import annotations

import numpy as np

from model.beats.templates import PIECE_BEFORE
from model.training.augment_beats import (
    UNLABELLED,
    N,
    RecordBeats,
    S,
    V,
    augment,
    disturbed,
    fibrillation,
    premature,
    switching,
)
from stream.timebase import FS

P_WAVE = slice(PIECE_BEFORE - 70, PIECE_BEFORE - 30)


def record(seconds: int = 400, width: float = 5.0) -> RecordBeats:
    """Return a record with one beat per second and P waves; every tenth beat is ventricular, every 25th is S."""
    at = np.arange(2 * FS, (seconds - 2) * FS, FS)
    t = np.arange(-120, 200)
    beat = np.exp(-0.5 * (t / width) ** 2) + 0.15 * np.exp(-0.5 * ((t + 50) / 8) ** 2)
    mv = np.zeros((seconds * FS, 2))
    for r in at:
        mv[r - 120 : r + 200] = beat[:, None] * np.array([1.0, 0.5])
    number = np.arange(len(at))
    kind = np.where(number % 10 == 9, V, np.where(number % 25 == 3, S, N))
    return RecordBeats(mv, at, kind)


def test_fibrillation_has_irregular_rr_no_p_waves_and_no_supraventricular_ectopy() -> None:
    recorded = record()
    beats = fibrillation(recorded, np.random.default_rng(0))
    assert [beat.type for beat in beats] == [kind for kind in recorded.type if kind != S]
    rr = np.array([beat.rr for beat in beats[1:]])
    assert beats[0].rr is None
    assert rr.std() / rr.mean() > 0.1
    mean = np.mean([beat.piece[:, 0] for beat in beats if beat.type == N], axis=0)
    plain = recorded.piece(int(recorded.index[0]))[:, 0]
    assert np.ptp(mean[P_WAVE]) < 0.4 * np.ptp(plain[P_WAVE])


def test_premature_beats_are_early_and_recorded_ectopy_is_unlabelled() -> None:
    recorded = record(1000)
    beats = premature(recorded, np.random.default_rng(3))
    early = np.array([beat.type == S for beat in beats])
    assert early.sum() > 10
    assert (recorded.type[early] == N).all()
    assert all(beat.rr is not None and beat.rr <= 0.9 * FS for beat in beats if beat.type == S)
    assert all(beats[i].type == UNLABELLED for i in np.flatnonzero(recorded.type == S))
    assert all(beats[i].type == V for i in np.flatnonzero(recorded.type == V))


def test_disturbed_beats_keep_their_labels() -> None:
    recorded = record()
    beats = disturbed(recorded, np.random.default_rng(1))
    assert [beat.type for beat in beats] == recorded.type.tolist()
    assert np.std([beat.rr for beat in beats[1:]]) > 5


def test_switching_replaces_the_qrs_of_normal_beats_only() -> None:
    recorded, other = record(1000), record(1000, width=15.0)
    beats = switching(recorded, other, np.random.default_rng(2))
    assert [beat.type for beat in beats] == recorded.type.tolist()
    qrs = np.abs([beat.piece[:, 0] for beat in beats])
    broad = (qrs > qrs.max(axis=1, keepdims=True) / 2).sum(axis=1) > 20
    assert 0.05 < broad.mean() < 0.95
    assert (recorded.type[broad] == N).all()


def test_augmentation_is_reproducible_and_complete() -> None:
    records = [record(), record(width=8.0), record(width=10.0)]
    first, again, other = (augment(records, seed, minutes=2) for seed in (1, 1, 2))
    assert len(first) == 3
    assert all(set(kinds) == {"fibrillation", "premature", "disturbed", "switching"} for kinds in first)
    for a, b in zip(first, again, strict=True):
        for kind, beats in a.items():
            np.testing.assert_array_equal(beats[5].piece, b[kind][5].piece)
    assert not np.array_equal(first[0]["disturbed"][5].piece, other[0]["disturbed"][5].piece)
