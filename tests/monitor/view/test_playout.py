"""The cursor moves smoothly at a constant delay behind the due times."""

from __future__ import annotations

from itertools import pairwise

import pytest

from monitor.view.playout import JITTER_MARGIN_S, Playout, update_playout
from tests.monitor.message_samples import SECOND
from tests.waveforms import chunk


def play(
    count: int, late_ns: list[int] | None = None, skew_ns: int = 0, n: int = 36, speed: float = 1.0
) -> list[tuple[int, Playout]]:
    """Return the playout after each chunk, with the arrival time."""
    states: list[tuple[int, Playout]] = []
    playout = None
    for seq in range(count):
        t0 = chunk(0).t0_ns + round(seq * n * 1e9 / (360 * speed))
        made = chunk(seq, n, t0_ns=t0, speed=speed)
        at = made.due_ns + skew_ns + (late_ns[seq] if late_ns else 0)
        playout = update_playout(playout, made, at)
        states.append((at, playout))
    return states


@pytest.mark.parametrize("skew_ns", [0, 3600 * SECOND, -3600 * SECOND])
@pytest.mark.parametrize(("n", "speed"), [(36, 1.0), (1000, 1.0), (7, 1.0), (36, 10.0)])
def test_the_cursor_moves_with_the_clock_and_never_runs_out_of_samples(n: int, speed: float, skew_ns: int) -> None:
    states = play(30, n=n, speed=speed, skew_ns=skew_ns)
    per_frame = 360 * speed / 60
    cursors = []
    for (at, playout), (until, _) in pairwise(states[1:]):
        frames = range(at, until, SECOND // 60)
        cursors += [(now, playout.cursor(now)) for now in frames]
        assert all(playout.cursor(now) < playout.start + playout.n for now in frames)
    for (before, a), (after, b) in pairwise(cursors):
        assert b - a == pytest.approx((after - before) / 1e9 * 360 * speed, abs=1.01 + per_frame * 0.01)


def test_jitter_within_the_margin_does_not_move_the_cursor() -> None:
    late = [0, *([0, 40_000_000, 80_000_000, 10_000_000] * 5)]
    even, jittery = play(20), play(20, late)
    for (_, a), (at, b) in zip(even, jittery[:20], strict=True):
        assert a.cursor(at) == b.cursor(at)


def test_without_new_chunks_the_cursor_stops_at_the_last_sample_and_the_age_grows() -> None:
    at, playout = play(5)[-1]
    assert playout.cursor(at + 60 * SECOND) == playout.start + playout.n
    assert playout.age_s(at) == pytest.approx(0.0)
    assert playout.age_s(at + 7 * SECOND) == pytest.approx(7.0)


def test_the_delay_is_one_chunk_and_the_margin() -> None:
    at, playout = play(5)[-1]
    assert playout.start + playout.n - playout.cursor(at) == pytest.approx((0.1 + JITTER_MARGIN_S) * 360, abs=1)


def test_a_late_chunk_increases_the_age() -> None:
    at, playout = play(5, [0, 0, 0, 0, 4 * SECOND])[-1]
    assert playout.age_s(at) == pytest.approx(4.0)


@pytest.mark.parametrize("step_s", [600, -600, 3600, -3600])
def test_the_age_recovers_with_the_second_chunk_after_a_clock_step(step_s: int) -> None:
    """Also after a suspension of ten minutes: all due times are ten minutes old, which no longer counts as late."""
    states = play(100, late_ns=[0] * 60 + [step_s * SECOND] * 40)
    assert [playout.age_s(at) for at, playout in states[61:]] == [0.0] * 39
    for at, playout in states[61:]:
        assert playout.start + playout.n - playout.cursor(at) == pytest.approx((0.1 + JITTER_MARGIN_S) * 360, abs=1)


@pytest.mark.parametrize("off_s", [3600, -3600, 10**9])
def test_one_chunk_with_an_absurd_due_time_changes_nothing(off_s: int) -> None:
    even, odd = play(60), play(60, [0] * 30 + [off_s * SECOND] + [0] * 29)
    for (at, one), (_, other) in zip(even[31:], odd[31:], strict=True):
        assert other.cursor(at) == one.cursor(at)
        assert other.age_s(at) == one.age_s(at)
    at, during = even[30][0], odd[30][1]
    assert during.cursor(at) == even[30][1].cursor(at)


def test_chunks_that_were_buffered_in_an_outage_are_late_and_no_clock_step() -> None:
    states = play(100, late_ns=[0] * 60 + [30 * SECOND] * 20 + [0] * 20)
    assert states[79][1].age_s(states[79][0]) == pytest.approx(30)
    assert states[80][1].age_s(states[80][0]) == pytest.approx(0)


@pytest.mark.parametrize("skew_ns", [0, 3600 * SECOND])
def test_the_jitter_covers_the_last_windows_and_ignores_clock_offsets(skew_ns: int) -> None:
    late = [0, 30_000_000, *([5_000_000] * 1800)]
    states = play(1500, late, skew_ns)
    assert states[0][1].jitter_s == 0.0
    assert states[1][1].jitter_s == pytest.approx(0.03)
    assert states[500][1].jitter_s == pytest.approx(0.03)
    assert states[-1][1].jitter_s == pytest.approx(0.0)
