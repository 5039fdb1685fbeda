"""Frozen trace, and navigation in it. No Qt.

A frozen trace is a copy: neither new samples nor dropped ones change it. At first it is the sweep as it was; once it is
moved, time runs from the left edge to the right, as on paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import GAIN_STEPS, Range, adapt_range, is_clipped, move_range
from monitor.view.bed import Bed
from monitor.view.trace import Trace, View
from stream.timebase import FS
from stream.wire.alarm_texts import Phrase, phrase


@dataclass(frozen=True, slots=True)
class FrozenTrace:
    """A frozen trace.

    Attributes
    ----------
    bed : str
    at_ns : int
        Unix time of freezing, ns.
    anchor : int
        The sample after the last one drawn at that time.
    view : View
    trace : Trace
    note : Phrase or None
        Reason why it cannot be moved; None while it can.
    """

    bed: str
    at_ns: int
    anchor: int
    view: View
    trace: Trace
    note: Phrase | None = None

    @property
    def clock(self) -> str:
        """Local time of freezing, ``HH:MM:SS``."""
        return f"{datetime.fromtimestamp(self.at_ns / 1e9):%H:%M:%S}"

    @property
    def position(self) -> str:
        """Signal time from freezing to the newest sample shown, such as ``−3:25``; empty if zero."""
        seconds = round((self.trace.cursor - self.anchor) / FS)
        sign = "−" if seconds < 0 else "+"
        return f"{sign}{abs(seconds) // 60}:{abs(seconds) % 60:02}" if seconds else ""


def freeze(bed: str, trace: Trace, now_ns: int, view: View) -> FrozenTrace:
    """Return the frozen sweep; ``now_ns`` is Unix time."""
    return FrozenTrace(bed, now_ns, trace.cursor, view, trace)


def scroll(frozen: FrozenTrace, bed: Bed, half_sweeps: int) -> FrozenTrace:
    """Return the trace moved by a number of half sweeps; negative numbers move to earlier samples."""
    return move(frozen, bed, frozen.trace.cursor + half_sweeps * frozen.view.span // 2)


def oldest(frozen: FrozenTrace, bed: Bed) -> FrozenTrace:
    """Return the trace moved to the oldest stored samples."""
    return move(frozen, bed, 0)


def newest(frozen: FrozenTrace, bed: Bed) -> FrozenTrace:
    """Return the trace moved to the newest samples, including those received since freezing."""
    return move(frozen, bed, bed.drawn_end)


def fit_view(frozen: FrozenTrace, bed: Bed, view: View) -> FrozenTrace:
    """Return the trace in another view, at the same time."""
    return frozen if view == frozen.view else move(replace(frozen, view=view), bed, frozen.trace.cursor)


def move(frozen: FrozenTrace, bed: Bed, cursor: int) -> FrozenTrace:
    """Return the trace moved so that it ends at a sample, within the stored samples.

    Samples that were drawn and have been dropped since stay visible until the trace is moved.
    """
    view, now, leads, rows = frozen.view, bed.waveform, frozen.trace.leads, frozen.trace.rows
    if now is None or now.session != frozen.trace.session or _named(now.leads, rows) != leads:
        return replace(frozen, note=phrase("frozen.new_session"))
    first, stop = bed.kept[0], bed.drawn_end
    cursor = max(min(cursor, stop), min(first + view.span, stop))
    start = max(cursor - view.span, first)
    mv, predicted, score = bed.samples(start, cursor)
    mv = mv[:, rows]
    trace = Trace(
        session=now.session,
        revision=frozen.trace.revision + 1,
        leads=leads,
        rows=rows,
        first=start,
        cursor=cursor,
        span=view.span,
        gap=0,
        mv=mv,
        predicted=predicted,
        score=score,
        threshold=bed.threshold,
        fan=None,
        alarm_spans=bed.alarms.alarm_spans(now.session, start, cursor),
        ranges=tuple(_range(before, mv[:, lead], view, len(leads)) for lead, before in enumerate(frozen.trace.ranges)),
        origin=cursor - view.span,
        annotated=bed.annotations.annotated,
        annotations=bed.annotations.between(start, cursor) if bed.annotations.annotated else (),
        waves=bed.waves.traces(start, cursor, view.waves, {wave.signal: wave.range for wave in frozen.trace.waves}),
        wave_spans=bed.alarms.wave_spans(now.session, start, cursor),
    )
    return replace(frozen, trace=trace, note=None)


def _named(leads: tuple[str, ...], rows: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(leads[row] for row in rows if row < len(leads))


def _range(before: Range, mv: FloatArray, view: View, leads: int) -> Range:
    """Return the lane's range, unchanged where the samples allow, so that traces remain comparable."""
    height_mm = view.lane_mm(leads)
    if view.gain is not None:
        return move_range(before, mv, height_mm / view.gain, at_wrap=False) or before
    gain = height_mm / (before[1] - before[0])
    of_this_view = min(abs(gain - step) for step in GAIN_STEPS) < 1e-6
    return before if of_this_view and not is_clipped(before, mv) else adapt_range(None, mv, height_mm) or before
