"""Thousands of malformed payloads on every topic: no process stops, and each payload is counted."""

import contextlib
import json
import math
import random
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import paho.mqtt.client as paho
import pytest

from stream.errors import MessageError
from stream.mqtt.address import BrokerAddress
from stream.wire import codec, topics
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Kind, Role
from stream.wire.ward_batches import ward_ecg
from tests.brokers import Mosquitto
from tests.stream.wire.test_codec import (
    ANNOTATION,
    BEAT,
    BED_STATUS,
    PROCESS,
    VITALS,
    WARD_BEDS,
    alarm,
    command,
    forecast,
)
from tests.stream.wire.ward_forecasts import ward_forecast
from tests.system.commands import environment, running, wait_until
from tests.waveforms import chunk

VALID = {
    Kind.ECG: chunk(3),
    Kind.FORECAST: forecast(),
    Kind.BEATS: BEAT,
    Kind.VITALS: VITALS,
    Kind.ALARMS: alarm(),
    Kind.ALARMS_ACTIVE: ActiveAlarms(bed="bed-1", alarms=(alarm(),)),
    Kind.ANNOTATIONS: ANNOTATION,
    Kind.STATUS: BED_STATUS,
    Kind.PROCESS: PROCESS,
    Kind.COMMAND: command(),
    Kind.WARD_ECG: ward_ecg([chunk(3, bed=bed) for bed in WARD_BEDS]),
    Kind.WARD_FORECAST: ward_forecast([forecast(bed=bed) for bed in WARD_BEDS], (12, 24)),
}

NOT_A_NUMBER: dict[Kind, dict[str, Any]] = {
    Kind.ECG: {"gain": [math.nan]},
    Kind.FORECAST: {"threshold": math.nan},
    Kind.BEATS: {"rr_ms": math.nan},
    Kind.VITALS: {"heart_rate": math.nan},
    Kind.ALARMS: {"observed": math.nan},
    Kind.ALARMS_ACTIVE: {"alarms": [{"observed": math.nan}]},
    Kind.ANNOTATIONS: {"index": math.nan},
    Kind.STATUS: {"counters": {"samples_forecast": math.nan}},
    Kind.PROCESS: {"counters": {"rejected": math.nan}},
    Kind.COMMAND: {"action": {"do": "pause_audio", "seconds": math.nan}},
    Kind.WARD_ECG: {"speed": np.full(len(WARD_BEDS), np.nan).tobytes()},
    Kind.WARD_FORECAST: {"threshold": math.nan},
}


def malformed(kind: Kind, count: int, rng: random.Random) -> list[bytes]:
    """Return invalid payloads for a kind of topic; each is verified to be rejected."""
    topic = codec.topic_of(VALID[kind])
    good = codec.encode(VALID[kind])
    binary = isinstance(VALID[kind], codec.BINARY)
    fields: dict[str, Any] = msgspec.msgpack.decode(good) if binary else json.loads(good)

    def changed(**changes: Any) -> bytes:
        new = fields | changes
        return msgspec.msgpack.encode(new) if binary else json.dumps(new).encode()

    generators = [
        lambda: rng.randbytes(rng.randint(1, 300)),
        lambda: good[: rng.randint(1, len(good) - 1)],
        lambda: rng.randbytes(codec.max_bytes(topic) + 1) if rng.random() < 0.02 else b"[]",
        lambda: changed(bed="bed-2", beds="bed-2", instance="other"),
        lambda: changed(**NOT_A_NUMBER[kind]),
        lambda: b"" if kind not in topics.RETAINED else b"{",
        lambda: changed(seq=-1, onset=-1, position=-1, counters=-1, alarms=-1, index=-1, who="", epoch=-1),
    ]
    payloads: list[bytes] = []
    while len(payloads) < count:
        payload = generators[len(payloads) % len(generators)]()
        with pytest.raises(MessageError):
            codec.decode(topic, payload)
        payloads.append(payload)
    return payloads


def flood(address: BrokerAddress, payloads: list[tuple[str, bytes]]) -> None:
    """Publish all payloads with QoS 1; wait for the acknowledgements."""
    window = threading.Semaphore(200)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(200)
    client.on_publish = lambda *_: window.release()
    client.connect(address.host, address.port)
    client.loop_start()
    for topic, payload in payloads:
        assert window.acquire(timeout=30)
        client.publish(topic, payload, qos=1)
    for _ in range(200):
        assert window.acquire(timeout=30)
    client.disconnect()
    client.loop_stop()


class StatusMonitor:
    """Receives the status of all processes, by role."""

    def __init__(self, address: BrokerAddress) -> None:
        self.status: dict[str, ProcessStatus] = {}
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect(address.host, address.port)
        self._client.subscribe(topics.pattern(Kind.PROCESS), qos=1)

    def __enter__(self) -> "StatusMonitor":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        try:
            status = codec.decode(topics.parse(message.topic), message.payload)
        except MessageError:
            return
        if isinstance(status, ProcessStatus) and status.instance != PROCESS.instance:
            self.status[status.role] = status


COUNT = 1_000
"""Malformed payloads of each kind of message."""


@pytest.mark.timeout(400)
def test_no_process_stops_and_each_payload_is_counted(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0")
    broker.start()
    rng = random.Random(208)
    payloads = [
        (str(codec.topic_of(VALID[kind])), payload) for kind in VALID for payload in malformed(kind, COUNT, rng)
    ]
    # An empty payload on a retained topic is valid: it removes the message.
    payloads += [(str(codec.topic_of(VALID[kind])), b"") for kind in (Kind.ALARMS_ACTIVE, Kind.STATUS)] * 100
    rng.shuffle(payloads)
    subscribed_kinds = {
        Role.WORKER: {Kind.ECG, Kind.WARD_ECG, Kind.ALARMS_ACTIVE, Kind.COMMAND, Kind.VITALS, Kind.STATUS},
        Role.LOGGER: {Kind.ALARMS},
        Role.MONITOR: set(VALID) - {Kind.COMMAND, *topics.OF_WARD},
    }
    env = environment(broker.address)
    commands = {
        Role.WORKER: ("worker",),
        Role.LOGGER: ("alarms", "--db", str(tmp_path / "alarms.sqlite")),
        Role.MONITOR: ("monitor",),
    }
    try:
        with contextlib.ExitStack() as stack:
            monitor = stack.enter_context(StatusMonitor(broker.address))
            processes = {
                role: stack.enter_context(running(*command, env=env, output=tmp_path / f"{role}.log"))
                for role, command in commands.items()
            }
            wait_until(lambda: len(monitor.status) == len(commands), "worker, logger and monitor")
            started = time.monotonic()
            flood(broker.address, payloads)
            for role, kinds in subscribed_kinds.items():
                wait_until(
                    lambda role=role, kinds=kinds: monitor.status[role].counters["rejected"] >= COUNT * len(kinds),
                    f"{COUNT * len(kinds)} rejections by the {role}",
                    timeout_s=180,
                )
            for role, kinds in subscribed_kinds.items():
                assert monitor.status[role].counters["rejected"] == COUNT * len(kinds), role
                assert processes[role].poll() is None, role
            # All processes still work: a valid stream is processed.
            with running("replay", "synthetic", "--speed", "20", env=env, output=tmp_path / "replay.log"):
                wait_until(lambda: "bed-1" in monitor.status[Role.WORKER].beds, "a bed at the worker")
        connections = {Role.LOGGER: 2}  # ECG is received over a second connection
        for role in commands:
            rejections = [line for line in (tmp_path / f"{role}.log").read_text().splitlines() if "rejected" in line]
            most = connections.get(role, 1) * (time.monotonic() - started + 1)
            assert 1 <= len(rejections) <= most, "once per second and connection at most"
    finally:
        broker.stop()
