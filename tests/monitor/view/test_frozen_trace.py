"""Frozen trace: a copy that can be moved within the last minutes."""

from __future__ import annotations

import numpy as np

from monitor.view import frozen_trace
from monitor.view.bed import Bed
from monitor.view.frozen_trace import FrozenTrace
from monitor.view.trace import View
from stream.timebase import FS
from stream.wire.alarm_texts import phrase
from tests.monitor.view.scenario import ONLINE, Scenario

SPAN = 6 * FS
VIEW = View(SPAN)


def frozen_at(seconds: int) -> tuple[Scenario, Bed, FrozenTrace]:
    return freeze_now(Scenario().stream(10 * seconds))


def freeze_now(scenario: Scenario) -> tuple[Scenario, Bed, FrozenTrace]:
    frame = scenario.presenter.frame(scenario.now, None, ONLINE, VIEW)
    bed = scenario.presenter.bed("bed-1")
    assert bed is not None
    assert frame.trace is not None
    return scenario, bed, frozen_trace.freeze("bed-1", frame.trace, frame.now_ns, VIEW)


def later(scenario: Scenario, seconds: int) -> None:
    scenario.stream(10 * seconds)
    scenario.presenter.frame(scenario.now, None, ONLINE, VIEW)


def samples(frozen: FrozenTrace) -> list[int]:
    """Return first and last sample index, as encoded in the samples; see tests.waveforms."""
    counts = np.rint(frozen.trace.mv[:, 0] * 200 + 1024)
    return [int(counts[0]), int(counts[-1])]


def test_new_samples_do_not_change_it() -> None:
    scenario, _, frozen = frozen_at(20)
    before = frozen.trace.mv.copy()
    later(scenario, 10)
    np.testing.assert_array_equal(frozen.trace.mv, before)
    assert frozen.position == ""


def test_it_moves_by_half_sweeps() -> None:
    _, bed, frozen = frozen_at(20)
    back = frozen_trace.scroll(frozen_trace.scroll(frozen, bed, -1), bed, -1)
    assert back.trace.cursor == frozen.trace.cursor - SPAN
    assert back.position == "−0:06"
    assert samples(back) == [back.trace.cursor - SPAN, back.trace.cursor - 1]
    assert back.trace.origin == back.trace.first, "time runs from the left edge to the right"
    forth = frozen_trace.scroll(frozen_trace.scroll(back, bed, +1), bed, +1)
    assert (forth.trace.cursor, forth.position) == (frozen.trace.cursor, "")


def test_it_moves_to_the_oldest_and_newest_samples() -> None:
    scenario, bed, frozen = frozen_at(20)
    oldest = frozen_trace.oldest(frozen, bed)
    assert samples(oldest) == [0, SPAN - 1]
    assert frozen_trace.scroll(oldest, bed, -1).trace.cursor == oldest.trace.cursor
    later(scenario, 20)
    newest = frozen_trace.newest(oldest, bed)
    assert newest.position == "+0:20"
    assert frozen_trace.scroll(newest, bed, +1).trace.cursor == newest.trace.cursor


def test_it_can_be_moved_back_ten_minutes() -> None:
    _, bed, frozen = freeze_now(Scenario().stream(72, forecasts=False, n=3600))
    oldest = frozen_trace.oldest(frozen, bed)
    minutes, seconds = oldest.position.removeprefix("−").split(":")
    assert 60 * int(minutes) + int(seconds) >= 600
    assert np.isfinite(oldest.trace.mv).all()


def test_less_than_a_sweep_starts_at_the_first_sample() -> None:
    _, bed, frozen = frozen_at(3)
    oldest = frozen_trace.oldest(frozen, bed)
    assert samples(oldest) == [0, frozen.trace.cursor - 1]


def test_another_view_keeps_the_time() -> None:
    _, bed, frozen = frozen_at(20)
    assert frozen_trace.fit_view(frozen, bed, VIEW) is frozen
    closer = frozen_trace.fit_view(frozen, bed, View(2 * FS, height_mm=44.0, padding_mm=4.0, gain=10.0))
    assert (closer.trace.cursor, closer.trace.span) == (frozen.trace.cursor, 2 * FS)
    low, high = closer.trace.ranges[0]
    np.testing.assert_allclose(high - low, 4.0)


def test_after_a_new_session_it_cannot_be_moved() -> None:
    scenario, bed, frozen = frozen_at(20)
    scenario.next_seq = 0
    scenario.stream(5, session="f" * 32)
    moved = frozen_trace.scroll(frozen, bed, -1)
    assert moved.trace is frozen.trace
    assert moved.note == phrase("frozen.new_session")


def test_with_fewer_leads_shown_than_sent_it_can_be_moved() -> None:
    both = {"leads": ("MLII", "V1"), "gain": (200.0,) * 2, "zero": (1024,) * 2, "samples": bytes(36 * 2 * 2)}
    scenario = Scenario().stream(200, forecasts=False, **both)
    view = View(SPAN, max_leads=1)
    frame, bed = scenario.presenter.frame(scenario.now, None, ONLINE, view), scenario.presenter.bed("bed-1")
    assert bed is not None
    assert frame.trace is not None
    frozen = frozen_trace.freeze("bed-1", frame.trace, frame.now_ns, view)
    moved = frozen_trace.scroll(frozen, bed, -1)
    assert moved.note is None
    assert (moved.trace.leads, len(moved.trace.ranges)) == (("MLII",), 1)
    assert moved.trace.mv.shape[1] == 1
