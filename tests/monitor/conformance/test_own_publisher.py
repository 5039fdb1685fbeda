"""What our own publisher sends keeps all rules, whatever it is told to do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitor.conformance.checker import Checker
from stream.clock import rfc3339
from stream.errors import UsageError
from stream.records.record import Annotations, Record
from stream.replay.playhead import ReplayConfig, begin
from stream.wire import codec
from stream.wire.alarm_messages import Command
from stream.wire.messages import Message
from stream.wire.raw_message import RawMessage
from stream.wire.replay_actions import ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import QOS, RETAINED, Topic
from tests.stream.replay.publisher_harness import FakeClock, publisher
from tests.stream.replay.test_playhead import BEGIN_NS, with_numerics, with_wave

SECONDS = 8

ACTIONS = st.one_of(
    st.integers(0, 2_000).map(lambda position: Seek(position=position)),
    st.sampled_from([0.5, 1.0, 3.0]).map(lambda speed: SetSpeed(speed=speed)),
    st.booleans().map(lambda playing: SetPlaying(playing=playing)),
    st.booleans().map(lambda loop: SetLoop(loop=loop)),
)


def annotated(fs: float) -> Record:
    """Return a record of six seconds with a wave, numerics and annotations."""
    n = 2160
    beats = Annotations(np.arange(90, n, 300), ("N",) * len(range(90, n, 300)), ("",) * len(range(90, n, 300)))
    return replace(with_wave(n, fs), numerics=with_numerics(n, 1.0).numerics, annotations=beats)


class Listener:
    """Passes what a publisher sends to a checker, as a broker delivers it."""

    def __init__(self, clock: FakeClock) -> None:
        self.checker = Checker()
        self._clock = clock

    def append(self, item: tuple[int, Message]) -> None:
        now_ns, message = item
        topic = codec.topic_of(message)
        self.deliver(topic, codec.encode(message), now_ns)

    def deliver(self, topic: Topic, payload: bytes, now_ns: int) -> None:
        kept = topic.kind in RETAINED
        at = now_ns - BEGIN_NS
        self.checker.observe(RawMessage(str(topic), payload, QOS[topic.kind], kept, False, now_ns, at))
        self.checker.advance(at)


@settings(max_examples=12, phases=(Phase.explicit, Phase.generate))
@given(
    size=st.integers(24, 400),
    fs=st.sampled_from([1.0, 62.4725, 125.0, 500.0]),
    speed=st.sampled_from([0.5, 1.0, 4.0]),
    loop=st.booleans(),
    commands=st.lists(st.tuples(st.integers(0, 10 * SECONDS), ACTIONS), max_size=4),
)
def test_a_publisher_keeps_all_rules(
    size: int, fs: float, speed: float, loop: bool, commands: list[tuple[int, ReplayAction]]
) -> None:
    clock = FakeClock()
    clock.until = BEGIN_NS + SECONDS * 1_000_000_000
    listener = Listener(clock)
    heads = [begin(annotated(fs), ReplayConfig(chunk=size, speed=speed, loop=loop), BEGIN_NS, "ab" * 16)]
    sent: Any = listener
    sender = publisher(heads, sent, clock, annotations=True)

    def execute(number: int, action: ReplayAction) -> None:
        command = Command(command_id=f"{number:032x}", bed="bed-1", who="nurse", when=rfc3339(clock.now), action=action)
        listener.append((clock.now, command))
        try:
            sender.commands.execute(command)
        except UsageError:
            assert isinstance(action, Seek)

    def status() -> None:
        listener.append(
            (clock.now, ProcessStatus(role="publisher", instance="ab12", state="online", when=rfc3339(clock.now)))
        )

    for tenth in range(0, 10 * SECONDS, 20):
        clock.plan[BEGIN_NS + tenth * 100_000_000] = status
    for number, (tenth, action) in enumerate(commands):
        at = BEGIN_NS + tenth * 100_000_000 + number + 1
        clock.plan[at] = lambda number=number, action=action: execute(number, action)  # type: ignore[misc]
    try:
        asyncio.run(sender.run())
    except TimeoutError:
        sender.stop()
    findings = listener.checker.finish(clock.now - BEGIN_NS)
    assert [str(found) for found in (*findings.violations, *findings.remarks)] == []
    assert findings.messages.total() > 0
