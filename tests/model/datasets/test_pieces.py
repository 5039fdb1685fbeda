"""The waves of a record are cut without losing a sample."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from model.datasets.pieces import pieces, waves_within
from stream.records.record import Record, RecordedWave


def test_the_parts_of_a_wave_follow_each_other() -> None:
    adu = np.arange(1000, dtype=np.int16)
    wave = RecordedWave("abp", "mmHg", 62.4725, 10.0, 100, adu)
    record = Record("r", ("II",), (200.0,), (0,), np.zeros((6000, 1), np.int16), True, "test", waves=(wave,))
    cut = list(pieces(record, 7))
    assert np.concatenate([mv for mv, _ in cut]).shape == (6000, 1)
    parts = [part for _, waves in cut for part in waves]
    np.testing.assert_allclose(np.concatenate([part.values for part in parts]), (adu - 100.0) / 10)
    for before, after in pairwise(parts):
        assert abs(after.start - before.start - len(before.values) * 360 / 62.4725) < 1e-6
    assert waves_within(record, 0, 0) == ()
