"""``bedside replay --scenario`` over a broker: what is told, what a student does, and errors of a file."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from stream.clock import rfc3339
from stream.mqtt.client import Client
from stream.wire.alarm_messages import Command, PauseAudio
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind, pattern
from stream.wire.truth_message import Truth
from tests.brokers import Mosquitto
from tests.system.commands import bedside, environment, error_line, running

SCENARIO = """
name = "short"
seconds = 60
speed = 20
title = { en = "Short", ja = "短い" }
about = { en = "For a test.", ja = "試験用。" }

[[steps]]
at_s = 20
rhythm = "ASYS"
expect = { action = "pause_audio", within_s = 600, text = { en = "Act.", ja = "対応する。" } }

[[steps]]
after = { event = "pause_audio" }
rhythm = "N"
note = { en = "Beats.", ja = "心拍再開。" }

[[steps]]
after = { alarm = "asystole", latest_s = 60 }
note = { en = "Alarm.", ja = "アラーム。" }
"""


@pytest.mark.timeout(120)
async def test_a_scenario_plays_over_a_broker_and_follows_what_a_student_does(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "short.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    told: list[Truth] = []
    statuses: list[BedStatus] = []
    # It has the role of those who may know the truth, and acts as a student.
    kinds = [pattern(Kind.TRUTH), pattern(Kind.STATUS)]
    async with Client(mosquitto.address, role=None, subscriptions=kinds) as client:
        env, log = environment(mosquitto.address, BEDSIDE_DATA=str(tmp_path)), tmp_path / "log"
        with running("replay", "--scenario", str(path), "--language", "ja", env=env, output=log):
            async with asyncio.timeout(90):
                async for received in client:
                    if isinstance(received.message, BedStatus):
                        statuses.append(received.message)
                    if not isinstance(received.message, Truth):
                        continue
                    told.append(received.message)
                    if (told[-1].what, told[-1].phase) == ("expected_action", "begin"):
                        action, when = PauseAudio(seconds=60), rfc3339(time.time_ns())
                        client.send(Command(command_id="1" * 32, bed="bed-1", who="student", when=when, action=action))
                    if (told[-1].what, told[-1].phase) == ("scenario", "end"):
                        break
    assert [(one.what, one.phase, one.name) for one in told] == [
        ("scenario", "begin", "short"),
        ("rhythm", "begin", "N"),
        ("rhythm", "end", "N"),
        ("rhythm", "begin", "ASYS"),
        ("expected_action", "begin", "pause_audio"),
        ("expected_action", "end", "pause_audio"),
        ("rhythm", "end", "ASYS"),
        ("rhythm", "begin", "N"),
        ("note", "at", ""),
        ("note", "at", ""),
        ("scenario", "end", "short"),
    ]
    assert [one.text for one in told if one.what == "note"] == ["心拍再開。", "アラーム。"]
    assert [one.values["done"] for one in told if one.what == "expected_action" and one.phase == "end"] == [1]
    assert any(one.steerable and one.scenario is not None and one.scenario.title == "短い" for one in statuses)


def test_an_error_in_a_file_ends_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(SCENARIO.replace('"ASYS"', '"ASYSTOLE"'), encoding="utf-8")
    done = bedside("replay", "--scenario", str(path))
    assert done.returncode == 2
    assert "wrong.toml line 10: steps[0].rhythm 'ASYSTOLE' is not known: one of AFIB, ASYS" in error_line(done.stderr)
