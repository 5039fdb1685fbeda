"""Lane ranges: they change for clipped samples, at the start of a sweep, and with the view."""

from __future__ import annotations

import numpy as np

from monitor.view.lane_ranges import DEFAULT_RANGE, LaneRanges
from monitor.view.signal_buffer import SignalBuffer
from monitor.view.trace import View
from tests.waveforms import chunk

VIEW = View(span=720)


def signal(*levels_mv: float, leads: int = 1) -> SignalBuffer:
    """Return one chunk of 36 samples for each amplitude: it alternates between ± the level."""
    buffer = SignalBuffer(0, leads)
    for seq, level in enumerate(levels_mv):
        mv = np.where(np.arange(36) % 2, level, -level)
        adu = np.repeat(np.round(1024 + 200 * mv)[:, np.newaxis], leads, axis=1).astype("<i2").tobytes()
        names = ("MLII", "V1")[:leads]
        made = chunk(seq, 36, leads=names, gain=(200.0,) * leads, zero=(1024,) * leads, samples=adu)
        buffer.add_waveform(made)
    return buffer


def test_without_samples_the_range_is_the_default() -> None:
    lanes = LaneRanges(2)
    assert not lanes.update(SignalBuffer(0, 2), 0, 0, 0, VIEW)
    assert lanes.ranges == (DEFAULT_RANGE, DEFAULT_RANGE)


def test_the_first_samples_set_the_range_of_each_lane() -> None:
    lanes = LaneRanges(2)
    assert lanes.update(signal(3.0, leads=2), 0, 0, 36, VIEW)
    for low, high in lanes.ranges:
        assert low < -3.0 < 3.0 < high


def test_samples_within_the_range_do_not_change_it() -> None:
    buffer, lanes = signal(3.0, 1.0), LaneRanges(1)
    lanes.update(buffer, 0, 0, 36, VIEW)
    before = lanes.ranges
    assert not lanes.update(buffer, 0, 36, 72, VIEW)
    assert lanes.ranges == before


def test_a_clipped_sample_extends_the_range() -> None:
    buffer, lanes = signal(1.0, 4.0), LaneRanges(1)
    lanes.update(buffer, 0, 0, 36, VIEW)
    assert lanes.update(buffer, 0, 36, 72, VIEW)
    assert lanes.ranges[0][0] < -4.0 < 4.0 < lanes.ranges[0][1]


def test_the_range_shrinks_only_at_the_start_of_a_sweep() -> None:
    buffer, lanes = signal(8.0, *[1.0] * 30), LaneRanges(1)
    lanes.update(buffer, 0, 0, 36, VIEW)
    large = lanes.ranges
    assert not lanes.update(buffer, 36, 684, 719, VIEW)
    assert lanes.ranges == large
    assert lanes.update(buffer, 36, 719, 721, VIEW)
    low, high = lanes.ranges[0]
    assert high - low < 0.5 * (large[0][1] - large[0][0])


def test_a_fixed_height_is_kept_and_changes_with_the_view() -> None:
    buffer, lanes = signal(1.0, 1.0), LaneRanges(1)
    for height in (4.0, 6.0):
        assert lanes.update(buffer, 0, 36, 72, View(720, (height, height / 2)))
        low, high = lanes.ranges[0]
        assert high - low == height
        assert low < -1.0 < 1.0 < high


def test_the_height_of_two_leads_is_that_for_two() -> None:
    lanes = LaneRanges(2)
    lanes.update(signal(1.0, leads=2), 0, 0, 36, View(720, (8.0, 4.0)))
    assert [high - low for low, high in lanes.ranges] == [4.0, 4.0]
