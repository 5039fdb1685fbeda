import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import UsageError
from stream.wire.bed_places import (
    DEFAULT_PLACES,
    ESTABLISHED_S,
    ESTABLISHED_SILENT_S,
    MAX_PLACES,
    PLACES_VARIABLE,
    SILENT_S,
    BedPlaces,
    configured_places,
)


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 5000), st.floats(0, 30)), max_size=200))
def test_there_are_never_more_beds_than_places(messages: list[tuple[int, float, float]]) -> None:
    places, kept, now_s = BedPlaces(4), set(), 0.0
    for number, step_s, signal_s in messages:
        now_s += step_s
        bed = f"bed-{number}"
        admitted, lost = places.admit(bed, now_s, signal_s)
        kept -= {lost}
        kept |= {bed} if admitted else set()
        assert len(kept) == len(places) <= 4
        assert all(bed in places for bed in kept), "what a process keeps, and the places, are the same"


def test_invented_beds_displace_no_bed_that_sends() -> None:
    places = BedPlaces()
    ward = [f"bed-{i}" for i in range(22)]
    for second in range(120):
        for bed in ward:
            assert places.admit(bed, second, 1.0) == (True, None)
        for i in range(3000):
            _, lost = places.admit(f"invented-{i}", second + 0.5, 0.1)
            assert lost is None or lost.startswith("invented")
    assert len(places) == configured_places()
    assert places.refused > 0


def test_a_new_bed_gets_a_place_once_an_invented_one_is_silent() -> None:
    places = BedPlaces()
    for i in range(configured_places()):
        places.admit(f"invented-{i}", 0.0)
    assert places.admit("bed-1", SILENT_S) == (False, None)
    assert places.admit("bed-1", SILENT_S + 0.1) == (True, "invented-0")


def test_an_established_bed_keeps_its_place_through_an_hour_of_silence() -> None:
    places = BedPlaces(1)
    places.admit("bed-1", 0.0, ESTABLISHED_S)
    assert places.admit("bed-2", ESTABLISHED_SILENT_S) == (False, None)
    assert places.admit("bed-2", ESTABLISHED_SILENT_S + 1) == (True, "bed-1")


def test_a_removed_bed_leaves_its_place() -> None:
    places = BedPlaces(1)
    places.admit("bed-1", 0.0)
    places.leave("bed-1")
    assert places.admit("bed-2", 0.0) == (True, None)


def test_beds_known_by_retained_messages_yield_to_those_that_send() -> None:
    places = BedPlaces()
    for i in range(3000):
        assert places.admit(f"invented-{i}", 0.0, retained=True) == (i < configured_places(), None)
    for i in range(configured_places()):
        admitted, lost = places.admit(f"bed-{i}", 0.0)
        assert admitted
        assert lost is not None
    assert places.admit("invented-0", 0.0) == (False, None)


def test_the_number_of_places_is_one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES_VARIABLE, "3")
    assert BedPlaces().limit == 3
    monkeypatch.setenv(PLACES_VARIABLE, "")
    assert BedPlaces().limit == DEFAULT_PLACES
    monkeypatch.delenv(PLACES_VARIABLE)
    assert BedPlaces().limit == DEFAULT_PLACES


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "many", "²", str(MAX_PLACES + 1)])
def test_a_wrong_number_of_places_is_an_error_in_one_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES_VARIABLE, text)
    with pytest.raises(UsageError, match=f"BEDSIDE_PLACES '{text}': use 1 to {MAX_PLACES} beds"):
        BedPlaces()
