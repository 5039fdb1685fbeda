from monitor.alarm_log.copies import ALIVE_NS, UNDECIDED_NS, CopyDetector
from stream.wire.status_messages import ProcessStatus

SESSION = "0123456789abcdef"


def status(instance: str, *, session: str = SESSION, state: str = "online") -> ProcessStatus:
    return ProcessStatus(
        role="logger",
        instance=instance,
        state=state,  # type: ignore[arg-type]
        when="2026-01-31T12:00:00.000Z",
        mqtt_session=session,
    )


def test_the_logger_that_was_started_last_ends_once_the_other_is_known_to_be_alive() -> None:
    last, first = CopyDetector(SESSION, "b"), CopyDetector(SESSION, "a")
    assert not last.update(status("a"), 0, retained=True, reconnects=0)
    assert not last.update(status("a"), 1, retained=False, reconnects=0)
    assert last.update(status("a"), 1 + ALIVE_NS, retained=False, reconnects=1)
    for now_ns in (0, ALIVE_NS, UNDECIDED_NS):
        assert not first.update(status("b"), now_ns, retained=False, reconnects=3)


def test_a_retained_status_or_a_burst_from_a_buffer_is_no_proof_of_life() -> None:
    detector = CopyDetector(SESSION, "b")
    assert not detector.update(status("a"), 0, retained=True, reconnects=0)
    for now_ns in range(100):
        assert not detector.update(status("a"), now_ns, retained=False, reconnects=1)


def test_forged_statuses_end_no_logger_whose_connection_lasts() -> None:
    detector = CopyDetector(SESSION, "b")
    detector.update(status("a"), 0, retained=True, reconnects=2)
    for now_ns in range(0, 100 * ALIVE_NS, ALIVE_NS):
        assert not detector.update(status("a"), now_ns, retained=False, reconnects=2)


def test_own_status_other_sessions_and_ended_loggers_are_ignored() -> None:
    detector = CopyDetector(SESSION, "b")
    for now_ns in range(0, 100 * ALIVE_NS, ALIVE_NS):
        for other in (
            status("b"),
            status("a", session=""),
            status("a", session="f" * 16),
            status("a", state="offline"),
        ):
            assert not detector.update(other, now_ns, retained=now_ns == 0, reconnects=now_ns // ALIVE_NS)


def test_without_retained_statuses_exactly_one_of_two_ends() -> None:
    a, b = CopyDetector(SESSION, "a"), CopyDetector(SESSION, "b")
    a.update(status("b"), 0, retained=False, reconnects=0)
    b.update(status("a"), 0, retained=False, reconnects=0)
    assert not a.update(status("b"), UNDECIDED_NS, retained=False, reconnects=9)
    assert b.update(status("a"), UNDECIDED_NS, retained=False, reconnects=9)
