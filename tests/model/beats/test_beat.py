"""Beats as arrays."""

from hypothesis import given
from hypothesis import strategies as st

from model.beats.beat import KINDS, Beat, from_rows, to_rows

correlations = st.floats(-1, 1)
beats = st.builds(
    Beat,
    index=st.integers(0, 2**40),
    at=st.integers(0, 2**40),
    type=st.sampled_from(KINDS),
    rr=st.none() | st.integers(1, 10_000),
    resemblance=st.lists(correlations, max_size=2).map(tuple),
    p_wave=st.none() | correlations,
)


@given(st.lists(st.lists(beats, max_size=3), max_size=4))
def test_arrays_keep_the_beats_of_each_bed(own):
    assert from_rows(to_rows(own)) == [tuple(each) for each in own]
