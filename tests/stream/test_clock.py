"""The clock follows steps of the system clock; times are parsed independently of the time zone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.clock import CLOCK_STEP_NS, SteadyClock, rfc3339, unix_ns


@given(st.integers(0, 4_000_000_000_000))
def test_times_round_trip_to_the_millisecond(ms: int) -> None:
    assert unix_ns(rfc3339(ms * 1_000_000)) == ms * 1_000_000


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a zone that can be set")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_time_without_an_offset_is_utc_in_every_time_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert unix_ns("2026-01-31T12:00:00") == unix_ns("2026-01-31T12:00:00Z") == unix_ns("2026-01-31T13:00:00+01:00")
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text(max_size=40))
def test_any_text_is_parsed_to_an_integer(text: str) -> None:
    assert isinstance(unix_ns(text), int)


@pytest.mark.parametrize("text", ["", "yesterday", "12:00", "2026-13-01T00:00:00Z", "0000-00-00"])
def test_invalid_times_are_zero(text: str) -> None:
    assert unix_ns(text) == 0


class Machine:
    """Fake clocks of a machine that can be set and suspended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unix, self.monotonic = 1_800_000_000_000_000_000, 5_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda: self.unix)
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.monotonic)

    def run(self, ns: int, set_by_ns: int = 0) -> None:
        self.monotonic += ns
        self.unix += ns + set_by_ns


def test_small_clock_corrections_have_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    clock = SteadyClock()
    before = clock.now_ns()
    machine.run(1_000_000_000, set_by_ns=CLOCK_STEP_NS // 2)
    assert clock.now_ns() == before + 1_000_000_000
    assert clock.stepped_ns == 0


@pytest.mark.parametrize("by_ns", [3_600_000_000_000, -3_600_000_000_000])
def test_a_clock_step_or_suspend_is_followed_and_counted(by_ns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    clock = SteadyClock()
    machine.run(1_000_000_000, set_by_ns=by_ns)
    assert clock.now_ns() == machine.unix
    assert clock.stepped_ns == by_ns
    machine.run(1_000_000_000)
    assert clock.now_ns() == machine.unix
    assert clock.stepped_ns == by_ns


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_wait_is_as_long_although_the_clock_is_set_just_before_it(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set back by an hour after the deadline was computed, the wait would last an hour."""
    machine, waits = Machine(monkeypatch), list[float]()
    clock = SteadyClock()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("stream.clock.asyncio.sleep", sleep)
    deadline_ns = clock.now_ns() + 100_000_000
    machine.run(0, set_by_ns=hours * 3_600_000_000_000)
    await clock.sleep_until(deadline_ns)
    assert waits == [pytest.approx(0.1)]
