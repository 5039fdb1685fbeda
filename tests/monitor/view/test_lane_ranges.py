"""Lane ranges: they change at the start of a sweep, with the view, and for many clipped samples."""

from __future__ import annotations

import numpy as np

from monitor.view.autoscale import BLOCK
from monitor.view.lane_ranges import DEFAULT_RANGE, LaneRanges
from monitor.view.signal_buffer import SignalBuffer
from monitor.view.trace import View
from tests.waveforms import chunk

VIEW = View(span=720, height_mm=64.0, padding_mm=4.0)


def signal(*levels_mv: float, leads: int = 1) -> SignalBuffer:
    """Return one chunk of 36 samples for each amplitude: it alternates between ± the level."""
    buffer = SignalBuffer(0, leads, leads)
    for seq, level in enumerate(levels_mv):
        mv = np.where(np.arange(36) % 2, level, -level)
        adu = np.repeat(np.round(1024 + 200 * mv)[:, np.newaxis], leads, axis=1).astype("<i2").tobytes()
        names = ("MLII", "V1")[:leads]
        made = chunk(seq, 36, leads=names, gain=(200.0,) * leads, zero=(1024,) * leads, samples=adu)
        buffer.add_waveform(made)
    return buffer


def heights(lanes: LaneRanges) -> list[float]:
    return [high - low for low, high in lanes.ranges]


def test_without_samples_the_range_is_the_default() -> None:
    lanes = LaneRanges()
    assert not lanes.update(SignalBuffer(0, 2, 2), (0, 1), 0, 0, 0, VIEW)
    assert lanes.ranges == (DEFAULT_RANGE, DEFAULT_RANGE)


def test_a_lane_has_the_usual_gain_until_two_seconds_are_known() -> None:
    buffer, lanes = signal(*[3.0] * 21, leads=2), LaneRanges()
    lanes.update(buffer, (0, 1), 0, 0, 36, VIEW)
    np.testing.assert_allclose(heights(lanes), VIEW.lane_mm(2) / 10)
    assert not lanes.update(buffer, (0, 1), 0, 36, BLOCK - 1, VIEW)
    assert lanes.update(buffer, (0, 1), 0, BLOCK - 1, BLOCK, VIEW)
    for low, high in lanes.ranges:
        assert low < -3.0 < 3.0 < high


def fitted(buffer: SignalBuffer) -> LaneRanges:
    """Return lanes fitted to the first three sweeps but 36 samples."""
    lanes = LaneRanges()
    for start in range(0, 2124, 36):
        lanes.update(buffer, (0,), max(start - 684, 0), start, start + 36, VIEW)
    return lanes


def test_samples_within_the_range_do_not_change_it() -> None:
    buffer = signal(*[3.0] * 60)
    lanes = fitted(buffer)
    before = lanes.ranges
    assert not lanes.update(buffer, (0,), 1476, 2124, 2160, VIEW)
    assert lanes.ranges == before


def test_many_clipped_samples_change_the_range_within_a_sweep() -> None:
    buffer = signal(*[1.0] * 59, *[4.0] * 5)
    lanes = fitted(buffer)
    assert lanes.update(buffer, (0,), 1600, 2161, 2268, VIEW)
    assert lanes.ranges[0][0] < -4.0 < 4.0 < lanes.ranges[0][1]


def test_few_clipped_samples_do_not() -> None:
    buffer = signal(*[1.0] * 65, 4.0, 1.0)
    lanes = fitted(buffer)
    before = lanes.ranges
    for cursor in (2340, 2360, 2370):
        lanes.update(buffer, (0,), 1512, cursor - 30, cursor, VIEW)
        assert lanes.ranges == before


def test_the_gain_rises_only_at_the_start_of_a_sweep() -> None:
    buffer = signal(*[6.0] * 30, *[1.0] * 400)
    lanes = fitted(buffer)
    large = heights(lanes)[0]
    start = 15 * 720
    for cursor in range(2160, start, 36):
        lanes.update(buffer, (0,), 0, cursor, min(cursor + 36, start - 1), VIEW)
    assert lanes.update(buffer, (0,), 0, start - 1, start + 30, VIEW) or heights(lanes)[0] < large
    assert heights(lanes)[0] < 0.6 * large


def test_a_fixed_gain_is_kept_and_changes_with_the_view() -> None:
    buffer, lanes = signal(1.0, 1.0), LaneRanges()
    for gain in (10.0, 20.0):
        assert lanes.update(buffer, (0,), 0, 36, 72, View(720, 64.0, 4.0, gain))
        np.testing.assert_allclose(heights(lanes), 60.0 / gain)
        low, high = lanes.ranges[0]
        assert low < -1.0 < 1.0 < high


def test_two_leads_share_the_height() -> None:
    lanes = LaneRanges()
    lanes.update(signal(1.0, leads=2), (0, 1), 0, 0, 36, View(720, 64.0, 4.0, 10.0))
    np.testing.assert_allclose(heights(lanes), [2.8, 2.8])
    lanes.update(signal(1.0, leads=2), (0,), 0, 0, 36, View(720, 64.0, 4.0, 10.0, max_leads=1))
    np.testing.assert_allclose(heights(lanes), [6.0])


def test_a_lead_that_is_not_shown_changes_nothing() -> None:
    buffer, lanes = signal(*[1.0] * 59, leads=2), LaneRanges()
    for start in range(0, 2124, 36):
        lanes.update(buffer, (0,), max(start - 684, 0), start, start + 36, VIEW)
    for seq in range(59, 64):
        made = chunk(seq, 36, leads=("MLII", "V1"), gain=(200.0,) * 2, zero=(1024,) * 2, samples=_clipped(36))
        buffer.add_waveform(made)
    assert not lanes.update(buffer, (0,), 1476, 2124, 2160 + 100, VIEW)
    assert lanes.update(buffer, (1, 0), 1476, 2160, 2160 + 100, VIEW)
    assert heights(lanes)[0] > heights(lanes)[1], "the first lane has the second lead"


def _clipped(n: int) -> bytes:
    """Return n samples of two leads, 0 and 20 mV."""
    return np.tile(np.array([1024, 1024 + 4000], "<i2"), n).tobytes()
