"""A visit to an episode: where it begins in its record, and where the replay goes afterwards. Pure.

The replay enters `LEAD_IN_S` before the episode and passes this at `LEAD_IN_SPEED`, in a fifth of a second: the worker,
which begins to learn a patient with each epoch, knows the normal beats of this one when the rhythm begins, and monitors
show the rhythm within a second. Back in the record that was left, the seconds before the place are passed in the same
way. A visit that returns shows `AFTER_S` more after the end of the episode, so that an alarm of its last beats is
raised, and the end of the rhythm is seen.
"""

from __future__ import annotations

import msgspec

from stream.errors import UsageError
from stream.records.episodes import LEAD_IN_S, Episode
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.status_messages import ShownEpisode

LEAD_IN = round(LEAD_IN_S * FS)

LEAD_IN_SPEED = 100.0
"""Multiple of the speed of the replay."""

LEAD_IN_CHUNK = FS
"""Samples per message within a lead-in: few messages, each of a second."""

AFTER_S = 5.0


class Visit(msgspec.Struct, frozen=True):
    """An episode that is shown.

    Attributes
    ----------
    episode : Episode
    first, end : int
        Its samples in the record, the end exclusive.
    back : Record or None
        Where the replay returns; None if it goes on.
    position : int
        Sample of `back`.
    """

    episode: Episode
    first: int
    end: int
    back: Record | None
    position: int

    @property
    def begins(self) -> int:
        """The first sample that is replayed."""
        return max(self.first - LEAD_IN, 0)

    @property
    def shown(self) -> ShownEpisode:
        """The episode as the status of its bed contains it."""
        episode = self.episode
        return ShownEpisode(
            rhythm=episode.rhythm,
            record=episode.record,
            start_s=episode.start_s,
            end_s=episode.end_s,
            returns=self.back is not None,
        )

    def stop(self, n: int) -> int:
        """Return the sample at which the visit ends, in a record of ``n``."""
        return self.end if self.back is None else min(self.end + round(AFTER_S * FS), n)


def visit(episode: Episode, record: Record, back: Record | None, position: int) -> Visit:
    """Return a visit to an episode of a record.

    Raises
    ------
    UsageError
        The episode lies beyond the end of the record.
    """
    first, end = round(episode.start_s * FS), min(round(episode.end_s * FS), record.n)
    if first >= end:
        raise UsageError(f"no episode at {episode.start_s:g} s: record {record.name} ends at {record.n / FS:.1f} s")
    return Visit(episode, first, end, back, position)
