"""What the window draws: plain values, made by the presenter, changed by nobody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.amplitude import Range
from monitor.ring import FloatArray

SWEEP_S = 6.0
"""Seconds from the left edge of the sweep to the right."""

GAP_S = 0.4
"""Seconds of darkness ahead of the cursor; the forecast, 0.27 s long, lies in it."""

PRIORITIES = ("high", "medium", "low", "technical")
"""The most urgent first."""


class LinkState(StrEnum):
    """How far the picture can be trusted; the worst that applies."""

    NO_BROKER = "NO BROKER"
    WAITING = "WAITING FOR DATA"
    ENDED = "ENDED"
    NO_DATA = "NO DATA"
    NO_WORKER = "NO WORKER"
    NO_FORECAST = "NO FORECAST"
    LEARNING = "LEARNING"
    LIVE = "LIVE"


STALE = frozenset({LinkState.NO_BROKER, LinkState.WAITING, LinkState.ENDED, LinkState.NO_DATA})
"""In these states the trace dims: what it shows is not now."""


@dataclass(frozen=True, slots=True)
class Link:
    """The connection of a bed.

    Attributes
    ----------
    state : LinkState
    text : str
        For the indicator: ``LIVE 0.1 s``, ``NO DATA 7 s``.
    """

    state: LinkState
    text: str

    @property
    def stale(self) -> bool:
        """True when the trace is not of now."""
        return self.state in STALE


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch in alarm, ``first`` to ``stop - 1``; ``stop`` is None while the alarm lasts."""

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
class Trace:
    """The samples on the sweep.

    Attributes
    ----------
    session : str
    revision : int
        Grows when something already drawn has changed (an alarm's stretch, the amplitude): draw all of it anew.
    leads : tuple of str
    first, cursor : int
        Indices of the first row, and after the last.
    span, gap : int
        Samples across the sweep, and of them dark ahead of the cursor.
    mv, ghost : array of shape (cursor - first, leads)
        Observed, and forecast at least 100 ms before; mV, NaN where unknown.
    score : array of shape (cursor - first,)
    threshold : float or None
    fan : Fan or None
        The latest forecast that was made from drawn samples only.
    stretches : tuple of Stretch
    ranges : tuple of (float, float)
        mV at the lower and upper edge, for each lead.
    """

    session: str
    revision: int
    leads: tuple[str, ...]
    first: int
    cursor: int
    span: int
    gap: int
    mv: FloatArray
    ghost: FloatArray
    score: FloatArray
    threshold: float | None
    fan: Fan | None
    stretches: tuple[Stretch, ...]
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm, for banner and list.

    Attributes
    ----------
    alarm_id, priority, text : str
    clock : str
        Local wall time of the latest event, ``HH:MM:SS``.
    duration_s : float
        Whole seconds while it lasts, so that the line does not change with each frame.
    active : bool
    """

    alarm_id: str
    priority: str
    text: str
    clock: str
    duration_s: float
    active: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """Small numbers for the engineer; None where there is no honest value yet.

    Attributes
    ----------
    score, threshold : float or None
    forecast_mv, persistence_mv : float or None
        Mean absolute error 50 ms ahead, over the last minute.
    gaps, duplicates : int
    """

    score: float | None = None
    threshold: float | None = None
    forecast_mv: float | None = None
    persistence_mv: float | None = None
    gaps: int = 0
    duplicates: int = 0

    @property
    def skill(self) -> float | None:
        """1 − error / error of persistence: 0 is no better than "it stays as it is", 1 is perfect."""
        if self.forecast_mv is None or not self.persistence_mv:
            return None
        return 1 - self.forecast_mv / self.persistence_mv


@dataclass(frozen=True, slots=True)
class BedTab:
    """One bed in the bar of beds; ``priority`` is of its most urgent alarm."""

    name: str
    state: LinkState
    priority: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything the window shows at one moment.

    Attributes
    ----------
    now_ns : int
        Unix time of the frame.
    bed : str or None
        The bed shown; None while no bed is known.
    beds : tuple of BedTab
    record : str
    position_s : int
        Where the cursor lies in the recording, in seconds.
    synthetic : bool
    speed : float
    link : Link
    trace : Trace or None
    numbers : Numbers
    notices : tuple of str
        Technical messages: what does not work, in words.
    worker : bool
        False when nobody raises or clears alarms: those shown are the last known.
    active, history : tuple of AlarmLine
        The alarms that last, the most urgent first; all alarms seen, the latest first.
    broker : str
        The state of the connection to the broker, in words.
    """

    now_ns: int
    bed: str | None
    beds: tuple[BedTab, ...]
    record: str
    position_s: int
    synthetic: bool
    speed: float
    link: Link
    trace: Trace | None
    numbers: Numbers
    notices: tuple[str, ...]
    worker: bool
    active: tuple[AlarmLine, ...]
    history: tuple[AlarmLine, ...]
    broker: str
