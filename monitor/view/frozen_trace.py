"""A trace that stands still, and how people go back and forth in it. No Qt.

What stands is a copy: the samples that come meanwhile, and those that are forgotten, do not change it. At first it is
the sweep as it was; once somebody moves in it, it is paper: time runs from the left edge to the right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import Range, adapt, place
from monitor.view.bed import Bed
from monitor.view.view_model import Trace, View
from stream.timebase import FS
from stream.wire.phrases import Phrase, phrase


@dataclass(frozen=True, slots=True)
class Frozen:
    """A standing trace.

    Attributes
    ----------
    bed : str
    at_ns : int
        Unix time of the moment at which it was frozen.
    anchor : int
        The sample after the last one drawn at that moment.
    view : View
    trace : Trace
    note : Phrase or None
        Why it cannot be moved; None while it can.
    """

    bed: str
    at_ns: int
    anchor: int
    view: View
    trace: Trace
    note: Phrase | None = None

    @property
    def clock(self) -> str:
        """Local time of the moment at which it was frozen."""
        return f"{datetime.fromtimestamp(self.at_ns / 1e9):%H:%M:%S}"

    @property
    def position(self) -> str:
        """How far the newest sample shown lies from that moment, in time of the signal: ``−3:25``; empty for none."""
        seconds = round((self.trace.cursor - self.anchor) / FS)
        sign = "−" if seconds < 0 else "+"
        return f"{sign}{abs(seconds) // 60}:{abs(seconds) % 60:02}" if seconds else ""


def freeze(bed: str, trace: Trace, now_ns: int, view: View) -> Frozen:
    """Return the sweep as it stands at this moment, Unix time in ns."""
    return Frozen(bed, now_ns, trace.cursor, view, trace)


def scroll(frozen: Frozen, bed: Bed, half_sweeps: int) -> Frozen:
    """Return what stands so many half sweeps later; earlier for negative numbers."""
    return move(frozen, bed, frozen.trace.cursor + half_sweeps * frozen.view.span // 2)


def oldest(frozen: Frozen, bed: Bed) -> Frozen:
    """Return the oldest samples that are kept."""
    return move(frozen, bed, 0)


def newest(frozen: Frozen, bed: Bed) -> Frozen:
    """Return the newest samples: those that came meanwhile, too."""
    return move(frozen, bed, bed.drawn)


def fit_view(frozen: Frozen, bed: Bed, view: View) -> Frozen:
    """Return the same moment in another scale."""
    return frozen if view == frozen.view else move(replace(frozen, view=view), bed, frozen.trace.cursor)


def move(frozen: Frozen, bed: Bed, cursor: int) -> Frozen:
    """Return what lay on one sweep of paper before a sample, as far as samples are kept.

    A stretch that was drawn once and is forgotten by now stays on the screen until somebody moves.
    """
    view, now = frozen.view, bed.waveform
    if now is None or now.session != frozen.trace.session or now.leads != frozen.trace.leads:
        return replace(frozen, note=phrase("frozen.new_session"))
    first, stop = bed.kept[0], bed.drawn
    cursor = max(min(cursor, stop), min(first + view.span, stop))
    begin = max(cursor - view.span, first)
    mv, ghost, score = bed.samples(begin, cursor)
    trace = Trace(
        session=now.session,
        revision=frozen.trace.revision + 1,
        leads=now.leads,
        first=begin,
        cursor=cursor,
        span=view.span,
        gap=0,
        mv=mv,
        ghost=ghost,
        score=score,
        threshold=bed.threshold,
        fan=None,
        stretches=bed.alarms.stretches(now.session, begin, cursor),
        ranges=tuple(
            _range(before, mv[:, lead], view, len(now.leads)) for lead, before in enumerate(frozen.trace.ranges)
        ),
        origin=cursor - view.span,
        annotated=bed.marks.annotated,
        marks=bed.marks.between(begin, cursor) if bed.marks.annotated else (),
    )
    return replace(frozen, trace=trace, note=None)


def _range(before: Range, mv: FloatArray, view: View, leads: int) -> Range:
    """Return the lane's range, the same as before where the samples allow: a picture that jumps cannot be compared."""
    if view.tall_mv is None:
        return adapt(before, mv, at_wrap=False) or before
    return place(before, mv, view.tall_mv[leads - 1], at_wrap=False) or before
