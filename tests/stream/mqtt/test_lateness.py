import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.lateness import BOUNDS_S, Lateness


@given(st.lists(st.floats(-1, 100) | st.sampled_from(BOUNDS_S), min_size=1, max_size=50))
def test_many_chunks_count_as_each_of_them(seconds: list[float]) -> None:
    one, many = Lateness(), Lateness()
    one.recent, many.recent = [], []
    for late_s in seconds:
        one.add(late_s)
    many.add_all(np.array(seconds))
    assert many.counts == one.counts
    assert many.recent == one.recent
    assert abs(many.total_s - one.total_s) < 1e-6
