"""Replay of one bed: the publisher's status, and the pending requests of this monitor. No Qt.

A request is pending until the publisher's status shows its effect, or until it is too old to be executed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.view.display_texts import reference_rhythm_phrase
from monitor.view.view_model import Replay, Requested
from stream.timebase import FS
from stream.wire.alarm_texts import Phrase, phrase
from stream.wire.messages import Waveform
from stream.wire.replay_actions import ChooseRecord, ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed, ShowEpisode
from stream.wire.status_messages import BedStatus

REQUEST_TIMEOUT_NS = 10_000_000_000
"""Time after which a request has failed, ns: a publisher executes no older command."""

NOTE_DURATION_NS = 6_000_000_000
"""How long a failed request is shown, ns."""

_SEEK_TOLERANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Request:
    action: ReplayAction
    requested_ns: int


class ReplayStatus:
    """Status and requests of one bed's replay.

    Attributes
    ----------
    playing_since_ns : int
        Unix time at which the publisher began or resumed playing; no sample was due before.
    """

    def __init__(self) -> None:
        self.playing_since_ns = 0
        self._status: BedStatus | None = None
        self._requests: dict[type[ReplayAction], _Request] = {}
        self._note: Phrase | None = None
        self._note_until_ns = 0

    def process(self, status: BedStatus | None, received_ns: int) -> None:
        """Process the publisher's status; None means that its retained status was removed."""
        before, self._status = self._status, status
        if status is None:
            self._requests.clear()
            return
        if status.state == "playing" and (before is None or before.state != "playing"):
            self.playing_since_ns = received_ns
        for kind, request in tuple(self._requests.items()):
            if _is_done(status, request, received_ns):
                del self._requests[kind]

    def add_request(self, action: ReplayAction, now_ns: int) -> None:
        """Add a request; it replaces a pending one of the same kind."""
        if isinstance(action, ChooseRecord):
            self._requests.pop(Seek, None)  # it applied to the previous record
        self._requests[type(action)] = _Request(action, now_ns)
        self._note_until_ns = 0

    def snapshot(self, now_ns: int, chunk: Waveform | None) -> Replay | None:
        """Return status and pending requests; None if there is no status.

        Parameters
        ----------
        now_ns : int
            Unix time.
        chunk : Waveform or None
            The newest chunk, which gives the position between two statuses.
        """
        status = self._status
        if status is None:
            return None
        for kind, request in tuple(self._requests.items()):
            if abs(now_ns - request.requested_ns) > REQUEST_TIMEOUT_NS:  # also if the clock was set back
                del self._requests[kind]
                self._note = phrase("replay.not_done", actions=action_phrase(request.action))
                self._note_until_ns = now_ns + NOTE_DURATION_NS
        position = status.position
        if chunk is not None and chunk.session == status.session and chunk.seq > (status.last_seq or 0):
            position = chunk.position + chunk.n
        return Replay(
            status=status,
            position_s=position // FS,
            requested=self._requested(),
            note=self._current_note(now_ns),
        )

    def _current_note(self, now_ns: int) -> Phrase | None:
        if self._requests:
            return phrase(
                "replay.requested", actions=tuple(action_phrase(request.action) for request in self._requests.values())
            )
        return self._note if now_ns < self._note_until_ns else None

    def _requested(self) -> Requested:
        actions = {kind: request.action for kind, request in self._requests.items()}
        playing, seek, speed, loop, record = (
            actions.get(kind) for kind in (SetPlaying, Seek, SetSpeed, SetLoop, ChooseRecord)
        )
        return Requested(
            playing=playing.playing if isinstance(playing, SetPlaying) else None,
            position_s=seek.position // FS if isinstance(seek, Seek) else None,
            speed=speed.speed if isinstance(speed, SetSpeed) else None,
            loop=loop.loop if isinstance(loop, SetLoop) else None,
            record=record.record if isinstance(record, ChooseRecord) else None,
            episode=ShowEpisode in actions,
        )


def _is_done(status: BedStatus, request: _Request, now_ns: int) -> bool:
    """Return whether a status shows the effect of a request."""
    match request.action:
        case SetPlaying(playing=playing):
            return status.state == ("playing" if playing else "paused")
        case Seek(position=position):
            # A playing replay may have moved on from the requested position when it is reported.
            elapsed_s = (now_ns - request.requested_ns) / 1e9 + _SEEK_TOLERANCE_S
            return 0 <= status.position - position <= elapsed_s * status.speed * FS
        case SetSpeed(speed=speed):
            return math.isclose(status.speed, speed)
        case SetLoop(loop=loop):
            return status.loop == loop
        case ChooseRecord(record=record):
            return status.record == record
        case ShowEpisode(rhythm=rhythm, record=record):
            shown = status.episode
            return shown is not None and rhythm in (None, shown.rhythm) and record in (None, shown.record)


def action_phrase(action: ReplayAction) -> Phrase:
    """Return the description of an action."""
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
        case ShowEpisode(rhythm=rhythm, record=record):
            return phrase("replay.show", rhythm=reference_rhythm_phrase(rhythm) if rhythm else record or "")


def clock(seconds: int) -> str:
    """Return seconds as ``mm:ss``."""
    return f"{seconds // 60:02}:{seconds % 60:02}"
