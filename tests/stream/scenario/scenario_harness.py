"""A scenario in a publisher, with an injected clock and without pacing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from stream.errors import RecordError
from stream.records.library import LoadedRecords
from stream.records.record import Record
from stream.replay.playhead import ReplayConfig, begin
from stream.replay.publisher import Publisher
from stream.replay.scenario_episodes import episodes_of
from stream.replay.scenario_records import first_records
from stream.scenario.scenario import Scenario
from stream.wire.alarm_messages import Action
from stream.wire.messages import Message
from tests.stream.replay.publisher_harness import FakeClock, command
from tests.stream.replay.test_playhead import BEGIN_NS

SESSION = "ab" * 16

Planned = Sequence[tuple[float, str, Action]]
"""Commands: time in s, bed, action."""


NO_RECORDS = LoadedRecords(())


def no_record(name: str) -> Record:
    raise RecordError(name)


def play(
    scenario: Scenario,
    receive: Callable[[Message], None],
    commands: Planned = (),
    chunk: int = 36,
    load: Callable[[str], Record] = no_record,
    until_s: float | None = None,
    library: LoadedRecords = NO_RECORDS,
) -> Publisher:
    """Let a scenario play, as fast as possible; ``receive`` gets all messages. Times are those of the clock."""
    clock = FakeClock()
    heads = []
    first = first_records(scenario, load)
    for bed, (record, start_s) in zip(scenario.beds, first, strict=True):
        config = ReplayConfig(bed=bed.name, chunk=chunk, speed=scenario.speed, loop=not record.alone, start_s=start_s)
        heads.append(begin(record, config, BEGIN_NS, SESSION))
    publisher = Publisher(
        heads,
        send=receive,
        remove=lambda topic: None,
        dropped=lambda bed: 0,
        instance="ab12",
        clock=clock,
        write=lambda *values: None,
        scenario=scenario,
        episodes=episodes_of(scenario, first, library),
    )
    for number, (at_s, bed, action) in enumerate(commands):
        clock.plan[BEGIN_NS + round(at_s * 1e9) + number] = lambda n=number, b=bed, a=action: (
            publisher.commands.execute(command(n, a, clock.now, b))
        )
    if until_s is not None:
        clock.until = BEGIN_NS + round(until_s * 1e9)
    try:
        asyncio.run(publisher.run())
    except TimeoutError:
        publisher.stop()
    return publisher
