"""How a bed places chunks: the sequence check is that of `stream.wire.continuity`."""

from __future__ import annotations

import numpy as np

from monitor.view.bed import Bed
from tests.waveforms import chunk


def after(*seqs: int) -> Bed:
    """Return a bed that has received these chunks."""
    bed = Bed("bed-1")
    for seq in seqs:
        bed.take_waveform(chunk(seq), chunk(seq).due_ns)
    return bed


def test_lost_and_repeated_chunks_are_counted() -> None:
    bed = after(3, 4, 4, 3, 7, 8)
    assert (bed.gaps, bed.duplicates) == (1, 2)
    observed, _, _ = bed.samples(3 * 36, 9 * 36)
    assert np.isnan(observed[2 * 36 : 4 * 36]).all()
    assert np.isfinite(observed[4 * 36 :]).all()


def test_a_chunk_that_contradicts_the_one_before_is_left_out() -> None:
    bed = after(0, 1)
    bed.take_waveform(chunk(2, start=36, samples=np.zeros(36, "<i2").tobytes()), 0)
    assert (bed.gaps, bed.duplicates) == (1, 0)
    observed, _, _ = bed.samples(36, 72)
    np.testing.assert_allclose(observed[:, 0], chunk(1).mv()[:, 0], rtol=1e-6)
    bed.take_waveform(chunk(2), chunk(2).due_ns)
    assert bed.gaps == 1


def test_a_new_session_counts_anew_what_was_lost_of_it() -> None:
    bed = after(0, 0, 5)
    bed.take_waveform(chunk(1, session="f" * 32), chunk(1).due_ns)
    assert (bed.gaps, bed.duplicates) == (1, 0)
    bed.take_waveform(chunk(0, session="e" * 32), chunk(0).due_ns)
    assert bed.gaps == 0
