"""A client without rights on a real broker: the processes go on, restore what they own, and do not grow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from stream.mqtt.address import BrokerAddress
from stream.wire import codec
from stream.wire.alarm_messages import KINDS, ActiveAlarms, Limits
from stream.wire.messages import Message
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import ROOT, Kind, Role, Topic, parse
from tests.brokers import Mosquitto
from tests.system.commands import environment, running, wait_until
from tests.waveforms import SESSION, chunk

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of processes in /proc")

INVENTED_BEDS = 3000
OVERSIZED = 60_000_000
MAX_GROWTH_MB = 60


class Stranger:
    """Receives everything, keeps the latest message of each topic, and publishes what it likes."""

    def __init__(self, address: BrokerAddress) -> None:
        self.latest: dict[str, Message | None] = {}
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.max_inflight_messages_set(200)
        self._client.connect(address.host, address.port)
        for topic in ("alarms/active", "status/worker"):
            self._client.subscribe(f"{ROOT}/bed-1/{topic}", qos=1)
        self._client.subscribe(f"{ROOT}/_/status/#", qos=1)
        self._client.loop_start()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.latest[message.topic] = codec.decode(parse(message.topic), message.payload)

    def publish(self, topic: Topic, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(str(topic), payload, qos=1, retain=retain).wait_for_publish(30)

    def send(self, message: Message, *, retain: bool = False) -> None:
        self._client.publish(str(codec.topic_of(message)), codec.encode(message), qos=1, retain=retain)

    def status(self, role: Role) -> ProcessStatus | None:
        """Return the latest status of the only process in a role."""
        found = [m for m in self.latest.values() if isinstance(m, ProcessStatus) and m.role == role]
        return found[-1] if found else None

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def stranger_on(address: BrokerAddress) -> Iterator[Stranger]:
    stranger = Stranger(address)
    try:
        yield stranger
    finally:
        stranger.stop()


def memory_mb(pid: int) -> float:
    """Return the largest resident memory of a process so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has ended")


@pytest.mark.timeout(240)
def test_a_stranger_neither_silences_nor_bloats_the_processes(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0")
    broker.start()
    env = environment(broker.address)
    try:
        with (
            running("worker", env=env, output=tmp_path / "worker.log") as worker,
            running("monitor", env=env, output=tmp_path / "monitor.log") as monitor,
            stranger_on(broker.address) as stranger,
        ):
            wait_until(lambda: "worker is ready" in (tmp_path / "worker.log").read_text(), "the worker")
            with running("replay", "synthetic", "--loop", env=env, output=tmp_path / "replay.log") as replay:
                active = Topic(Kind.ALARMS_ACTIVE, "bed-1")
                wait_until(lambda: stranger.latest.get(str(active)) is not None, "the list of alarms")
                wait_until(lambda: stranger.status(Role.MONITOR) is not None, "the monitor")
                before = {process.pid: memory_mb(process.pid) for process in (worker, monitor)}

                status = stranger.status(Role.WORKER)
                assert status is not None
                stranger.send(
                    ProcessStatus(
                        role="worker", instance=status.instance, state="offline", when="2099-01-01T00:00:00.000Z"
                    ),
                    retain=True,
                )
                stranger.publish(active, b"", retain=True)
                off = tuple(kind for kind in KINDS if kind not in ("asystole", "ventricular_fibrillation"))
                stranger.send(ActiveAlarms(bed="bed-1", limits=Limits(off=off)), retain=True)
                for n in range(INVENTED_BEDS):
                    bed = f"invented-{n}"
                    stranger.send(chunk(0, bed=bed, record="<b>\x1b[2J"))
                    stranger.send(ActiveAlarms(bed=bed), retain=True)
                    stranger.send(
                        BedStatus(bed=bed, role="publisher", instance="x", state="playing", when="", record="r",
                                  session=SESSION)
                    )  # fmt: skip
                # The broker withholds the first, since MQTT 5 tells it how much the processes take; the second arrives.
                for size in (OVERSIZED, codec.MAX_BYTES + 1):
                    stranger.publish(Topic(Kind.ECG, "bed-1"), bytes(size))

                def counter(role: Role, name: str) -> float:
                    status = stranger.status(role)
                    return 0 if status is None else status.counters.get(name, 0)

                wait_until(lambda: counter(Role.WORKER, "intrusions") >= 3, "the intrusions")
                for role in (Role.WORKER, Role.MONITOR):
                    wait_until(lambda role=role: counter(role, "beds_refused") > INVENTED_BEDS, f"refusals by {role}")
                    wait_until(lambda role=role: counter(role, "rejected") >= 1, f"the payload at the {role}")

                def restored() -> bool:
                    message = stranger.latest.get(str(active))
                    return isinstance(message, ActiveAlarms) and message.limits.off == ()

                wait_until(restored, "the restored list")
                bed_status = str(Topic(Kind.STATUS, "bed-1", Role.WORKER))

                def processed() -> float:
                    message = stranger.latest.get(bed_status)
                    return message.counters["samples_forecast"] if isinstance(message, BedStatus) else 0.0

                count = processed()
                wait_until(lambda: processed() > count + 360, "further forecasts")
                assert [p.poll() for p in (worker, monitor, replay)] == [None] * 3
                growth = {p.args[3]: memory_mb(p.pid) - before[p.pid] for p in (worker, monitor)}  # type: ignore[index]
                assert max(growth.values()) < MAX_GROWTH_MB, growth
        for log in tmp_path.glob("*.log"):
            assert "\x1b" not in log.read_text(errors="replace")
    finally:
        broker.stop()
