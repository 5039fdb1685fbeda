from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.fields import MAX_LEASE
from stream.wire.lease import EXPIRY_NS, Leases, LeaseState, check_lease, next_lease, with_lease
from stream.wire.messages import Message
from tests.monitor.message_samples import advisory, alarm, forecast, process, residual, status, vitals
from tests.waveforms import chunk, numeric, numerics


class Receiver:
    """Leases with a clock that is advanced by hand."""

    def __init__(self) -> None:
        self.now = 0
        self.leases = Leases(lambda: self.now)

    def accept(self, *leases: int, bed: str = "bed-1") -> list[bool]:
        return [self.leases.accept(vitals(0, lease=lease, bed=bed)) for lease in leases]


def test_outputs_under_an_older_lease_are_dropped() -> None:
    receiver = Receiver()
    assert receiver.accept(1, 1, 2, 2, 1, 2, 1) == [True, True, True, True, False, True, False]
    assert receiver.leases.dropped == 2
    older: list[Message] = [alarm(0, lease=1), forecast(0, lease=1), ActiveAlarms(bed="bed-1", lease=1)]
    older.append(status("worker", "forecasting", lease=1))
    older.append(numerics(values=(numeric("pulse_rate", source="measured"),), lease=1))
    assert not any(receiver.leases.accept(message) for message in older)


def test_messages_without_a_lease_are_accepted() -> None:
    receiver = Receiver()
    receiver.accept(3, 3)
    others = [chunk(0), process("worker"), status("publisher", "playing"), numerics(), None]
    assert all(receiver.leases.accept(message) for message in others)


def test_beds_have_their_own_leases() -> None:
    receiver = Receiver()
    receiver.accept(3, 3)
    assert receiver.accept(1, 1, bed="bed-2") == [True, True]


def test_a_single_message_with_an_absurd_lease_silences_nobody() -> None:
    receiver = Receiver()
    assert receiver.accept(1, 1, MAX_LEASE, 1, 1) == [True] * 5
    assert receiver.accept(2, 2, 1) == [True, True, False], "and the next takeover counts"


def test_a_first_message_with_an_absurd_lease_silences_nobody() -> None:
    assert Receiver().accept(MAX_LEASE, 4, 4, 4) == [True] * 4


def test_an_absurd_lease_that_is_repeated_is_over_5_s_after_its_last_use() -> None:
    receiver = Receiver()
    receiver.accept(1, 1, MAX_LEASE, MAX_LEASE)
    assert receiver.accept(1) == [False]
    receiver.now += EXPIRY_NS
    assert receiver.accept(1, 1) == [True, True]


def test_senders_without_leases_are_accepted() -> None:
    assert Receiver().accept(0, 0, 0) == [True] * 3


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2 * EXPIRY_NS)), max_size=60))
def test_a_lease_only_falls_when_it_is_over_and_only_rises_when_confirmed(steps: list[tuple[int, int]]) -> None:
    state, now = LeaseState(), 0
    received: list[int] = []
    for lease, wait in steps:
        now += wait
        accepted, after = check_lease(state, lease, now)
        if after.lease < state.lease:
            assert state.used_ns is None or now - state.used_ns >= EXPIRY_NS
        if after.lease > state.lease:
            assert lease in received
        assert accepted == (lease >= state.lease or after.lease == lease)
        state = after
        received.append(lease)


def test_the_next_lease_is_always_valid() -> None:
    assert [next_lease(lease) for lease in (0, 1, MAX_LEASE - 1, MAX_LEASE)] == [1, 2, MAX_LEASE, 1]


def test_a_list_and_its_events_have_the_same_lease() -> None:
    listed = ActiveAlarms(bed="bed-1", alarms=(alarm(0),), advisory=advisory(residual(5), 5))
    stamped = with_lease(listed, 7)
    assert isinstance(stamped, ActiveAlarms)
    assert stamped.advisory is not None
    assert [stamped.lease, stamped.alarms[0].lease, stamped.advisory.latest.lease] == [7, 7, 7]
    assert stamped.alarms[0] == with_lease(alarm(0), 7)


def test_memory_is_bounded() -> None:
    receiver = Receiver()
    receiver.accept(2, 2, bed="first")
    for number in range(3000):
        receiver.accept(1, bed=f"bed-{number}")
        if number % 500 == 0:
            receiver.accept(2, bed="first")
    assert receiver.accept(1, bed="first") == [False], "beds in use are kept"
    assert len(receiver.leases._beds) <= 1024
