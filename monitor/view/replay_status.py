"""The replay of a bed as its publisher tells it, and what people at this monitor asked of it. No Qt.

What was asked for is not what is: a wish is kept apart until the publisher's status shows it, or until it is too old to
be obeyed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.view.view_model import Asked, Replay
from stream.timebase import FS
from stream.wire.messages import BedStatus, Waveform
from stream.wire.phrases import Phrase, phrase
from stream.wire.replay_actions import ChooseRecord, ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed

PATIENCE_NS = 10_000_000_000
"""A publisher obeys no command that is older; so long a wish waits."""

TOLD_NS = 6_000_000_000
"""How long is said that a wish was not fulfilled."""

_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class _Wish:
    action: ReplayAction
    asked_ns: int


class Replaying:
    """One bed's replay.

    Attributes
    ----------
    since_ns : int
        When the publisher was first heard to play after it had not: before, no sample was due.
    """

    def __init__(self) -> None:
        self.since_ns = 0
        self._status: BedStatus | None = None
        self._wishes: dict[type[ReplayAction], _Wish] = {}
        self._note: Phrase | None = None
        self._note_until_ns = 0

    def take(self, status: BedStatus | None, received_ns: int) -> None:
        """Take the publisher's word; None where what it had retained is gone."""
        before, self._status = self._status, status
        if status is None:
            self._wishes.clear()
            return
        if status.state == "playing" and (before is None or before.state != "playing"):
            self.since_ns = received_ns
        for kind, wish in tuple(self._wishes.items()):
            if _shows(status, wish, received_ns):
                del self._wishes[kind]

    def ask(self, action: ReplayAction, now_ns: int) -> None:
        """Remember what was asked for; a later wish of the same kind takes the place of an earlier one."""
        if isinstance(action, ChooseRecord):
            self._wishes.pop(Seek, None)  # was meant for the record before
        self._wishes[type(action)] = _Wish(action, now_ns)
        self._note_until_ns = 0

    def picture(self, now_ns: int, chunk: Waveform | None) -> Replay | None:
        """Return what is known, and what was asked for; None where no publisher has said anything.

        Parameters
        ----------
        now_ns : int
            Unix time.
        chunk : Waveform or None
            The newest chunk: between two statuses it says how far the replay is.
        """
        status = self._status
        if status is None:
            return None
        for kind, wish in tuple(self._wishes.items()):
            if now_ns - wish.asked_ns > PATIENCE_NS:
                del self._wishes[kind]
                self._note = phrase("replay.not_done", actions=action_phrase(wish.action))
                self._note_until_ns = now_ns + TOLD_NS
        position = status.position
        if chunk is not None and chunk.session == status.session and chunk.seq > (status.last_seq or 0):
            position = chunk.position + chunk.n
        return Replay(
            state=status.state,
            record=status.record,
            position_s=position // FS,
            duration_s=status.duration // FS,
            speed=status.speed,
            loop=status.loop,
            records=status.records,
            asked=self._asked(),
            note=self._say(now_ns),
        )

    def _say(self, now_ns: int) -> Phrase | None:
        if self._wishes:
            return phrase("replay.requested", actions=tuple(action_phrase(w.action) for w in self._wishes.values()))
        return self._note if now_ns < self._note_until_ns else None

    def _asked(self) -> Asked:
        actions = {kind: wish.action for kind, wish in self._wishes.items()}
        playing, seek, speed, loop, record = (
            actions.get(kind) for kind in (SetPlaying, Seek, SetSpeed, SetLoop, ChooseRecord)
        )
        return Asked(
            playing=playing.playing if isinstance(playing, SetPlaying) else None,
            position_s=seek.position // FS if isinstance(seek, Seek) else None,
            speed=speed.speed if isinstance(speed, SetSpeed) else None,
            loop=loop.loop if isinstance(loop, SetLoop) else None,
            record=record.record if isinstance(record, ChooseRecord) else None,
        )


def _shows(status: BedStatus, wish: _Wish, now_ns: int) -> bool:
    """Return whether a status shows what was asked for."""
    match wish.action:
        case SetPlaying(playing=playing):
            return status.state == ("playing" if playing else "paused")
        case Seek(position=position):
            # By the time it is told, a replay that goes on may have left the place.
            elapsed_s = (now_ns - wish.asked_ns) / 1e9 + _SLACK_S
            return 0 <= status.position - position <= elapsed_s * status.speed * FS
        case SetSpeed(speed=speed):
            return math.isclose(status.speed, speed)
        case SetLoop(loop=loop):
            return status.loop == loop
        case ChooseRecord(record=record):
            return status.record == record


def action_phrase(action: ReplayAction) -> Phrase:
    """Return what an action asks for."""
    match action:
        case SetPlaying(playing=playing):
            return phrase("replay.play" if playing else "replay.pause")
        case Seek(position=position):
            return phrase("replay.seek", clock=clock(position // FS))
        case SetSpeed(speed=speed):
            return phrase("replay.speed", speed=f"{speed:g}")
        case SetLoop(loop=loop):
            return phrase("replay.loop" if loop else "replay.no_loop")
        case ChooseRecord(record=record):
            return phrase("replay.record", record=record)


def clock(seconds: int) -> str:
    """Return seconds as ``mm:ss``."""
    return f"{seconds // 60:02}:{seconds % 60:02}"
