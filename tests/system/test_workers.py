"""Workers that have too much to do, or that were stalled while another one took over; real processes and Mosquitto."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.mqtt.client import Client, Received
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.lease import Leases, lease_of
from stream.wire.messages import Beat, Forecast, Vitals, Waveform
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, pattern
from tests.brokers import Mosquitto
from tests.system.commands import environment, error_line, running, wait_until


def listener(mosquitto: Mosquitto) -> Client:
    return Client(mosquitto.address, role=None, subscriptions=[pattern(kind) for kind in Kind])


async def until(client: Client, enough: Callable[[Received], bool]) -> list[Received]:
    """Receive until a message is enough; return all."""
    messages = []
    async with asyncio.timeout(60):
        while True:
            messages.append(await client.receive())
            if enough(messages[-1]):
                return messages


def ready(log: Path) -> Callable[[], bool]:
    return lambda: "worker is ready" in log.read_text()


@pytest.mark.timeout(180)
async def test_a_saturated_worker_sends_all_its_outputs_and_names_what_it_sheds(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    env = environment(mosquitto.address)
    with running("worker", env=env, output=tmp_path / "worker.log"):
        await asyncio.to_thread(wait_until, ready(tmp_path / "worker.log"), "the worker")
        beds = [argument for bed in "abcdefghijkl" for argument in ("--bed", f"{bed}=synthetic")]
        speed = ("--speed", "100", "--chunk", "360")  # few messages, so that the publisher is not saturated, too
        replay = running("replay", *beds, *speed, "--loop", env=env, output=tmp_path / "replay.log")
        async with listener(mosquitto) as client:
            with replay:
                await until(client, lambda r: isinstance(r.message, ProcessStatus) and r.message.overloaded)
                kinds: Counter[type] = Counter()
                shed: dict[str, float] = {}
                received: list[Received] = []

                def enough(r: Received) -> bool:
                    if isinstance(r.message, BedStatus) and r.message.role == "worker":
                        shed[r.message.bed] = r.message.counters["shed_samples"]
                    is_publisher = isinstance(r.message, BedStatus | ProcessStatus) and r.message.role == "publisher"
                    if not r.retained and not is_publisher:
                        kinds[type(r.message)] += 1
                    outputs = (Forecast, Beat, Vitals, BedStatus, ProcessStatus, Alarm, ActiveAlarms)
                    return all(kinds[kind] >= 5 for kind in outputs) and sum(n > 0 for n in shed.values()) >= 3

                received += await until(client, enough)
            # The load has ended: the worker recovers by itself.
            await until(
                client,
                lambda r: (
                    isinstance(r.message, ProcessStatus)
                    and (r.message.role, r.message.state, r.message.overloaded) == ("worker", "online", False)
                ),
            )
    gaps = [r.message for r in received if isinstance(r.message, Alarm) and r.message.kind == "no_data"]
    assert {gap.reason for gap in gaps} == {"samples_lost"}
    assert {gap.phase for gap in gaps} == {"raised", "cleared"}
    assert any(isinstance(r.message, Waveform) for r in received)


@pytest.mark.timeout(180)
async def test_a_worker_that_was_stalled_while_another_took_over_is_not_believed_and_ends(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    env = environment(mosquitto.address)
    logs = [tmp_path / name for name in ("first.log", "second.log")]
    leases = Leases()
    async with listener(mosquitto) as client:
        with running("worker", env=env, output=logs[0]) as first:
            await asyncio.to_thread(wait_until, ready(logs[0]), "the first worker")
            with running("replay", "synthetic", "--loop", env=env, output=tmp_path / "replay.log"):
                before = await until(client, lambda r: isinstance(r.message, Vitals))
                os.kill(first.pid, signal.SIGSTOP)
                try:
                    with running("worker", env=env, output=logs[1]) as second:
                        before += await until(client, lambda r: isinstance(r.message, Vitals) and r.message.lease == 2)
                        for received in before:
                            leases.accept(received.message)
                        os.kill(first.pid, signal.SIGCONT)
                        await asyncio.to_thread(wait_until, lambda: first.poll() is not None, "the end of the first")
                        forecasts = itertools.count(1)
                        after = await until(client, lambda r: isinstance(r.message, Forecast) and next(forecasts) == 40)
                        assert second.poll() is None
                finally:
                    if first.poll() is None:
                        os.kill(first.pid, signal.SIGCONT)
    assert first.returncode == 2
    assert "serves" in error_line(logs[0].read_text())
    believed = [found for r in after if leases.accept(r.message) and (found := lease_of(r.message)) is not None]
    assert {lease for _, lease in believed} == {2}
