from stream.mqtt.refused_beds import RECENT_S, RefusedBeds
from stream.wire.status_messages import MAX_REFUSED


def test_a_bed_is_named_while_it_is_refused() -> None:
    beds = RefusedBeds()
    beds.add("b", 0.0)
    beds.add("a", 3.0)
    assert beds.current(RECENT_S) == ("a", "b")
    assert beds.current(RECENT_S + 0.1) == ("a",)
    assert beds.current(RECENT_S + 3.1) == ()


def test_a_flood_of_names_is_bounded_and_passes() -> None:
    beds = RefusedBeds()
    for number in range(3 * MAX_REFUSED):
        beds.add(f"b{number}", 0.0)
    assert len(beds.current(0.0)) == MAX_REFUSED
    beds.add("real", RECENT_S + 1)
    assert beds.current(RECENT_S + 1) == ("real",)
