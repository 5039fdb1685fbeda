from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.ownership import MAX_PENDING, RESTORE_INTERVAL_S, OwnedTopics
from stream.wire.topics import Kind, Role, Topic

ALARMS = Topic(Kind.ALARMS_ACTIVE, "bed-1")
PROCESS = Topic(Kind.PROCESS, role=Role.WORKER, instance="ab12")


@given(st.lists(st.sampled_from(["send", "echo", "stranger"]), max_size=60))
def test_own_payloads_come_back_without_being_taken_for_intrusions(steps: list[str]) -> None:
    """The broker delivers in order what this process and a stranger publish; the echo may be late."""
    owned, on_the_way, sent, strangers = OwnedTopics(), [], 0, 0
    owned.sent(ALARMS, b"0")
    for step in steps:
        if step == "send":
            sent += 1
            owned.sent(ALARMS, b"%d" % sent)
            on_the_way.append(b"%d" % sent)
        elif step == "stranger":
            on_the_way.append(b"forged")
        elif on_the_way:
            payload = on_the_way.pop(0)
            assert owned.received(str(ALARMS), payload) == ("intruder" if payload == b"forged" else "own")
            strangers += payload == b"forged"
    assert bool(owned.restore(0.0)) == bool(strangers)


def test_an_earlier_list_that_a_stranger_repeats_is_an_intrusion() -> None:
    owned = OwnedTopics()
    for payload in (b"an alarm", b"no alarm"):
        owned.sent(ALARMS, payload)
        assert owned.received(str(ALARMS), payload) == "own"
    assert owned.received(str(ALARMS), b"an alarm") == "intruder"
    assert owned.restore(0.0) == [(ALARMS, b"no alarm")]


def test_a_removal_is_an_intrusion() -> None:
    owned = OwnedTopics()
    owned.sent(ALARMS, b"an alarm")
    assert owned.received(str(ALARMS), b"") == "intruder"


def test_a_topic_is_restored_once_per_interval_and_the_last_intrusion_is_not_forgotten() -> None:
    owned = OwnedTopics()
    owned.sent(ALARMS, b"an alarm")
    restored = []
    for i in range(100):
        assert owned.received(str(ALARMS), b"") == "intruder"
        restored += owned.restore(i * RESTORE_INTERVAL_S / 100)
    assert restored == [(ALARMS, b"an alarm")]
    assert owned.restore(RESTORE_INTERVAL_S) == [(ALARMS, b"an alarm")]
    assert owned.restore(3 * RESTORE_INTERVAL_S) == []


def test_a_late_last_will_of_an_earlier_connection_is_replaced_and_is_no_intrusion() -> None:
    owned = OwnedTopics()
    owned.will(PROCESS, b"offline")
    assert owned.received(str(PROCESS), b"offline") == "other", "nothing sent yet"
    owned.sent(PROCESS, b"online")
    assert owned.received(str(PROCESS), b"offline") == "own"
    assert owned.restore(0.0) == [(PROCESS, b"online")]


def test_topics_of_others_and_topics_given_up_are_left_alone() -> None:
    owned = OwnedTopics()
    assert owned.received(str(ALARMS), b"of another worker") == "other"
    owned.sent(ALARMS, b"ours")
    owned.release(ALARMS)
    assert owned.received(str(ALARMS), b"of another worker") == "other"
    assert owned.restore(0.0) == []


def test_memory_is_bounded_when_nothing_comes_back() -> None:
    owned = OwnedTopics()
    for i in range(1000):
        owned.sent(ALARMS, b"%d" % i)
    assert len(owned._owned[str(ALARMS)].sent) == MAX_PENDING
