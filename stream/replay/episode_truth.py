"""Messages of truth about a shown episode, and a teacher's note. Pure."""

from __future__ import annotations

from typing import Literal

from stream.replay.playhead import Playhead
from stream.replay.truths import truth_of
from stream.replay.visit import Visit
from stream.wire.truth_message import Truth


def passed(before: Playhead, n: int, when: str) -> list[Truth]:
    """Return the start and the end of an episode that lie in the next samples.

    Parameters
    ----------
    before : Playhead
        Before these samples.
    n : int
        How many there are.
    when : str
        Wall time.
    """
    shown = before.visit
    if shown is None:
        return []
    stop = before.position + n
    found = [_truth(before, shown, "begin", shown.first, when)] if before.position <= shown.first < stop else []
    if before.position < shown.end <= stop:
        found.append(_truth(before, shown, "end", shown.end, when))
    return found


def left(head: Playhead, when: str) -> list[Truth]:
    """Return the end of an episode that is left before its end; nothing if it has not begun, or is over."""
    shown = head.visit
    if shown is None or not shown.first < head.position < shown.end:
        return []
    return [_truth(head, shown, "end", head.position, when)]


def note(head: Playhead, text: str, when: str) -> Truth:
    """Return a teacher's note at the next sample."""
    return truth_of(
        head,
        head.start,
        when,
        truth_id=f"note-{head.start}",
        what="note",
        phase="at",
        name="note",
        text=text,
    )


def _truth(head: Playhead, shown: Visit, phase: Literal["begin", "end"], position: int, when: str) -> Truth:
    episode, index = shown.episode, head.start + position - head.position
    return truth_of(
        head,
        index,
        when,
        truth_id=f"episode-{head.epoch}",
        what="episode",
        phase=phase,
        name=episode.rhythm,
        values={"start_s": episode.start_s, "end_s": episode.end_s},
        text=f"{episode.rhythm}, {episode.record}, {episode.start_s:g} to {episode.end_s:g} s",
    )
