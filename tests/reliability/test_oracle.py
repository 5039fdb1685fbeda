"""The oracle finds what a process has lost, doubled, invented or not named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.reliability.oracle import Account, account, named_gaps, never_cleared
from tests.reliability.row import Checks

KEY = ("bed-1", "s")


def row(start: int, n: int = 10, verdict: str = "taken", session: str = "s") -> dict[str, str]:
    return {"bed": "bed-1", "session": session, "start": str(start), "n": str(n), "verdict": verdict}


PUBLISHED = [row(start) for start in range(0, 100, 10)]


def observe(*workers: list[dict[str, str]], lost: list[tuple[int, int]] | None = None) -> Account:
    return account(PUBLISHED, workers, {KEY: lost or []})[KEY]


def test_a_complete_stream_leaves_nothing_to_name() -> None:
    assert observe(PUBLISHED) == Account(published=100, taken=100)


def test_what_is_neither_taken_nor_named_is_found() -> None:
    assert observe(PUBLISHED[:3] + PUBLISHED[5:]).unaccounted == 20
    assert observe(PUBLISHED[:3] + PUBLISHED[5:], lost=[(30, 50)]).unaccounted == 0


def test_what_is_taken_twice_or_also_named_is_found() -> None:
    assert observe(PUBLISHED, PUBLISHED[4:6]).twice == 20
    assert observe(PUBLISHED, lost=[(10, 25)]).taken_and_named == 15


def test_invented_and_disordered_chunks_are_found() -> None:
    assert observe([*PUBLISHED, row(95), row(200)]).invented == 15
    assert observe([PUBLISHED[1], PUBLISHED[0], *PUBLISHED[2:]]).disordered == 1


def test_duplicates_and_foreign_sessions_do_not_count() -> None:
    assert observe([*PUBLISHED, row(0, verdict="duplicate"), row(0, session="other")]) == observe(PUBLISHED)


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_each_sample_is_counted_in_exactly_one_way(taken: set[int], named: set[int]) -> None:
    one = observe([PUBLISHED[i] for i in sorted(taken)], lost=[(10 * i, 10 * i + 10) for i in named])
    assert one.taken + one.named - one.taken_and_named + one.unaccounted == one.published


def event(kind: str, phase: str, onset: int, end: int | None) -> dict[str, object]:
    return {"alarm_id": f"{kind}-{onset}", "bed": "bed-1", "session": "s", "kind": kind, "phase": phase,
            "onset": onset, "end": end}  # fmt: skip


def test_gaps_and_open_alarms_are_read_from_events() -> None:
    events = [
        event("no_data", "raised", 30, None),
        event("no_data", "cleared", 30, 50),
        event("asystole", "raised", 60, None),
    ]
    assert named_gaps(events) == {KEY: [(30, 50)]}
    assert never_cleared(events) == {"asystole-60"}
    assert never_cleared([*events, event("asystole", "cleared", 60, 70)]) == set()


def test_a_row_without_checks_or_with_one_failed_does_not_pass() -> None:
    checks = Checks()
    assert not checks.outcome("nothing").passed
    checks.equal(1, 1, "one")
    assert checks.outcome("one check").passed
    checks.equal(1, 2, "two")
    outcome = checks.outcome("two checks")
    assert not outcome.passed
    assert "NOT MET two: 1" in outcome.observed
