"""Messages of waves as rows."""

from __future__ import annotations

from typing import get_args

import numpy as np

from model.signal.wave_samples import SIGNALS, WaveSamples, to_rows
from stream.wire.wave_message import Signal

PLETH, ABP = SIGNALS.index("pleth"), SIGNALS.index("abp")


def test_messages_are_in_the_order_of_beds_then_waves_then_as_received() -> None:
    first, second = (WaveSamples("pleth", 125.0, start, np.full(2, start)) for start in (0.0, 36.0))
    pressure = WaveSamples("abp", 250.0, 7.0, np.array([80.0, np.nan, 90.0]))
    rows = to_rows([[first, pressure, second], [], [pressure]])
    assert rows.bed.tolist() == [0, 0, 0, 2]
    assert rows.wave.tolist() == [PLETH, PLETH, ABP, ABP]
    assert rows.fs.tolist() == [125.0, 125.0, 250.0, 250.0]
    assert rows.start.tolist() == [0.0, 36.0, 7.0, 7.0]
    assert rows.first.tolist() == [0, 2, 4, 7, 10]
    np.testing.assert_array_equal(rows.values, [0, 0, 36, 36, 80, np.nan, 90, 80, np.nan, 90])


def test_waves_without_pulses_and_those_too_slow_to_be_analysed_are_left_out() -> None:
    slow = WaveSamples("pleth", 20.0, 0.0, np.zeros(2))
    others = [WaveSamples(signal, 125.0, 0.0, np.zeros(2)) for signal in get_args(Signal) if signal not in SIGNALS]
    rows = to_rows([[slow, *others]])
    assert (rows.bed.size, rows.first.tolist(), rows.values.size) == (0, [0], 0)
