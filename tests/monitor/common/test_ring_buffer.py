"""The ring buffer behaves like a dictionary of the newest samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.common.ring_buffer import RingBuffer

puts = st.lists(st.tuples(st.integers(0, 120), st.integers(1, 40)), max_size=12)


@given(capacity=st.integers(1, 30), puts=puts, start=st.integers(-5, 130), length=st.integers(0, 60))
def test_it_matches_a_dictionary(capacity: int, puts: list[tuple[int, int]], start: int, length: int) -> None:
    ring = RingBuffer(capacity, 2)
    known: dict[int, float] = {}
    end = None
    for number, (first, n) in enumerate(puts):
        values = [1000.0 * number + i for i in range(n)]
        ring.put(first, [(value, -value) for value in values])
        known.update(zip(range(first, first + n), values, strict=True))
        end = max(end or 0, first + n)
    assert ring.end == end
    got = ring.get(start, start + length)
    kept = [known.get(i, np.nan) if end and end - capacity <= i < end else np.nan for i in range(start, start + length)]
    np.testing.assert_array_equal(got, np.array([kept, [-v for v in kept]], np.float32).T.reshape(-1, 2))


@given(cuts=st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_the_content_does_not_depend_on_the_chunks(cuts: list[int]) -> None:
    total = sum(cuts)
    cut, whole = RingBuffer(64), RingBuffer(64)
    at = 0
    for n in cuts:
        cut.put(at, np.arange(at, at + n))
        at += n
    whole.put(0, np.arange(total))
    np.testing.assert_array_equal(cut.get(0, total), whole.get(0, total))


def test_a_gap_is_nan_even_over_older_samples() -> None:
    ring = RingBuffer(10)
    ring.put(0, np.arange(10))
    ring.put(14, [14.0])
    assert np.isnan(ring.get(10, 14)).all()
    assert ring.get(14, 15)[0, 0] == 14


def test_indices_up_to_the_maximum_of_messages() -> None:
    ring = RingBuffer(10)
    ring.put(0, [1.0])
    ring.put(2**62, [2.0, 3.0])
    assert ring.get(2**62, 2**62 + 2)[:, 0].tolist() == [2.0, 3.0]


def test_memory_is_used_as_it_is_written() -> None:
    """Linux counts the pages of a process in /proc."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        pytest.skip("needs /proc")
    before = int(pages.read_text().split()[1])
    rings = [RingBuffer(1_000_000) for _ in range(64)]
    for ring in rings:
        ring.put(500_000, [1.0])
    assert int(pages.read_text().split()[1]) - before < 2000, "of 64,000 pages"


def test_get_returns_a_copy() -> None:
    ring = RingBuffer(10)
    ring.put(0, [1.0])
    ring.get(0, 1)[:] = 7
    assert ring.get(0, 1)[0, 0] == 1


def test_an_invalid_capacity_is_an_error() -> None:
    with pytest.raises(ValueError, match="invalid ring buffer"):
        RingBuffer(0)
