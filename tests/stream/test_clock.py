"""The clock follows the system's where that leaps; times as text are read the same in every zone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.clock import CLOCK_STEP_NS, SteadyClock, rfc3339, unix_ns


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_comes_back_to_the_millisecond(ms: int) -> None:
    assert unix_ns(rfc3339(ms * 1_000_000)) == ms * 1_000_000


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a zone that can be set")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_time_without_a_zone_is_utc_wherever_we_are(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert unix_ns("2026-01-31T12:00:00") == unix_ns("2026-01-31T12:00:00Z") == unix_ns("2026-01-31T13:00:00+01:00")
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_time_or_none(text: str) -> None:
    assert isinstance(unix_ns(text), int)


@pytest.mark.parametrize("text", ["", "yesterday", "12:00", "2026-13-01T00:00:00Z", "0000-00-00"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert unix_ns(text) == 0


class Machine:
    """The clocks of a machine that can be set, and can sleep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unix, self.monotonic = 1_800_000_000_000_000_000, 5_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda: self.unix)
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.monotonic)

    def run(self, ns: int, set_by_ns: int = 0) -> None:
        self.monotonic += ns
        self.unix += ns + set_by_ns


def test_a_clock_that_is_corrected_a_little_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    clock = SteadyClock()
    before = clock.now_ns()
    machine.run(1_000_000_000, set_by_ns=CLOCK_STEP_NS // 2)
    assert clock.now_ns() == before + 1_000_000_000
    assert clock.stepped_ns == 0


@pytest.mark.parametrize("by_ns", [3_600_000_000_000, -3_600_000_000_000])
def test_a_clock_that_is_set_or_has_slept_is_followed_and_the_leap_is_known(
    by_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch)
    clock = SteadyClock()
    machine.run(1_000_000_000, set_by_ns=by_ns)
    assert clock.now_ns() == machine.unix
    assert clock.stepped_ns == by_ns
    machine.run(1_000_000_000)
    assert clock.now_ns() == machine.unix
    assert clock.stepped_ns == by_ns
