"""The samples of several chunks in mV."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.wire.messages import INVALID, Waveform
from stream.wire.millivolts import millivolts
from tests.waveforms import chunk


@st.composite
def chunks(draw: st.DrawFn) -> Waveform:
    leads = draw(st.integers(1, 4))
    samples = draw(st.lists(st.integers(INVALID, 32767), min_size=leads, max_size=20 * leads))
    adu = np.array(samples[: len(samples) // leads * leads], "<i2")
    return msgspec.structs.replace(
        chunk(0, 36),
        leads=("MLII", "V1", "V5", "I")[:leads],
        gain=tuple(draw(st.sampled_from([200.0, 1000.0, 247.3])) for _ in range(leads)),
        zero=tuple(draw(st.integers(-2000, 2000)) for _ in range(leads)),
        samples=adu.tobytes(),
    )


@given(st.lists(chunks(), max_size=6))
def test_the_analysed_leads_of_each_chunk_are_converted_as_alone(several: list[Waveform]) -> None:
    for found, one in zip(millivolts(several), several, strict=True):
        np.testing.assert_array_equal(found, one.mv()[:, :2])
