"""Latency of commands: one client sends, the worker executes, two monitors receive the updated alarm list."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from monitor.tools.observer import BED
from monitor.view.commands import command
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire.alarm_messages import Acknowledge, Action, ActiveAlarms, PauseAudio
from stream.wire.topics import Kind, pattern

MONITORS = 2
COMMAND_INTERVAL_S = 0.5


@dataclass
class CommandLog:
    """Commands sent, and when each monitor received their effect.

    Attributes
    ----------
    sent : dict of str to int
        Monotonic time of sending in ns, by command id.
    reported : dict of str to list of int
        Monotonic times in ns at which the monitors received the effect, by command id.
    acknowledgements : set of str
        Ids of the commands that acknowledged an alarm; the others paused the tone.
    """

    sent: dict[str, int] = field(default_factory=dict)
    reported: dict[str, list[int]] = field(default_factory=dict)
    acknowledgements: set[str] = field(default_factory=set)

    def delays_ms(self) -> list[float]:
        """Return the latency of each command to the last of the monitors, in ms."""
        return [(max(at) - self.sent[i]) / 1e6 for i, at in self.reported.items() if len(at) == MONITORS]

    def unreported(self) -> int:
        """Return the number of commands whose effect did not reach every monitor."""
        return len(self.sent) - len(self.delays_ms())


async def send_commands(address: BrokerAddress, commands: CommandLog) -> None:
    """Send a command every half second until cancelled.

    It acknowledges an alarm, or the advisories, if one is not acknowledged yet, and pauses the tone otherwise.
    """
    patterns = [pattern(Kind.ALARMS_ACTIVE, BED)]
    lists: dict[int, ActiveAlarms] = {}
    async with (
        Client(address, role=None) as sender,
        Client(address, role=None, subscriptions=patterns) as first,
        Client(address, role=None, subscriptions=patterns) as second,
        asyncio.TaskGroup() as group,
    ):
        for number, monitor in enumerate((first, second)):
            group.create_task(_listen(number, monitor, lists, commands))
        while True:
            await asyncio.sleep(COMMAND_INTERVAL_S)
            if 0 not in lists:
                continue
            unacknowledged = [alarm for alarm in lists[0].alarms if alarm.acknowledged_by is None]
            if (advisory := lists[0].advisory) is not None and advisory.count:
                unacknowledged.append(advisory.latest)
            action: Action = (
                Acknowledge(alarm_id=unacknowledged[0].alarm_id) if unacknowledged else PauseAudio(seconds=1)
            )
            message = command(BED, "bench", time.time_ns(), action)
            if unacknowledged:
                commands.acknowledgements.add(message.command_id)
            commands.sent[message.command_id] = time.monotonic_ns()
            sender.send(message)


async def _listen(number: int, monitor: Client, lists: dict[int, ActiveAlarms], commands: CommandLog) -> None:
    known: set[str] = set()
    async for received in monitor:
        if not isinstance(received.message, ActiveAlarms):
            continue
        lists[number] = received.message
        for executed in received.message.commands:
            if executed.command_id in commands.sent and executed.command_id not in known:
                known.add(executed.command_id)
                commands.reported.setdefault(executed.command_id, []).append(time.monotonic_ns())
