"""Our own processes over a real broker keep all rules and are scored; what a stranger does is found."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from stream.mqtt.address import BrokerAddress
from tests.brokers import Mosquitto
from tests.system.commands import bedside, environment, error_line, running, wait_until


def start(*arguments: str, env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "monitor.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def publish_wrongly(address: BrokerAddress, until: subprocess.Popen[str]) -> None:
    """Publish what breaks three rules, again and again until a process has ended."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        while until.poll() is None:
            client.publish("bedside/v1/bed-9/vitals", b'{"v":1}', qos=1, retain=False)
            client.publish("bedside/v1/bed-9/spo2", b"97", qos=0)
            time.sleep(0.1)
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.timeout(240)
def test_our_own_stack_is_scored_and_keeps_all_rules(mosquitto: Mosquitto, tmp_path: Path) -> None:
    env = environment(mosquitto.address)
    log, score_log, replay_log = (tmp_path / f"{name}.log" for name in ("worker", "score", "replay"))
    with running("worker", "--no-state", env=env, output=log):
        wait_until(lambda: "worker is ready" in log.read_text(), "the worker", 200)
        with running("score", "--json", env=env, output=score_log) as score:
            wait_until(lambda: "from now on" in score_log.read_text(), "the score")
            checking = start("check", "--seconds", "9", "--json", env=env)
            with running("replay", "synthetic", "--annotations", "--start", "290", env=env, output=replay_log):
                report, errors = checking.communicate(timeout=60)
                assert score.wait(60) == 0, "it ends with the record"
        assert checking.returncode == 0, report + errors
        found = json.loads(report)
        assert found["violations"] == []
        topics = {line["topic"].removeprefix("bedside/v1/bed-1/") for line in found["topics"]}
        assert {"ecg", "wave/abp", "numerics", "forecast", "beats", "vitals", "annotations", "score"} <= topics
        assert {"alarms/active", "numerics/derived", "status/publisher", "status/worker"} <= topics

        last = json.loads([line for line in score_log.read_text().splitlines() if line.startswith("{")][-1])
        assert (last["bed"], last["record"], last["last"], last["complete"]) == ("bed-1", "synthetic", True, True)
        assert last["seconds"] == pytest.approx(10)
        assert last["cumulative"]["qrs"]["found"] > 5
        assert not last["whole"], "it began at 290 s"

        spoiled = start("check", "--seconds", "2", env=env)
        publish_wrongly(mosquitto.address, spoiled)
        output, _ = spoiled.communicate()
        assert spoiled.returncode == 1
        for rule in ("vitals: qos", "vitals: retain", "vitals: schema", "spo2: topic"):
            assert f"bedside/v1/bed-9/{rule} [topics.md, Topics and messages]: " in output, output


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    for arguments, text in (
        (("check", "--broker", "mqtt://127.0.0.1:1"), "cannot be reached"),
        (("check", "--seconds", "0"), "--seconds 0: use a number above 0"),
        (("score", "--bed", "Bed 1"), "bed name 'Bed 1' cannot be used"),
        (("score", "--seconds", "-1"), "--seconds -1: use a number above 0"),
    ):
        result = bedside(*arguments)
        assert result.returncode == 2
        assert text in error_line(result.stderr)
