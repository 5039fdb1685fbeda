"""A publisher with a clock of its own, and what it has sent."""

import contextlib
from collections.abc import Callable

from stream.clock import rfc3339
from stream.replay.playhead import Playhead, ReplayConfig, begin
from stream.replay.publisher import Publisher
from stream.wire.alarm_messages import Action, Command
from stream.wire.continuity import Continuity, check_sequence
from stream.wire.messages import Message, Waveform
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Topic
from tests.stream.replay.test_playhead import BEGIN_NS, traceable


class FakeClock:
    """A fake clock: each sleep advances it to the deadline plus a delay, so hours take milliseconds."""

    def __init__(self, late_ns: int = 0) -> None:
        self.now = BEGIN_NS
        self.stepped_ns = 0
        self.late_ns = late_ns
        self.until = 2**63
        self.plan: dict[int, Callable[[], None]] = {}
        """Functions called during sleeps, by Unix time in ns."""

    def now_ns(self) -> int:
        return self.now

    async def sleep_until(self, deadline_ns: int) -> None:
        self.now = max(self.now, deadline_ns + self.late_ns)
        for at in [at for at in self.plan if at <= self.now]:
            self.plan.pop(at)()
        if self.now > self.until:
            raise TimeoutError

    def step(self, by_ns: int) -> None:
        self.now += by_ns
        self.stepped_ns += by_ns


def publisher(
    heads: list[Playhead],
    sent: list[tuple[int, Message]],
    clock: FakeClock,
    lost: int = 0,
    annotations: bool = False,
    removed: list[tuple[int, Topic]] | None = None,
    ledger: list[tuple[object, ...]] | None = None,
) -> Publisher:
    return Publisher(
        heads,
        send=lambda message: sent.append((clock.now_ns(), message)),
        remove=lambda topic: None if removed is None else removed.append((clock.now_ns(), topic)),
        dropped=lambda bed: lost,
        instance="ab12",
        clock=clock,
        write=lambda *values: None if ledger is None else ledger.append(values),
        annotations=annotations,
    )


def waveforms(sent: list[tuple[int, Message]], bed: str) -> list[tuple[int, Waveform]]:
    return [(now, m) for now, m in sent if isinstance(m, Waveform) and m.bed == bed]


def statuses(sent: list[tuple[int, Message]], bed: str) -> list[BedStatus]:
    return [m for _, m in sent if isinstance(m, BedStatus) and m.bed == bed]


def command(number: int, action: Action, now_ns: int, bed: str = "bed-1") -> Command:
    return Command(command_id=f"{number:032x}", bed=bed, who="test", when=rfc3339(now_ns), action=action)


def checked_chunks(sent: list[tuple[int, Message]], bed: str = "bed-1") -> list[tuple[Waveform, bool]]:
    """Return the chunks, each with whether it is discontinuous; check the sequence."""
    found = []
    position: Continuity | None = None
    for _, chunk in waveforms(sent, bed):
        arrival, position = check_sequence(position, chunk)
        assert not arrival.duplicate
        assert arrival.lost_samples == 0
        found.append((chunk, arrival.discontinuous))
    return found


async def replay_with(seconds: list[tuple[float, Action]], n: int = 3600) -> list[tuple[int, Message]]:
    """Return the messages of a replay with commands at given times in s."""
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(traceable(n), ReplayConfig(), BEGIN_NS)], sent, clock)
    clock.until = BEGIN_NS + 60_000_000_000
    for number, (at, action) in enumerate(seconds):
        moment = BEGIN_NS + round(at * 1e9)

        def run_command(number: int = number, action: Action = action) -> None:
            replayed.commands.execute(command(number, action, clock.now))

        clock.plan[moment] = run_command
    with contextlib.suppress(TimeoutError):
        await replayed.run()
    return sent
