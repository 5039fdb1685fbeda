"""Data of a drawn trace: samples, forecast, alarm spans and annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import Range
from stream.timebase import FS
from stream.wire.wave_message import Signal, Unit

SPEEDS = (12.5, 25.0, 50.0)
"""Paper speeds, mm/s."""

GAINS = (5.0, 10.0, 20.0)
"""Amplitudes, mm/mV."""

FORECAST_GAP, GAP = round(1.1 * FS), round(0.4 * FS)
"""Width of the erased gap ahead of the cursor, in samples: with a forecast of one second in it, and without."""

GAP_MARGIN = round(0.1 * FS)
"""Samples at the end of the gap in which no forecast is drawn: it must not touch the previous sweep."""


@dataclass(frozen=True, slots=True)
class View:
    """Amount of signal that fits on a sweep.

    Attributes
    ----------
    span : int
        Samples from the left edge to the right.
    height_mm, padding_mm : float
        Height of the sweep, and in each lane the space that remains free.
    gain : float or None
        mm/mV; None fits each lane to its signal.
    max_leads : int
        Largest number of leads: fewer where the height is too small.
    leads : tuple of str
        Names of the leads that are shown, from top to bottom, of those that a bed has; if it has none of them, or there
        are none, its first ones.
    forecast : bool
        Whether the forecast is drawn.
    gap : int
        Samples in the erased gap ahead of the cursor; the forecast is drawn up to `GAP_MARGIN` before its end.
    waves : tuple of str
        The waves other than ECG that are shown, from top to bottom, of those that a bed has.
    """

    span: int = 6 * FS
    height_mm: float = 100.0
    padding_mm: float = 4.0
    gain: float | None = None
    max_leads: int = 2
    gap: int = FORECAST_GAP
    waves: tuple[Signal, ...] = ()
    leads: tuple[str, ...] = ()
    forecast: bool = True

    def rows(self, leads: tuple[str, ...]) -> tuple[int, ...]:
        """Return which leads of a signal are shown, from top to bottom."""
        known = [name.casefold() for name in leads] if self.leads else []
        named = [known.index(name.casefold()) for name in self.leads if name.casefold() in known]
        return tuple((named or list(range(len(leads))))[: self.max_leads])

    def lane_mm(self, leads: int) -> float:
        """Return the height of a lane in mm; ``leads`` is the number of leads of the signal, or of those shown."""
        return max(self.height_mm / max(min(leads, self.max_leads), 1) - self.padding_mm, 1.0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a sweep has already drawn: a `Trace` for it needs only the samples after that.

    Attributes
    ----------
    session : str
    revision, span : int
    rows : tuple of int
    cursor : int
        The sample after the last one drawn.
    """

    session: str
    revision: int
    span: int
    rows: tuple[int, ...]
    cursor: int


@dataclass(frozen=True, slots=True)
class AlarmSpan:
    """Samples of an alarm, ``first`` to ``stop - 1``; ``stop`` is None while the alarm is active."""

    first: int
    stop: int | None
    priority: str


@dataclass(frozen=True, slots=True)
class Fan:
    """Fan chart of a forecast.

    Attributes
    ----------
    first : int
        The last observed sample, where the interval has no width unless that sample is invalid.
    mean, low, high : array of shape (samples, analysed leads)
        Mean and 90 % interval of each sample from ``first`` on, mV; NaN for a lead without any recent sample.
    """

    first: int
    mean: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def stop(self) -> int:
        """The sample after the last."""
        return self.first + len(self.mean)


@dataclass(frozen=True, slots=True)
class WaveTrace:
    """Samples of a wave other than ECG, at its own sampling rate.

    Attributes
    ----------
    signal, unit : str
    times : array of shape (n,), float64
        In samples at 360 Hz, on the scale of the session.
    values : array of shape (n,)
        In the wave's unit, NaN where unknown.
    range : tuple of (float, float)
        Values at the lower and upper edge of its lane.
    off : bool
        True when the last seconds before the cursor have no valid sample.
    """

    signal: Signal
    unit: Unit
    times: npt.NDArray[np.float64]
    values: FloatArray
    range: Range
    off: bool


@dataclass(frozen=True, slots=True)
class AnnotationLabel:
    """Annotation text above a sample.

    Attributes
    ----------
    number : int
        Running number within the session, in order of arrival.
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
    """Samples on a sweep, and what is drawn with them.

    Attributes
    ----------
    session : str
    revision : int
        Increases when something already drawn has changed (an alarm span, the amplitude range).
    leads : tuple of str
        Those shown.
    rows : tuple of int
        Their places among all leads of the bed: of those that `predicted` and `fan` have, and no others, there is a
        forecast.
    first, cursor : int
        Sample index of the first row, and after the last.
    span, gap : int
        Samples across the sweep, and of these in the erased gap ahead of the cursor.
    mv : array of shape (cursor - first, leads)
        Observed samples, mV, NaN where unknown.
    predicted : array of shape (cursor - first, analysed leads)
        Samples predicted at least 100 ms ahead, mV, NaN where unknown.
    score : array of shape (cursor - first,)
    threshold : float or None
    fan : Fan or None
        The latest forecast whose origin has been drawn, of the analysed leads; the same object until the next one.
    alarm_spans : tuple of AlarmSpan
    ranges : tuple of (float, float)
        mV at the lower and upper edge, for each lead.
    origin : int
        A sample at the left edge; all others there differ from it by multiples of `span`.
    annotated : bool
        True when there are reference annotations; annotations are then shown in rows above the trace.
    annotations : tuple of AnnotationLabel
        The latest in order of arrival, including some ahead of the cursor or before `first`.
    whole : bool
        False when only the rows not drawn yet, and the one before them, are included.
    waves : tuple of WaveTrace
        Those waves of `View.waves` that the bed has, in that order.
    wave_spans : dict of str to tuple of AlarmSpan
        Samples of alarms that concern one of these waves.
    """

    session: str
    revision: int
    leads: tuple[str, ...]
    rows: tuple[int, ...]
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
    waves: tuple[WaveTrace, ...] = ()
    wave_spans: Mapping[Signal, tuple[AlarmSpan, ...]] = field(default_factory=dict)
