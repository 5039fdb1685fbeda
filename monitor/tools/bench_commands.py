"""How long a command takes to reach every monitor: one sends, the worker executes it, two others see it in the list."""

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
EVERY_S = 0.5


@dataclass
class Commands:
    """What was sent, and when each monitor saw its effect.

    Attributes
    ----------
    sent : dict of str to int
        Monotonic time in ns, by command id.
    seen : dict of str to list of int
        The same, one for each monitor.
    acknowledgements : set of str
        Which of them acknowledged an alarm; the others paused the tone.
    """

    sent: dict[str, int] = field(default_factory=dict)
    seen: dict[str, list[int]] = field(default_factory=dict)
    acknowledgements: set[str] = field(default_factory=set)

    def delays_ms(self) -> list[float]:
        """Return how long each command took until the last monitor saw its effect."""
        return [(max(seen) - self.sent[i]) / 1e6 for i, seen in self.seen.items() if len(seen) == MONITORS]

    def unseen(self) -> int:
        """Return how many commands some monitor never saw."""
        return len(self.sent) - len(self.delays_ms())


async def send_commands(address: BrokerAddress, commands: Commands) -> None:
    """Send a command every half second until cancelled: acknowledge an alarm where one calls, else pause the tone."""
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
            await asyncio.sleep(EVERY_S)
            if 0 not in lists:
                continue
            calling = [alarm for alarm in lists[0].alarms if alarm.acknowledged_by is None]
            action: Action = Acknowledge(alarm_id=calling[0].alarm_id) if calling else PauseAudio(seconds=1)
            order = command(BED, "bench", time.time_ns(), action)
            if calling:
                commands.acknowledgements.add(order.command_id)
            commands.sent[order.command_id] = time.monotonic_ns()
            sender.send(order)


async def _listen(number: int, monitor: Client, lists: dict[int, ActiveAlarms], commands: Commands) -> None:
    known: set[str] = set()
    async for received in monitor:
        if not isinstance(received.message, ActiveAlarms):
            continue
        lists[number] = received.message
        for order in received.message.commands:
            if order.command_id in commands.sent and order.command_id not in known:
                known.add(order.command_id)
                commands.seen.setdefault(order.command_id, []).append(time.monotonic_ns())
