"""What the window shows at one moment: received messages, and small frozen values beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.view.link import Link, LinkState
from monitor.view.trace import Trace
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm, Limits
from stream.wire.messages import BedStatus, Forecast, Vitals, Waveform
from stream.wire.phrases import Phrase


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm for banner and list: the message, and what depends on the moment and on the worker's list.

    Attributes
    ----------
    alarm : Alarm
        Its latest event, as received.
    clock : str
        Local wall time of the event, ``HH:MM:SS``.
    duration_s : float
        Until now while it lasts, in whole seconds, so that the line does not change with each frame.
    active : bool
        It lasts, or is latched.
    """

    alarm: Alarm
    clock: str
    duration_s: float
    active: bool

    @property
    def latched(self) -> bool:
        """True when it is over, and nobody has acknowledged it."""
        return self.active and self.alarm.latched

    @property
    def calls(self) -> bool:
        """True while somebody ought to come: it is active, and nobody has acknowledged it."""
        return self.active and self.alarm.acknowledged_by is None


HeartRateLimit = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Patient:
    """The worker's vital signs while they are of now, and what the sweep and the alarms add to them.

    Attributes
    ----------
    vitals : Vitals or None
        As received; None where the last are too old, or the worker is gone.
    beating : bool
        True for a tenth of a second after the cursor has passed a detected QRS.
    limits : Limits or None
    broken : str or None
        The limit of the heart rate, ``low`` or ``high``, that an alarm reports as broken.
    """

    vitals: Vitals | None = None
    beating: bool = False
    limits: Limits | None = None
    broken: HeartRateLimit | None = None


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds until the tone, and until all alarms, come back; 0 where they are not paused."""

    audio_s: int = 0
    alarms_s: int = 0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How the messages of a bed arrive.

    Attributes
    ----------
    jitter_ms : float or None
        Between the fastest and the slowest arrival of the last minute or two; None before the first.
    gaps, duplicates : int
    """

    jitter_ms: float | None = None
    gaps: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Requested:
    """What was requested of a publisher and its status does not show yet; None where nothing was."""

    playing: bool | None = None
    position_s: int | None = None
    speed: float | None = None
    loop: bool | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """How a bed is replayed: the publisher's status, and what was requested.

    Attributes
    ----------
    status : BedStatus
        As received.
    position_s : int
        Whole seconds into the record; newer than the status where samples have arrived since.
    requested : Requested
    note : Phrase or None
        What was requested and is not done yet, or was not done; None where there is nothing to say.
    """

    status: BedStatus
    position_s: int
    requested: Requested = Requested()
    note: Phrase | None = None

    @property
    def duration_s(self) -> int:
        """Whole seconds of the record; 0 where its length is not known."""
        return self.status.duration // FS


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
    waveform : Waveform or None
        The newest chunk: it names record and speed, and says whether a patient stands behind the samples.
    position_s : int
        Where the cursor lies in the recording, in seconds.
    link : Link
    trace : Trace or None
    patient : Patient
    forecast : Forecast or None
        The latest of this session.
    arrivals : Arrivals
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
    replay: Replay | None = None

    @property
    def synthetic(self) -> bool:
        """True when no patient stands behind the samples."""
        return self.waveform is not None and self.waveform.synthetic
