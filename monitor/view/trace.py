"""What a sweep draws: samples, forecast, alarms and annotations, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import Range
from stream.timebase import FS

SPEEDS = (12.5, 25.0, 50.0)
"""Paper speeds, mm/s."""

GAINS = (5.0, 10.0, 20.0)
"""Amplitudes, mm/mV."""

GAP_S = 0.4
"""Seconds of darkness ahead of the cursor; the forecast, 0.27 s long, lies in it."""


@dataclass(frozen=True, slots=True)
class View:
    """How much of a signal fits on the sweep.

    Attributes
    ----------
    span : int
        Samples from the left edge to the right.
    tall_mv : tuple of (float, float) or None
        mV from the lower edge of a lane to the upper: with one lead, and with two. None fits each lane to its signal.
    most_leads : int
        Where height is scarce, the first lead alone can be read.
    """

    span: int = 6 * FS
    tall_mv: tuple[float, float] | None = None
    most_leads: int = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a sweep has on the screen already; whoever knows it need not hand it over again.

    Attributes
    ----------
    session : str
    revision, span, leads : int
    cursor : int
        The sample after the last one drawn.
    """

    session: str
    revision: int
    span: int
    leads: int
    cursor: int


@dataclass(frozen=True, slots=True)
class AlarmSpan:
    """An interval in alarm, ``first`` to ``stop - 1``; ``stop`` is None while the alarm lasts."""

    first: int
    stop: int | None
    priority: str


@dataclass(frozen=True, slots=True)
class Fan:
    """A forecast from sample ``first`` on: mean and 90 % band, arrays of shape (horizon, leads), mV."""

    first: int
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class AnnotationLabel:
    """Some letters over a sample.

    Attributes
    ----------
    number : int
        Counts the annotations of a session as they came.
    index : int
    text : str
    row : str
        ``rhythm``, ``reference`` or ``detected``.
    """

    number: int
    index: int
    text: str
    row: Literal["rhythm", "reference", "detected"]


@dataclass(frozen=True, slots=True)
class Trace:
    """The samples on the sweep.

    Attributes
    ----------
    session : str
    revision : int
        Grows when something already drawn has changed (an alarm span, the amplitude): draw all of it anew.
    leads : tuple of str
    first, cursor : int
        Indices of the first row, and after the last.
    span, gap : int
        Samples across the sweep, and of them dark ahead of the cursor.
    mv, predicted : array of shape (cursor - first, leads)
        Observed, and forecast at least 100 ms before; mV, NaN where unknown.
    score : array of shape (cursor - first,)
    threshold : float or None
    fan : Fan or None
        The latest forecast that was made from drawn samples only.
    alarm_spans : tuple of AlarmSpan
    ranges : tuple of (float, float)
        mV at the lower and upper edge, for each lead.
    origin : int
        The sample at the left edge; so is each that lies whole spans from it.
    annotated : bool
        There is a reference: annotations have rows of their own above the trace.
    annotations : tuple of AnnotationLabel
        The latest, as they came: also some that lie ahead of the cursor, or before `first`.
    whole : bool
        False where only the rows are here that a sweep has not drawn yet, and the one before them.
    """

    session: str
    revision: int
    leads: tuple[str, ...]
    first: int
    cursor: int
    span: int
    gap: int
    mv: FloatArray
    predicted: FloatArray
    score: FloatArray
    threshold: float | None
    fan: Fan | None
    alarm_spans: tuple[AlarmSpan, ...]
    ranges: tuple[Range, ...]
    origin: int = 0
    annotated: bool = False
    annotations: tuple[AnnotationLabel, ...] = ()
    whole: bool = True
