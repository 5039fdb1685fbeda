"""What the window draws: plain values, made by the presenter, changed by nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import Range
from monitor.view.link import Link, LinkState
from stream.timebase import FS
from stream.wire.messages import Offer
from stream.wire.phrases import Phrase

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
class Mark:
    """Some letters over a sample.

    Attributes
    ----------
    number : int
        Counts the marks of a session as they came.
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
    origin : int
        The sample at the left edge; so is each that lies whole spans from it.
    annotated : bool
        There is a reference: marks have rows of their own above the trace.
    marks : tuple of Mark
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
    ghost: FloatArray
    score: FloatArray
    threshold: float | None
    fan: Fan | None
    stretches: tuple[Stretch, ...]
    ranges: tuple[Range, ...]
    origin: int = 0
    annotated: bool = False
    marks: tuple[Mark, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm, for banner and list.

    Attributes
    ----------
    alarm_id, kind, priority : str
    phrase : Phrase
        What happened.
    clock : str
        Local wall time of the latest event, ``HH:MM:SS``.
    duration_s : float
        Whole seconds while it lasts, so that the line does not change with each frame.
    active : bool
        It lasts, or is latched.
    latched : bool
        It is over, and nobody has acknowledged it.
    acknowledged_by : str or None
    repeats : int
        How often one of its kind was raised before, unacknowledged.
    onset, end : int or None
        Samples of its session; None for one of another session.
    """

    alarm_id: str
    kind: str
    priority: str
    phrase: Phrase
    clock: str
    duration_s: float
    active: bool
    latched: bool = False
    acknowledged_by: str | None = None
    repeats: int = 0
    onset: int | None = None
    end: int | None = None

    @property
    def calls(self) -> bool:
        """True while somebody ought to come: it is active, and nobody has acknowledged it."""
        return self.active and self.acknowledged_by is None


@dataclass(frozen=True, slots=True)
class Patient:
    """What the worker says of the patient; None where there is no honest value.

    Attributes
    ----------
    heart_rate, pvc_per_min : int or None
        1/min.
    rhythm : str
        Empty while it is not known.
    quality : float or None
        Of the signal, 0 to 1.
    beating : bool
        True for a tenth of a second after the cursor has passed a detected QRS.
    low, high : int or None
        Limits of the heart rate.
    broken : str or None
        ``low`` or ``high``: the limit that an alarm says is broken.
    """

    heart_rate: int | None = None
    pvc_per_min: int | None = None
    rhythm: str = ""
    quality: float | None = None
    beating: bool = False
    low: int | None = None
    high: int | None = None
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds until the tone, and until all alarms, come back; 0 where they are not paused."""

    audio_s: int = 0
    alarms_s: int = 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """Small numbers for the engineer; None where there is no honest value yet.

    Attributes
    ----------
    score, threshold : float or None
    forecast_mv, persistence_mv : float or None
        Mean absolute error 50 ms ahead, over the last minute.
    jitter_ms : float or None
        Between the fastest and the slowest arrival of the last minute or two.
    gaps, duplicates : int
    """

    score: float | None = None
    threshold: float | None = None
    forecast_mv: float | None = None
    persistence_mv: float | None = None
    jitter_ms: float | None = None
    gaps: int = 0
    duplicates: int = 0

    @property
    def skill(self) -> float | None:
        """1 − error / error of persistence: 0 is no better than "it stays as it is", 1 is perfect."""
        if self.forecast_mv is None or not self.persistence_mv:
            return None
        return 1 - self.forecast_mv / self.persistence_mv


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a publisher and does not show in its status yet; None where nothing was."""

    playing: bool | None = None
    position_s: int | None = None
    speed: float | None = None
    loop: bool | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """How a bed is replayed, as its publisher says.

    Attributes
    ----------
    state : str
        ``playing``, ``paused`` or ``ended``.
    record : str
    position_s, duration_s : int
        Whole seconds into the record, and of all of it; 0 where its length is not known.
    speed : float
    loop : bool
    records : tuple of Offer
        What can be chosen.
    asked : Asked
    note : Phrase or None
        What was requested and is not done yet, or was not done; None where there is nothing to say.
    """

    state: str
    record: str
    position_s: int
    duration_s: int
    speed: float
    loop: bool
    records: tuple[Offer, ...]
    asked: Asked = Asked()
    note: Phrase | None = None


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
    patient : Patient
    numbers : Numbers
    pauses : Pauses
    notices : tuple of Phrase
        Technical messages: what does not work.
    worker : bool
        False when nobody raises or clears alarms: those shown are the last known.
    active, history : tuple of AlarmLine
        The alarms that last or are latched, the most urgent first; all alarms seen, the latest first.
    broker : Phrase
        The state of the connection to the broker.
    replay : Replay or None
        None while no publisher of this bed can be reached.
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
    patient: Patient
    numbers: Numbers
    pauses: Pauses
    notices: tuple[Phrase, ...]
    worker: bool
    active: tuple[AlarmLine, ...]
    history: tuple[AlarmLine, ...]
    broker: Phrase
    replay: Replay | None = None
