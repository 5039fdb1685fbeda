"""Times as text: what others write is read the same in every zone, and never stops a process."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.clock import rfc3339, unix_ns


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
