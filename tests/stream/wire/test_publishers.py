"""Which sessions have ended, from the status of beds and processes."""

from __future__ import annotations

from typing import Any

import pytest

from stream.wire.publishers import MAX_SESSIONS, MIN_BEDS, Publishers
from stream.wire.status_messages import BedStatus, ProcessStatus

ONE, TWO = "a" * 32, "b" * 32


def bed(session: str, state: Any = "playing", instance: str = "p", name: str = "bed-1") -> BedStatus:
    return BedStatus(bed=name, role="publisher", instance=instance, state=state, when="", record="r", session=session)


def process(state: Any, instance: str = "p", role: Any = "publisher") -> ProcessStatus:
    return ProcessStatus(role=role, instance=instance, state=state, when="")


def test_a_session_ends_by_its_own_status() -> None:
    publishers = Publishers()
    assert publishers.update(bed(ONE)) == ()
    assert publishers.update(bed(ONE, "paused")) == ()
    assert publishers.update(bed(ONE, "ended")) == (("bed-1", ONE),)


def test_a_session_ends_with_its_process_only() -> None:
    publishers = Publishers()
    publishers.update(bed(ONE))
    publishers.update(bed(TWO, instance="q"))
    publishers.update(bed(TWO, name="bed-2"))
    assert publishers.update(process("online")) == ()
    assert publishers.update(process("offline", role="worker")) == ()
    assert publishers.update(process("offline")) == (("bed-1", ONE), ("bed-2", TWO))
    assert publishers.update(process("offline", "q")) == (("bed-1", TWO),)


@pytest.mark.parametrize("back", [False, True])
def test_the_status_of_a_bed_may_arrive_after_the_end_of_its_process(back: bool) -> None:
    publishers = Publishers()
    publishers.update(process("offline"))
    if back:
        publishers.update(process("online"))
    assert publishers.update(bed(ONE)) == (() if back else (("bed-1", ONE),))


def test_invented_beds_sessions_and_processes_are_forgotten() -> None:
    publishers = Publishers()
    publishers.update(bed(ONE))
    for number in range(MAX_SESSIONS):
        publishers.update(bed(f"{number:032x}", instance="q"))
    assert publishers.update(process("offline")) == ()
    for number in range(10 * MIN_BEDS):
        publishers.update(bed(ONE, name=f"x{number}", instance="r"))
        publishers.update(process("offline", f"i{number}"))
    assert len(publishers.update(process("offline", "r"))) == MIN_BEDS
