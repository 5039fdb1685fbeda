"""Real publishers and a real worker: two send one bed, a paused one is killed, and the clock is stepped."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from stream.clock import rfc3339
from stream.errors import MessageError
from stream.wire import codec, topics
from stream.wire.alarm_messages import Action, ActiveAlarms, Alarm, Command, PauseAudio
from stream.wire.messages import Forecast, Message, Waveform
from stream.wire.replay_actions import SetPlaying
from tests.brokers import Mosquitto
from tests.system.commands import bedside, environment, error_line, running, wait_until


class Ward:
    """A subscriber that keeps all messages, and can send any."""

    def __init__(self, port: int) -> None:
        self.messages: list[Message] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("bedside/v1/#", 1)
        self._client.loop_start()

    def _keep(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            decoded = codec.decode(topics.parse(message.topic), message.payload)
        except MessageError:
            return
        if decoded is not None and not message.retain:
            self.messages.append(decoded)

    def send(self, message: Message, *, retain: bool = False) -> None:
        self._client.publish(str(codec.topic_of(message)), codec.encode(message), 1, retain).wait_for_publish(10)

    def command(self, action: Action, when_s: float = 0.0) -> None:
        when = rfc3339(time.time_ns() + round(when_s * 1e9))
        self.send(Command(command_id=secrets.token_hex(16), bed="bed-1", who="test", when=when, action=action))

    def of(self, kind: type[Any], first: int = 0, **fields: object) -> list[Any]:
        return [
            m
            for m in self.messages[first:]
            if isinstance(m, kind) and all(getattr(m, name) == value for name, value in fields.items())
        ]

    def forecasts_flow(self, session: str, count: int = 20) -> None:
        """Wait for further forecasts of a session."""
        first = len(self.messages)
        wait_until(lambda: len(self.of(Forecast, first, session=session)) >= count, f"{count} forecasts")

    def technical(self, first: int = 0) -> list[tuple[str, str]]:
        return [(a.kind, a.phase) for a in self.of(Alarm, first, priority="technical")]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ward(mosquitto: Mosquitto) -> Iterator[Ward]:
    subscriber = Ward(mosquitto.port)
    yield subscriber
    subscriber.stop()


def session_of(ward: Ward) -> str:
    first = len(ward.messages)
    wait_until(lambda: bool(ward.of(Waveform, first)), "a chunk")
    session: str = ward.of(Waveform, first)[-1].session
    return session


def ready(log: Path) -> Callable[[], bool]:
    return lambda: "worker is ready" in log.read_text()


@pytest.mark.timeout(240)
def test_two_publishers_of_one_bed(mosquitto: Mosquitto, ward: Ward, tmp_path: Path) -> None:
    env = environment(mosquitto.address)
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    with running("worker", env=env, output=tmp_path / "worker.log"):
        wait_until(ready(tmp_path / "worker.log"), "the worker")
        with running("replay", "synthetic", "--loop", env=env, output=one) as first:
            session = session_of(ward)
            ward.forecasts_flow(session)
            refused = bedside("replay", "synthetic", env=env)
            assert refused.returncode == 2
            assert "sends bed bed-1" in error_line(refused.stderr)
            ward.forecasts_flow(session)
            # The second one takes the first for dead, and so does the worker.
            first.send_signal(signal.SIGSTOP)
            with running("replay", "synthetic", "--loop", env=env, output=two) as second:
                wait_until(lambda: any(w.session != session for w in ward.of(Waveform)), "the second publisher")
                other = ward.of(Waveform)[-1].session
                ward.forecasts_flow(other)
                mark = len(ward.messages)
                first.send_signal(signal.SIGCONT)
                wait_until(lambda: ("two_publishers", "raised") in ward.technical(mark), "the alarm")
                ward.forecasts_flow(other)
                second.send_signal(signal.SIGKILL)
                second.wait()
                ended_s = time.monotonic()
                mark = len(ward.messages)
                wait_until(lambda: len(ward.of(Forecast, mark, session=session)) >= 20, "the first publisher")
                wait_until(lambda: ("two_publishers", "cleared") in ward.technical(mark), "the end of the alarm")
                # Without load this takes 2 s; the limit only says that it is a matter of seconds.
                assert time.monotonic() - ended_s < 30
            wait_until(lambda: bool(ward.of(ActiveAlarms)), "the list")
            assert all(a.kind != "two_publishers" for a in ward.of(ActiveAlarms)[-1].alarms)


@pytest.mark.timeout(180)
def test_a_publisher_that_is_paused_and_killed_raises_no_data(mosquitto: Mosquitto, ward: Ward, tmp_path: Path) -> None:
    env = environment(mosquitto.address)
    with running("worker", env=env, output=tmp_path / "worker.log"):
        wait_until(ready(tmp_path / "worker.log"), "the worker")
        with running("replay", "synthetic", env=env, output=tmp_path / "replay.log") as replay:
            ward.forecasts_flow(session_of(ward))
            ward.command(SetPlaying(playing=False))
            mark = len(ward.messages)
            time.sleep(7)  # longer than the time after which a playing bed has an alarm
            assert ward.technical(mark) == []
            replay.kill()
            replay.wait()
            wait_until(lambda: ("no_data", "raised") in ward.technical(mark), "the alarm")


@contextmanager
def stepping(clock: Path, *arguments: str, env: dict[str, str], output: Path) -> Iterator[None]:
    """Run a command with a wall clock that the file steps."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.stepped_clock", str(clock), *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**env, "PYTHONPATH": str(Path.cwd())},
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.timeout(240)
def test_a_stepped_clock_raises_nothing_and_prolongs_no_pause(mosquitto: Mosquitto, ward: Ward, tmp_path: Path) -> None:
    env, clock = environment(mosquitto.address), tmp_path / "clock"
    clock.write_text("0")
    with stepping(clock, "worker", env=env, output=tmp_path / "worker.log"):
        wait_until(ready(tmp_path / "worker.log"), "the worker")
        with stepping(clock, "replay", "synthetic", "--loop", env=env, output=tmp_path / "replay.log"):
            session = session_of(ward)
            ward.forecasts_flow(session)
            mark = len(ward.messages)
            for step_s in (3600.0, -3600.0):
                clock.write_text(str(step_s))
                ward.forecasts_flow(session, 40)
                # The end of the pause moves with the next step, so that it is over after its 6 s.
                ward.command(PauseAudio(seconds=6), step_s)
                wait_until(lambda: ward.of(ActiveAlarms)[-1].audio_paused_until is not None, "the pause")
                clock.write_text("0")
                wait_until(lambda: ward.of(ActiveAlarms)[-1].audio_paused_until is None, "the end of the pause", 40)
                ward.forecasts_flow(session)
            assert [kind for kind, _ in ward.technical(mark) if kind == "no_data"] == []
