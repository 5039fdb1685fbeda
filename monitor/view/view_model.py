"""View model: everything the window shows at one time, as received messages and frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.view.bed_numerics import Readings
from monitor.view.chart import Chart, HoursAhead
from monitor.view.link import Link, LinkState
from monitor.view.st_levels import StLevel
from monitor.view.trace import Trace
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm, Limits
from stream.wire.alarm_texts import Phrase
from stream.wire.messages import Forecast, Vitals, Waveform
from stream.wire.score_message import Score
from stream.wire.status_messages import BedStatus


@dataclass(frozen=True, slots=True)
class AdvisoryCount:
    """The values of the entry that counts advisories.

    Attributes
    ----------
    recent : int
        Advisories in the last minute that are not acknowledged.
    count : int
        All that are not acknowledged.
    since, last : str
        Local times, ``HH:MM:SS``, of the first of these and of the latest advisory.
    """

    recent: int
    count: int
    since: str
    last: str


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in banner and list: the message, and values that depend on the time and on the worker's list.

    Attributes
    ----------
    alarm : Alarm
        The latest event of the alarm, as received; in the entry that counts advisories, that of the latest one.
    clock : str
        Local time of the event, ``HH:MM:SS``.
    duration_s : float
        Up to now while the alarm is active, in whole seconds, so that the line does not change with each frame.
    active : bool
        True when the alarm is active or latched; for advisories, when there was one in the last minute.
    advisories : AdvisoryCount or None
        Only in the entry that counts advisories.
    """

    alarm: Alarm
    clock: str
    duration_s: float
    active: bool
    advisories: AdvisoryCount | None = None

    @property
    def key(self) -> str:
        """Identifies the line while its values change."""
        return self.alarm.alarm_id if self.advisories is None else self.alarm.kind

    @property
    def latched(self) -> bool:
        """True when the alarm has ended and is not acknowledged."""
        return self.active and self.alarm.latched

    @property
    def unacknowledged(self) -> bool:
        """True while the alarm is active or latched and not acknowledged, or while advisories are counted."""
        if self.advisories is not None:
            return self.advisories.count > 0
        return self.active and self.alarm.acknowledged_by is None


@dataclass(frozen=True, slots=True)
class Patient:
    """Current vital signs of the worker, with heartbeat and limits.

    Attributes
    ----------
    vitals : Vitals or None
        As received; None if they are outdated or the worker is offline.
    beating : bool
        True for 0.1 s after the cursor has passed a detected QRS complex.
    limits : Limits or None
    """

    vitals: Vitals | None = None
    beating: bool = False
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Pauses:
    """Remaining pause of the tone and of all alarms, in s; 0 when not paused."""

    audio_s: int = 0
    alarms_s: int = 0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrival statistics of a bed's messages.

    Attributes
    ----------
    jitter_ms : float or None
        From the fastest to the slowest arrival of the last one to two minutes; None before the first.
    gaps, duplicates : int
    """

    jitter_ms: float | None = None
    gaps: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Requested:
    """Pending requests to a publisher, which its status does not show yet; None where there is none."""

    playing: bool | None = None
    position_s: int | None = None
    speed: float | None = None
    loop: bool | None = None
    record: str | None = None
    episode: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """Replay of a bed: the publisher's status and the pending requests.

    Attributes
    ----------
    status : BedStatus
        As received.
    position_s : int
        Whole seconds into the record; newer than the status if samples have arrived since.
    requested : Requested
    note : Phrase or None
        Describes pending or failed requests.
    """

    status: BedStatus
    position_s: int
    requested: Requested = Requested()
    note: Phrase | None = None

    @property
    def duration_s(self) -> int:
        """Length of the record in whole seconds; 0 if unknown."""
        return self.status.duration // FS


@dataclass(frozen=True, slots=True)
class BedTab:
    """One bed in the bar of beds; ``priority`` is that of its most urgent alarm."""

    name: str
    state: LinkState
    priority: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything the window shows at one time.

    Attributes
    ----------
    now_ns : int
        Unix time of the frame.
    bed : str or None
        The bed shown; None while no bed is known.
    beds : tuple of BedTab
    waveform : Waveform or None
        The newest chunk; it contains record, speed, and whether the signal is synthetic.
    position_s : int
        Position of the cursor in the recording, s.
    link : Link
    trace : Trace or None
    patient : Patient
    forecast : Forecast or None
        The latest forecast of this session.
    arrivals : Arrivals
    pauses : Pauses
    notices : tuple of Phrase
        Technical messages.
    worker : bool
        False when no worker raises or clears alarms; those shown are the last known.
    active, history : tuple of AlarmLine
        Active and latched alarms, by urgency; all alarms received, the latest first. The entry that counts advisories
        is the first of ``history``, and not in ``active``: it has neither tone nor banner.
    listed : bool
        False while the worker's list of alarms has not been received: that none is shown means nothing then.
    broker : Phrase
        The state of the connection to the broker.
    replay : Replay or None
        None while no publisher of this bed is online.
    st_levels : tuple of StLevel
        Of the leads that the worker analyses; empty without a worker.
    readings : dict of str to Reading
        Numbers other than heart rate; empty while the bed sends no data.
    chart : Chart or None
        Of a bed without ECG, which has none of ``waveform``, ``trace`` and ``readings``.
    hours : HoursAhead or None
        The outlook on the next hours of a bed with ECG or without.
    score : Score or None
        The live score of this session, if somebody scores it.
    """

    now_ns: int
    bed: str | None
    beds: tuple[BedTab, ...]
    waveform: Waveform | None
    position_s: int
    link: Link
    trace: Trace | None
    patient: Patient
    forecast: Forecast | None
    arrivals: Arrivals
    pauses: Pauses
    notices: tuple[Phrase, ...]
    worker: bool
    active: tuple[AlarmLine, ...]
    history: tuple[AlarmLine, ...]
    broker: Phrase
    listed: bool = False
    replay: Replay | None = None
    readings: Readings = field(default_factory=dict)
    st_levels: tuple[StLevel, ...] = ()
    chart: Chart | None = None
    hours: HoursAhead | None = None
    score: Score | None = None

    @property
    def unacknowledged(self) -> tuple[AlarmLine, ...]:
        """The lines that an acknowledgement concerns."""
        return tuple(line for line in self.history if line.unacknowledged)

    @property
    def synthetic(self) -> bool:
        """True when the signal is synthetic."""
        source = self.waveform if self.chart is None else self.chart.numerics
        return source is not None and source.synthetic
