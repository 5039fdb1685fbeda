"""Waves and numerics of a record on the clock of its ECG."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.records.record import Record, RecordedNumeric, RecordedWave
from stream.timebase import FS
from stream.wire.wave_message import Signal

RATES = st.sampled_from((1 / 60, 1 / 1.024, 1.0, 0.5, 2.0))


def recorded(values: list[float], fs: float = 1.0) -> RecordedNumeric:
    return RecordedNumeric("spo2", "%", fs, np.array(values))


def test_a_value_holds_until_the_next_one() -> None:
    spo2 = recorded([97.0, 98.0, math.nan, 95.0])
    assert spo2.at(0) == (97.0, 0.0)
    assert spo2.at(359) == (97.0, pytest.approx(359 / FS))
    assert spo2.at(360) == (98.0, 0.0)
    assert spo2.at(3 * 360 + 90) == (95.0, 0.25)


def test_a_missing_value_has_the_age_of_the_last_one() -> None:
    assert recorded([97.0, math.nan, math.nan]).at(2.5 * FS) == (None, 2.5)
    assert recorded([math.nan, math.nan]).at(1.5 * FS) == (None, 1.5), "since the start of the record"
    assert recorded([97.0, 98.0]).at(5 * FS) == (None, 4.0), "beyond the last one"
    assert recorded([]).at(FS) == (None, 1.0)
    assert type(recorded([97.0, math.nan]).at(FS)[1]) is float, "a message cannot contain a type of numpy"


@given(st.lists(st.floats(0, 100) | st.just(math.nan), max_size=20), RATES, st.floats(0, 30 * 60 * FS))
def test_no_value_is_older_than_its_interval_and_none_is_of_the_future(
    values: list[float], fs: float, position: float
) -> None:
    value, age_s = recorded(values, fs).at(position)
    place = position * fs / FS
    assert 0 <= age_s <= position / FS + 1e-9
    if value is not None:
        assert age_s < 1 / fs + 1e-5
        assert value == values[math.floor(place + 1e-6)]
    else:
        assert place >= len(values) - 1e-5 or math.isnan(values[math.floor(place + 1e-6)])


@given(st.integers(1, 400), RATES)
def test_each_sample_is_of_age_0_at_its_own_time(n: int, fs: float) -> None:
    one = recorded([float(k) for k in range(n)], fs)
    for k in {0, n // 3, n // 2, n - 1}:
        value, age_s = one.at(FS * k / fs)
        assert value == k
        assert age_s == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("stop", [1, 359, 360, 361, 900])
def test_the_first_part_of_a_record_has_its_waves_and_numerics(stop: int) -> None:
    signals: tuple[Signal, ...] = ("resp", "co2")
    waves = tuple(RecordedWave(signal, "NU", 125.0, 100.0, 0, np.arange(1000, dtype=np.int16)) for signal in signals)
    record = Record(
        name="x",
        leads=("II",),
        gain=(200.0,),
        zero=(0,),
        adu=np.zeros((2880, 1), np.int16),
        synthetic=False,
        source="test",
        waves=waves,
        numerics=(recorded([float(k) for k in range(8)]),),
    )
    part = record.until(stop)
    assert part.n == stop
    assert [wave.adu.size for wave in part.waves] == [math.ceil(stop * 125 / 360)] * 2
    [numeric] = part.numerics
    assert numeric.values.size == math.ceil(stop / 360)
    assert numeric.at(stop - 1) == record.numerics[0].at(stop - 1)
