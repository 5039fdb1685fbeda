"""The commands to a publisher; part of a `stream.wire.alarm_messages.Command`. All values are absolute."""

from __future__ import annotations

from typing import Annotated

import msgspec

from stream.wire.messages import MAX_NUMERICS_SPEED, MIN_SPEED, Index, Text


class SetPlaying(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_playing"):
    """Play or pause; continuity is kept."""

    playing: bool


class Seek(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="seek"):
    """Continue at another position of the record, in samples at 360 Hz; starts a new epoch."""

    position: Index


class SetSpeed(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_speed"):
    """Set the replay speed; 1 is real time. A record with ECG has at most 1000."""

    speed: Annotated[float, msgspec.Meta(ge=MIN_SPEED, le=MAX_NUMERICS_SPEED)]


class SetLoop(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_loop"):
    """Set whether the replay restarts or ends at the end of the record."""

    loop: bool


class ChooseRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="choose_record"):
    """Replay another record from its first sample, one of those in the publisher's status; starts a new epoch."""

    record: Text


ReplayAction = SetPlaying | Seek | SetSpeed | SetLoop | ChooseRecord
