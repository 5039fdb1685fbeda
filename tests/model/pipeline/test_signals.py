"""Whole signals together are analysed as each alone."""

from __future__ import annotations

import numpy as np

from model.pipeline.analysis import Analysis, load_models
from model.pipeline.signals import Signal, analyze_signals
from model.signal.arrays import FloatArray
from stream.records.synthetic.presets import synthetic_record
from stream.timebase import FS

LEADS = ("MLII", "V1")


def whole_signal(leads: int, mv: FloatArray, size: int) -> Signal:
    pieces = (mv[first : first + size, :leads] for first in range(0, len(mv), size))
    return Signal(LEADS[:leads], ((piece, ()) for piece in pieces))


def test_each_signal_is_analysed_to_its_end() -> None:
    """Of different lengths, with pieces of different lengths, with one and two leads, and one without samples."""
    models, mv = load_models(), synthetic_record().mv()

    def given() -> list[Signal]:
        return [
            whole_signal(2, mv[: 20 * FS + 17], 10 * FS),
            whole_signal(1, mv[5 * FS : 30 * FS], 10 * FS),
            whole_signal(1, mv[: 12 * FS], 777),
            whole_signal(1, mv[:0], 10 * FS),
        ]

    together: list[list[Analysis]] = [[], [], [], []]
    for number, found in analyze_signals(models, given()):
        together[number].append(found)
    assert [len(parts) for parts in together] == [4, 4, 7, 1]
    for number, signal in enumerate(given()):
        alone = [found for _, found in analyze_signals(models, [signal])]
        for one, other in zip(together[number], alone, strict=True):
            assert (one.beats, one.changes) == (other.beats, other.changes)
            np.testing.assert_allclose(one.forecasts.mean, other.forecasts.mean, rtol=0, atol=1e-5)
        assert number == 3 or any(part.beats for part in alone)
    [last] = together[3]
    assert not last.beats
