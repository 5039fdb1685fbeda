"""A scenario in the publisher: the same bytes twice, told to those who may know, paused, and moved."""

from __future__ import annotations

import dataclasses
from collections import Counter

import msgspec
import pytest

from stream.errors import UsageError
from stream.records.library import LoadedRecords
from stream.scenario.file import load, parse
from stream.scenario.scenario import Scenario
from stream.timebase import FS
from stream.wire import codec
from stream.wire.alarm_messages import Acknowledge
from stream.wire.messages import Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import SetRhythm, SetScenario
from stream.wire.status_messages import BedStatus
from stream.wire.truth_message import Truth
from tests.monitor.message_samples import alarm
from tests.stream.replay.test_playhead import traceable
from tests.stream.scenario.scenario_harness import SESSION, Planned, play

TRIAL = parse(
    """
name = "trial"
seconds = 40
title = { en = "A trial", ja = "試行" }
about = { en = "For a test.", ja = "試験用。" }
[[beds]]
vitals = { spo2 = 93 }
[[beds]]
name = "bed-2"
[[steps]]
bed = "bed-1"
at_s = 10
rhythm = "VT"
rate = 150
note = { en = "A note.", ja = "注。" }
expect = { action = "acknowledge", within_s = 8, text = { en = "Act.", ja = "対応。" } }
[[steps]]
bed = "bed-1"
after = { rhythm = "VT", seconds = 10 }
rhythm = "N"
[[steps]]
name = "noise"
bed = "bed-2"
at_s = 5
inject = { kind = "lead_off" }
[[steps]]
bed = "bed-2"
at_s = 30
stop = "noise"
""",
    "trial.toml",
)


def messages(scenario: Scenario = TRIAL, commands: Planned = (), chunk: int = 36) -> list[Message]:
    sent: list[Message] = []
    play(scenario, sent.append, commands, chunk)
    return sent


def truths(sent: list[Message], bed: str = "bed-1") -> list[tuple[str, str, str, float]]:
    return [
        (one.what, one.phase, one.name, one.index / FS) for one in sent if isinstance(one, Truth) and one.bed == bed
    ]


@pytest.fixture(scope="module")
def sent() -> list[Message]:
    return messages()


def test_a_scenario_is_told_to_those_who_may_know(sent: list[Message]) -> None:
    assert truths(sent) == [
        ("scenario", "begin", "trial", 0),
        ("rhythm", "begin", "N", 0),
        ("rhythm", "end", "N", 10.3),
        ("rhythm", "begin", "VT", 10.3),
        ("note", "at", "", 10),
        ("expected_action", "begin", "acknowledge", 10),
        ("expected_action", "end", "acknowledge", 18),
        ("rhythm", "end", "VT", 20.3),
        ("rhythm", "begin", "N", 20.3),
        ("scenario", "end", "trial", 40),
    ]
    assert truths(sent, "bed-2") == [
        ("scenario", "begin", "trial", 0),
        ("rhythm", "begin", "N", 0),
        ("injection", "begin", "lead_off", 5),
        ("injection", "end", "lead_off", 30),
        ("scenario", "end", "trial", 40),
    ]
    told = [one for one in sent if isinstance(one, Truth) and one.bed == "bed-1"]
    assert {one.scenario for one in told} == {"trial"}
    assert [one.text for one in told if one.what == "note"] == ["A note."]
    [outcome] = [one.values for one in told if one.what == "expected_action" and one.phase == "end"]
    assert outcome == {"done": 0, "seconds": 8}


def test_the_status_of_a_scenario_of_many_steps_fits_into_a_payload() -> None:
    vitals = "{ heart_rate = 80, pvc_rate = 1, respiration_rate = 14, spo2 = 97, etco2 = 38, temperature = 36.8 }"
    steps = "".join(f"[[steps]]\nname = '{n:040}'\nat_s = 9\nvitals = {vitals}\n" for n in range(70))
    begin = """name = "long"\nseconds = 10\ntitle = { en = "A", ja = "あ" }\nabout = { en = "A", ja = "あ" }\n"""
    status = next(one for one in reversed(messages(parse(begin + steps, "long.toml"))) if isinstance(one, BedStatus))
    assert status.scenario is not None
    assert [len(step.actions) for step in status.scenario.steps] == [6] * 32 + [0] * 32
    assert all(step.text.startswith("heart rate 80") for step in status.scenario.steps)
    assert len(codec.encode(status)) < codec.MAX_BYTES // 2


def test_its_signals_are_what_the_steps_say(sent: list[Message]) -> None:
    first = next(one for one in sent if isinstance(one, Numerics) and one.bed == "bed-1" and one.index >= 9 * FS)
    assert {one.name: one.value for one in first.values}["spo2"] == 93
    chunks = [one for one in sent if isinstance(one, Waveform) and one.bed == "bed-2"]
    assert {one.epoch for one in chunks} == {0}
    assert sum(one.n for one in chunks) == 40 * FS
    invalid = [one.start for one in chunks if (one.adu() == -32768).all()]
    assert (min(invalid), max(invalid)) == (5 * FS, 30 * FS - 36)


def test_two_runs_are_the_same_bytes_and_another_seed_is_not(sent: list[Message]) -> None:
    once, again = ([codec.encode(one) for one in found] for found in (sent, messages()))
    assert once == again
    arrest = [[codec.encode(one) for one in messages(load("lead-off-or-asystole"), chunk=3600)] for _ in range(2)]
    assert arrest[0] == arrest[1]


def test_what_the_student_does_in_time_is_told() -> None:
    act = Acknowledge(alarm_id="a")
    told = [one for one in messages(commands=[(13, "bed-1", act)]) if isinstance(one, Truth)]
    [outcome] = [one for one in told if one.what == "expected_action" and one.phase == "end"]
    assert outcome.values["done"] == 1
    assert outcome.values["seconds"] == pytest.approx(3, abs=0.2)


def test_it_waits_and_the_patients_go_on() -> None:
    commands = [(8.0, "bed-2", SetScenario(playing=False)), (18.0, "bed-1", SetScenario(playing=True))]
    waited = messages(commands=commands)
    assert ("rhythm", "begin", "VT", pytest.approx(20.3, abs=0.2)) in truths(waited)
    assert sum(one.n for one in waited if isinstance(one, Waveform) and one.bed == "bed-1") == pytest.approx(
        50 * FS, abs=80
    )
    statuses = [one for one in waited if isinstance(one, BedStatus) and one.bed == "bed-1" and one.scenario]
    assert any(one.scenario and not one.scenario.playing and one.duration == 0 for one in statuses)
    first = statuses[0].scenario
    assert first is not None
    assert (first.name, first.next, first.next_s, len(first.steps)) == (
        "trial",
        "VT 150/min; → acknowledge (8 s)",
        10,
        2,
    )


def test_it_jumps_in_a_new_epoch_to_what_is_in_effect_there() -> None:
    moved = messages(commands=[(5.0, "bed-1", SetScenario(position_s=15))])
    chunks = [one for one in moved if isinstance(one, Waveform) and one.bed == "bed-1"]
    assert {one.epoch for one in chunks} == {0, 1}
    assert sum(one.n for one in chunks) == pytest.approx(30 * FS, abs=80)
    at = next(one.start for one in chunks if one.epoch == 1) / FS
    told = truths(moved)
    assert ("rhythm", "begin", "VT", at) in told
    assert ("rhythm", "begin", "N", pytest.approx(at + 5.3, abs=0.2)) in told
    assert [one for one in truths(moved, "bed-2") if one[0] == "injection"] == [
        ("injection", "begin", "lead_off", pytest.approx(5, abs=0.2)),
        ("injection", "end", "lead_off", pytest.approx(30 - 10, abs=0.3)),
    ]


def test_a_teacher_may_change_the_patient_meanwhile() -> None:
    told = truths(messages(commands=[(15.0, "bed-1", SetRhythm(rhythm="N"))]))
    assert [one[2] for one in told if one[0] == "rhythm" and one[1] == "begin"] == ["N", "VT", "N"]


def test_a_jump_beyond_the_end_is_refused() -> None:
    with pytest.raises(UsageError, match="position 90 s: the scenario has 40 s"):
        messages(commands=[(5.0, "bed-1", SetScenario(position_s=90))])


def test_an_alarm_counts_once_it_is_raised_in_this_session_not_when_it_is_sent_again() -> None:
    waiting = parse(
        """
name = "waiting"
seconds = 40
title = { en = "A trial", ja = "試行" }
about = { en = "For a test.", ja = "試験用。" }
[[steps]]
after = { alarm = "asystole" }
note = { en = "A note.", ja = "注。" }
""",
        "waiting.toml",
    )
    sent: list[Message] = []
    publisher = play(waiting, sent.append, until_s=2)
    raised = alarm(10, kind="asystole", session=SESSION)
    for event, counts in (
        (msgspec.structs.replace(raised, resent=True), False),
        (msgspec.structs.replace(raised, session="cd" * 16), False),
        (raised, True),
    ):
        publisher.commands.observe_alarm(event)
        publisher.statuses.publish(publisher.beds["bed-1"])
        status = sent[-1]
        assert isinstance(status, BedStatus)
        assert status.scenario is not None
        assert (status.scenario.next_s is not None) is counts


SHOWN, OTHER = traceable(120 * FS), dataclasses.replace(traceable(50 * FS), name="other")
AT_HAND = LoadedRecords((SHOWN, OTHER))
VISITS = """
name = "visits"
seconds = 40
title = { en = "A trial", ja = "試行" }
about = { en = "For a test.", ja = "試験用。" }
[[beds]]
record = "traceable"
start_s = 10
[[steps]]
name = "vt"
at_s = 5
episode = { rhythm = "VT", record = "other", start_s = 30, end_s = 33 }
[[steps]]
after = { step = "vt", delay_s = 4 }
note = { en = "A note.", ja = "注。" }
"""


def visited(text: str = VISITS, commands: Planned = ()) -> list[Message]:
    sent: list[Message] = []
    play(parse(text, "visits.toml"), sent.append, commands, load=AT_HAND.load, until_s=30, library=AT_HAND)
    return sent


def test_an_episode_of_another_record_is_shown_and_the_time_goes_on_with_it() -> None:
    sent = visited()
    chunks = [one for one in sent if isinstance(one, Waveform)]
    seconds = Counter[tuple[int, str]]()
    for chunk in chunks:
        seconds[chunk.epoch, chunk.record] += chunk.n / FS  # type: ignore[assignment]
    assert seconds[0, "traceable"] == pytest.approx(5)
    assert seconds[1, "other"] == pytest.approx(28), "20 s before, 3 s, 5 s after"
    back = next(one for one in chunks if one.epoch == 2 and one.speed == 1)
    assert (back.record, back.position / FS) == ("traceable", 15), "where it was left"
    assert truths(sent)[1:4] == [
        ("episode", "begin", "VT", 25),
        ("episode", "end", "VT", 28),
        ("note", "at", "", 29),
    ], "the 20 s before the episode are no time of the scenario"
    assert [codec.encode(one) for one in sent] == [codec.encode(one) for one in visited()]
    going_on = visited(VISITS.replace("end_s = 33 }", 'end_s = 33 }\nthen = "go_on"'))
    on = [one for one in going_on if isinstance(one, Waveform)]
    assert {one.record for one in on if one.epoch == 1} == {"other"}
    assert max(one.position for one in on if one.epoch == 1) > 45 * FS


def test_a_jump_leaves_the_episode_for_the_record_of_the_bed() -> None:
    sent = visited(commands=[(6.0, "bed-1", SetScenario(position_s=20))])
    last = [one for one in sent if isinstance(one, Waveform) and one.epoch == 2]
    assert (last[0].record, last[0].position / FS) == ("traceable", 30)
    assert [phase for what, phase, _, _ in truths(sent) if what == "episode"] == ["begin", "end"]


def test_an_episode_that_cannot_be_shown_is_said_before_anything_is_sent() -> None:
    beyond = VISITS.replace("start_s = 30, end_s = 33", "start_s = 51, end_s = 53")
    with pytest.raises(UsageError, match=r"bed bed-1, episode other 51 s: no episode at 51 s: record other ends at 50"):
        visited(beyond)
    with pytest.raises(UsageError, match=r"bed bed-1, episode VF: no episode of 'VF' is at hand"):
        visited(VISITS.replace('{ rhythm = "VT", record = "other", start_s = 30, end_s = 33 }', '"VF"'))


@pytest.mark.parametrize("start_s", [10, 100], ids=["longer", "restarts"])
@pytest.mark.parametrize("chunk", [36, 500])
def test_a_recorded_bed_ends_with_the_scenario(start_s: int, chunk: int) -> None:
    sent: list[Message] = []
    text = VISITS.replace("start_s = 10", f"start_s = {start_s}").split("[[steps]]")[0]
    play(parse(text, "ends.toml"), sent.append, load=AT_HAND.load, library=AT_HAND, chunk=chunk)
    assert sum(one.n for one in sent if isinstance(one, Waveform)) == 40 * FS
    last = [one for one in sent if isinstance(one, BedStatus)][-1]
    assert last.state == "ended"
    assert ("scenario", "end", "visits", 40) in truths(sent)


def test_it_ends_in_the_midst_of_an_episode_and_again_after_a_jump() -> None:
    late = VISITS.replace("at_s = 5", "at_s = 38")
    sent: list[Message] = []
    jump = [(39.0, "bed-1", SetScenario(position_s=30))]
    play(parse(late, "ends.toml"), sent.append, jump, load=AT_HAND.load, library=AT_HAND)
    counted = [one for one in sent if isinstance(one, Waveform) and one.speed == 1]
    assert sum(one.n for one in counted) / FS == pytest.approx(39 + 10, abs=0.3)
    assert counted[-1].record == "other"
    assert [phase for what, phase, _, _ in truths(sent) if what == "episode"] == ["begin", "end", "begin", "end"]
    assert [phase for what, phase, _, _ in truths(sent) if what == "scenario"] == ["begin", "end"]
