"""What people can ask of a publisher; part of a `stream.wire.alarm_messages.Command`. All values are absolute."""

from __future__ import annotations

from typing import Annotated

import msgspec

from stream.wire.messages import MAX_SPEED, MIN_SPEED, Index, Text


class SetPlaying(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_playing"):
    """Play or pause; a pause is no break of continuity."""

    playing: bool


class Seek(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="seek"):
    """Go on from another place of the record, in samples at 360 Hz; a new epoch."""

    position: Index


class SetSpeed(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_speed"):
    """Replay at another speed; 1 is real time."""

    speed: Annotated[float, msgspec.Meta(ge=MIN_SPEED, le=MAX_SPEED)]


class SetLoop(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_loop"):
    """At the record's end, start again or end."""

    loop: bool


class ChooseRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="choose_record"):
    """Replay another record from its begin, one of those that the publisher's status offers; a new epoch."""

    record: Text


ReplayAction = SetPlaying | Seek | SetSpeed | SetLoop | ChooseRecord
