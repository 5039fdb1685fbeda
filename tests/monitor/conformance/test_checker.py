"""A correct stream keeps all rules, and each deliberate violation is found under its own rule.

On its topic no other rule is violated. Other topics that depend on it may contradict it, as a wave does its ECG.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.conformance import rules
from monitor.conformance.findings import Findings
from monitor.conformance.processes import Processes
from monitor.conformance.rules import Rule
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command
from stream.wire.bed_places import PLACES_VARIABLE
from stream.wire.codec import MAX_BYTES
from stream.wire.messages import Annotation, Beat, Forecast, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import HOUR, Outlook
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.wave_message import Wave
from tests.monitor.conformance.scripted_broker import (
    Script,
    Spoil,
    add,
    again,
    alarm,
    all_of,
    bed_status,
    change,
    change_from,
    check,
    deliver,
    drop,
    edit,
    forecast,
    move,
    process_status,
    script,
)
from tests.outlooks import outlook
from tests.waveforms import SESSION, chunk, wave

OTHER = "f" * 32


def hourly(hour: int) -> Outlook:
    return outlook(hour=hour, index=hour * HOUR, session=SESSION)


def close_without_list(sent: Script) -> Script:
    """Send the list with the alarm again long after its event cleared, which says that it does not latch."""
    sent = change(Alarm, 1, acknowledged_by="nurse 1", latched=False)(sent)
    sent = change(ActiveAlarms, 1, alarms=())(sent)
    return add(6.5, ActiveAlarms(bed="bed-1", alarms=(alarm("raised", 3.1),), lease=1))(sent)


VIOLATIONS: dict[str, tuple[Spoil, Rule, str]] = {
    "a topic of nobody": (deliver(Beat, 2, topic="bedside/v1/bed-1/pulse"), rules.TOPIC, "pulse"),
    "a bed in capitals": (deliver(Beat, 2, topic="bedside/v1/BED/beats"), rules.TOPIC, "BED/beats"),
    "ECG with QoS 0": (deliver(Waveform, 5, qos=0), rules.QOS, "ecg"),
    "beats with QoS 1": (deliver(Beat, 2, qos=1), rules.QOS, "beats"),
    "vital signs without retain flag": (deliver(Vitals, 2, retain=False), rules.RETAIN, "vitals"),
    "ECG with retain flag": (deliver(Waveform, 5, retain=True), rules.RETAIN, "ecg"),
    "retained ECG": (add(0.0, chunk(0), stored=True), rules.OLD, "ecg"),
    "an empty alarm": (add(3.0, alarm("raised", 3.0), payload=b""), rules.EMPTY, "alarms"),
    "an oversized alarm": (add(3.0, alarm("raised", 3.0), payload=b" " * (MAX_BYTES + 1)), rules.SIZE, "alarms"),
    "JSON instead of MessagePack": (deliver(Forecast, 5, payload=b"{}"), rules.FORMAT, "forecast"),
    "half a message": (deliver(Beat, 2, payload=b'{"v":1,'), rules.FORMAT, "beats"),
    "another version": (edit(Beat, 2, v=2), rules.SCHEMA, "beats"),
    "an unknown type of beat": (edit(Beat, 2, type="X"), rules.SCHEMA, "beats"),
    "samples as text": (edit(Waveform, 30, samples="abc"), rules.SCHEMA, "ecg"),
    "one gain for no lead": (edit(Forecast, 5, mean=bytes(7)), rules.CONTENT, "forecast"),
    "another bed than in the topic": (edit(Beat, 2, bed="bed-2"), rules.CONTENT, "beats"),
    "a time in words": (change(Vitals, 2, when="noon"), rules.WHEN, "vitals"),
    "seq that stands still": (change(Waveform, 5, seq=4), rules.SEQ, "ecg"),
    "start that overlaps": (change_from(Waveform, 5, start=-9, position=-9, t0_ns=-25_000_000), rules.START, "ecg"),
    "start that jumps while seq does not": (
        change_from(Waveform, 5, start=9, position=9, t0_ns=25_000_000),
        rules.START,
        "ecg",
    ),
    "another record in the same epoch": (change(Waveform, -1, record="mitdb/100"), rules.EPOCH, "ecg"),
    "a seek in the same epoch": (change_from(Waveform, 5, position=720), rules.EPOCH, "ecg"),
    "an epoch left out": (change_from(Waveform, -1, epoch=2, epoch_start=59 * 36), rules.EPOCH, "ecg"),
    "an epoch that begins elsewhere": (change_from(Waveform, -1, epoch=1), rules.EPOCH_START, "ecg"),
    "epoch_start that moves": (change_from(Waveform, -1, epoch_start=36), rules.EPOCH_START, "ecg"),
    "lateness that accumulates": (change_from(Waveform, 10, t0_ns=5_000_000), rules.DEADLINE, "ecg"),
    "a chunk before it is due": (change_from(Waveform, 0, t0_ns=900_000_000), rules.EARLY, "ecg"),
    "a clock an hour late": (change_from(Waveform, 0, t0_ns=-3_600_000_000_000), rules.LATE, "ecg"),
    "a wave that overlaps itself": (
        change(
            Wave, -1, start=wave(59).start - 2.0, position=wave(59).position - 2.0, t0_ns=wave(59).t0_ns - 5_555_556
        ),
        rules.WAVE_START,
        "pleth",
    ),
    "a wave after its ECG": (move(Wave, 10, 1), rules.WAVE_ORDER, "pleth"),
    "a wave in another epoch": (change(Wave, 0, epoch=7), rules.WAVE_PLACE, "pleth"),
    "a wave of another interval": (
        change_from(Wave, 0, start=36.0, position=36.0, t0_ns=10**8),
        rules.WAVE_INTERVAL,
        "pleth",
    ),
    "a wave with deadlines of its own": (change_from(Wave, 0, t0_ns=40_000_000), rules.WAVE_DEADLINE, "pleth"),
    "an annotation of samples to come": (change(Annotation, 2, index=5000), rules.ANNOTATION, "annotations"),
    "two sessions by turns": (
        add(2.05, chunk(0, session=OTHER, t0_ns=chunk(20).t0_ns)),
        rules.WRITER,
        "ecg",
    ),
    "ECG that stops while playing": (
        all_of(drop(Waveform, 6, 60), drop(Wave, 6, 60), drop(Forecast, 6, 60), drop(Beat, 1, 6)),
        rules.SILENT,
        "ecg",
    ),
    "two processes that write one status": (
        all_of(
            add(1.0, process_status(1.0, "worker", "ef56")), add(1.0, bed_status(1.0, "worker", "ef56", "forecasting"))
        ),
        rules.OWNER,
        "status/worker",
    ),
    "a process that falls silent": (drop(ProcessStatus, 2, 6), rules.HEARTBEAT, "_/status"),
    "a bed of a process that is not there": (
        all_of(drop(ProcessStatus, 1, 2), drop(ProcessStatus, 2, 3), drop(ProcessStatus, 3, 4)),
        rules.INSTANCE,
        "status/worker",
    ),
    "a worker that plays": (change(BedStatus, 1, state="playing"), rules.STATE, "status/worker"),
    "a chunk after the end": (add(5.95, bed_status(5.95, "publisher", "ab12", "ended")), rules.ENDED, "ecg"),
    "a forecast of what was not sent": (change(Forecast, -1, seq=90, origin=90 * 36 + 35), rules.AHEAD, "forecast"),
    "a forecast of another chunk": (change_from(Forecast, 0, origin=36), rules.FORECAST, "forecast"),
    "a forecast between the strides": (change(Forecast, -1, origin=59 * 36 + 12), rules.STRIDE, "forecast"),
    "a beat of another session": (change(Beat, 2, session=OTHER), rules.SESSION, "beats"),
    "a beat twice": (again(Beat, 2), rules.BEAT, "beats"),
    "vital signs twice a second": (again(Vitals, 2, index=3 * 360 + 99), rules.VITALS, "vitals"),
    "no vital signs": (drop(Vitals, 0, 6), rules.VITALS, "vitals"),
    "numerics of another epoch": (change(Numerics, 2, epoch=3), rules.NUMERICS, "numerics"),
    "numerics each chunk": (again(Numerics, 2, index=19 * 36 + 30), rules.NUMERICS, "numerics"),
    "an outlook of an hour before": (
        all_of(add(5.1, hourly(4)), add(5.2, hourly(5)), add(5.3, hourly(3))),
        rules.OUTLOOK,
        "outlook",
    ),
    "an output under an older lease": (
        all_of(drop(Forecast, 54, 55), add(5.5, forecast(54, lease=0))),
        rules.LEASE,
        "forecast",
    ),
    "an alarm_id of its own": (change(Alarm, 0, alarm_id="VT-1", event_id="VT-1-raised"), rules.ALARM_ID, "alarms"),
    "an event_id for two events": (again(Alarm, 0, value=200.0), rules.EVENT, "alarms"),
    "an event twice": (again(Alarm, 1), rules.PHASE, "alarms"),
    "cleared without an end": (change(Alarm, 1, end=None), rules.ALARM_FIELDS, "alarms"),
    "a latched alarm of medium priority": (change(Alarm, 1, priority="medium"), rules.ALARM_FIELDS, "alarms"),
    "two alarms of a kind in the list": (
        change(ActiveAlarms, 0, alarms=(alarm("raised", 3.1), alarm("raised", 3.1))),
        rules.LIST,
        "alarms/active",
    ),
    "a list without the alarm": (
        all_of(drop(Alarm, 1, 2), drop(ActiveAlarms, 1, 2), add(6.4, ActiveAlarms(bed="bed-1", lease=1))),
        rules.LIST,
        "alarms/active",
    ),
    "a list with an alarm that has ended": (close_without_list, rules.LIST, "alarms/active"),
    "a command of yesterday": (change(Command, 0, when="2023-11-13T22:13:23.000Z"), rules.COMMAND, "command"),
}


def test_a_correct_stream_keeps_all_rules() -> None:
    findings = check(script())
    assert [str(found) for found in (*findings.violations, *findings.remarks)] == []
    assert findings.messages["bedside/v1/bed-1/ecg"] == 60


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_found(name: str) -> None:
    spoil, rule, topic = VIOLATIONS[name]
    findings = check(spoil(script()))
    found = {finding.rule.name: str(finding) for finding in findings.violations}
    assert rule.name in found, found
    finding = next(one for one in findings.violations if one.rule is rule)
    assert topic in finding.topic
    assert {one.rule.name for one in findings.violations if one.topic == finding.topic} == {rule.name}, found


def test_each_rule_has_a_violation_and_a_section() -> None:
    headings = set(re.findall(r"^#+ (.*)$", (Path(__file__).parents[3] / "docs/topics.md").read_text(), re.MULTILINE))
    known = {value.name: value for value in vars(rules).values() if isinstance(value, Rule)}
    assert {rule.section for rule in known.values()} <= headings
    tested = {rule.name for _, rule, _ in VIOLATIONS.values()}
    assert {name for name, rule in known.items() if rule.violation} - tested == {"begin", "nothing"}


@pytest.mark.parametrize(
    ("spoil", "remark"),
    [
        (drop(Waveform, 5, 6), "gap"),
        (again(Waveform, 5), "duplicate"),
        (again(Wave, 5), "duplicate"),
    ],
)
def test_what_may_be_the_fault_of_the_network_is_a_remark(spoil: Any, remark: str) -> None:
    findings = check(spoil(script()))
    assert remark in {found.rule.name for found in findings.remarks}
    if remark == "duplicate":
        assert not findings.violations


def test_a_bed_that_has_ended_needs_no_further_status_of_its_worker() -> None:
    ended = add(6.0, bed_status(6.0, "publisher", "ab12", "ended"))
    alive = [add(at_s, process_status(at_s, "worker", "cd34")) for at_s in (8.0, 10.0, 12.0, 14.0)]
    alive += [add(at_s, process_status(at_s, "publisher", "ab12")) for at_s in (8.1, 10.1, 12.1, 14.1)]
    assert not check(all_of(ended, *alive)(script()), 15.0).violations


def test_what_is_retained_may_be_published_again() -> None:
    repeated = [again(Vitals, 2), again(Numerics, 2), again(BedStatus, 3), again(ActiveAlarms, 1)]
    assert not check(all_of(*repeated)(script())).violations


def test_the_lease_of_older_senders_is_a_remark() -> None:
    older = [
        replace(one, message=msgspec.structs.replace(one.message, lease=0)) if hasattr(one.message, "lease") else one
        for one in script()
    ]
    findings = check(older)
    assert not findings.violations
    assert {found.rule.name for found in findings.remarks} == {"no lease"}


def test_a_worker_is_overloaded_until_it_says_otherwise_whatever_other_processes_say() -> None:
    processes, note = Processes(), Findings().note("any")
    worker = msgspec.structs.replace(process_status(0.0, "worker", "cd34"), overloaded=True)
    for status, overloaded in (
        (worker, True),
        (process_status(0.1, "publisher", "ab12"), True),
        (msgspec.structs.replace(worker, state="offline"), False),
    ):
        processes.status(status, False, 0, note)
        assert processes.overloaded is overloaded


def test_nothing_received_is_a_violation() -> None:
    findings = check([])
    assert [found.rule for found in findings.violations] == [rules.NOTHING]


def test_a_session_that_does_not_begin_with_its_first_chunk() -> None:
    later = chunk(7, session=OTHER, t0_ns=chunk(60).t0_ns)
    findings = check([*script(), *add(6.1, later)([])])
    assert [found.rule for found in findings.violations] == [rules.BEGIN]


def test_a_violation_is_one_line_with_the_number_of_times() -> None:
    findings = check(change_from(Waveform, 0, t0_ns=900_000_000)(script()))
    [line] = [str(found) for found in findings.violations if found.rule is rules.EARLY]
    assert line.startswith("bedside/v1/bed-1/ecg: early [topics.md, Time]: seq 0 received 0.9")
    assert line.endswith("before it is due; expected a chunk when its last sample is due, not before (60 times)")


def test_invented_names_bloat_nothing_hide_no_violation_and_are_remarked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES_VARIABLE, "4")
    monkeypatch.setattr("monitor.conformance.findings.MAX_TOPICS", 50)
    monkeypatch.setattr("monitor.conformance.processes.MAX_PROCESSES", 10)
    monkeypatch.setattr("monitor.conformance.processes.MAX_WRITERS", 5)
    bad = change_from(Waveform, 0, t0_ns=900_000_000)(script())
    invented = [
        one
        for number in range(200)
        for one in (
            add(3.0, chunk(0, bed=f"invented-{number}")),
            add(3.1, bed_status(3.1, "publisher", f"{number:04x}", "playing")),
            add(3.2, process_status(3.2, "worker", f"{number:04x}")),
        )
    ]
    for spoil in invented:
        bad = spoil(bad)
    findings = check(bad)
    assert "early" in {found.rule.name for found in findings.violations if found.topic == "bedside/v1/bed-1/ecg"}
    [places] = [found for found in findings.remarks if found.rule is rules.PLACES]
    assert str(places) == (
        "bedside/v1/#: remark: places [topics.md, Strangers]: bed invented-3; expected at most 4 beds "
        "(BEDSIDE_PLACES); further ones are not checked (197 times)"
    )
    assert len(findings.messages) <= 51
