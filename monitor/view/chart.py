"""What a window knows of the hours of a bed: hourly values, and the outlook of its worker. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.view.hourly_course import HourlyCourse
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Numeric, NumericName, Numerics
from stream.wire.outlook_message import HOUR, Outlook, RiskName


@dataclass(frozen=True, slots=True)
class ChartGroup:
    """Numerics that are drawn together.

    Attributes
    ----------
    name : str
        Of the group, as on monitors.
    members : tuple of str
        From top to bottom; the last that is there is that of the number.
    scale : tuple of float
        Axis: its limits, and the step by which they are extended where needed.
    """

    name: str
    members: tuple[NumericName, ...]
    scale: tuple[float, float, float]


GROUPS: tuple[ChartGroup, ...] = (
    ChartGroup("HR", ("heart_rate",), (40, 140, 20)),
    ChartGroup("ABP", ("abp_systolic", "abp_diastolic", "abp_mean"), (40, 160, 20)),
    ChartGroup("NIBP", ("nibp_systolic", "nibp_diastolic", "nibp_mean"), (40, 160, 20)),
    ChartGroup("SpO₂", ("spo2",), (85, 100, 5)),
    ChartGroup("RR", ("respiration_rate",), (0, 40, 10)),
    ChartGroup("Temp", ("temperature",), (35, 39, 1)),
    ChartGroup("etCO₂", ("etco2",), (0, 60, 20)),
)
"""Groups of numerics, from top to bottom."""

_MEANS: tuple[NumericName, ...] = ("abp_mean", "nibp_mean")

PRESSURE_LIMIT = 65.0
"""Mean arterial pressure below which the events of the risks are, mmHg."""

PRESSURE_RISKS: tuple[RiskName, ...] = ("hypotension_1h", "hypotension_3h", "hypotension_6h")
"""Risks of such a pressure."""


@dataclass(frozen=True, slots=True)
class HoursAhead:
    """The latest outlook on a bed, and the hours up to it."""

    outlook: Outlook
    course: HourlyCourse


@dataclass(frozen=True, slots=True)
class Chart:
    """A bed without ECG.

    Attributes
    ----------
    numerics : Numerics
        The latest message; its `alone` is not None.
    hours : HoursAhead or None
        None before the first outlook of its epoch.
    """

    numerics: Numerics
    hours: HoursAhead | None = None

    @property
    def outlook(self) -> Outlook | None:
        """The latest outlook."""
        return None if self.hours is None else self.hours.outlook

    @property
    def hour(self) -> int:
        """Hours from the start of the record to the latest message."""
        return 0 if self.numerics.alone is None else self.numerics.alone.position // HOUR

    @property
    def record(self) -> str:
        """Name of the record."""
        return "" if self.numerics.alone is None else self.numerics.alone.record

    @property
    def speed(self) -> float:
        """Replay speed."""
        return 1.0 if self.numerics.alone is None else self.numerics.alone.speed


class BedChart:
    """The hours of a bed, and the latest numerics of one without ECG."""

    def __init__(self) -> None:
        self.received_ns = 0
        self._numerics: Numerics | None = None
        self._outlook: Outlook | None = None
        self._course = HourlyCourse()

    def add_numerics(self, message: Numerics, received_ns: int) -> None:
        """Process numerics of a bed that has nothing else."""
        self._numerics, self.received_ns = message, received_ns

    def add_outlook(self, message: Outlook) -> None:
        """Process an outlook; it is shown once numerics or ECG of its session are there."""
        before, self._outlook = self._outlook, message
        passed = message.hour - before.hour if before is not None and _same_epoch(before, message) else -1
        self._course = (self._course if passed >= 0 else HourlyCourse()).followed_by(message, max(passed, 0))

    def clear(self) -> None:
        """Forget the numerics: the bed sends ECG now."""
        self._numerics = None

    @property
    def current(self) -> Chart | None:
        """What is shown; None of a bed with ECG, or before the first message."""
        return None if self._numerics is None else Chart(self._numerics, self.hours_of(self._numerics))

    def hours_of(self, source: Numerics | Waveform) -> HoursAhead | None:
        """Return the outlook of the epoch of a message; None before the first."""
        if self._outlook is None or not _same_epoch(self._outlook, source):
            return None
        return HoursAhead(self._outlook, self._course)


def _same_epoch(one: Outlook, other: Outlook | Numerics | Waveform) -> bool:
    return (one.session, one.epoch) == (other.session, other.epoch)


def latest(outlook: Outlook, name: NumericName) -> tuple[float, int] | None:
    """Return the last measured value of a numeric, and the hours since then; None if there is none in the past."""
    for one in outlook.past:
        if one.name == name:
            hours = (back for back, value in enumerate(reversed(one.values)) if value is not None)
            back = next(hours, None)
            return None if back is None else (one.values[-1 - back] or 0.0, back)
    return None


def numeric(chart: Chart, name: NumericName) -> Numeric | None:
    """Return a value of the latest message; None if it has none of this name."""
    return chart.numerics.value_of(name)


def shown_groups(course: HourlyCourse) -> tuple[ChartGroup, ...]:
    """Return the groups of which there is a value."""
    return tuple(group for group in GROUPS if course.names & set(group.members))


def low_hours(course: HourlyCourse) -> tuple[bool, ...]:
    """Return for each hour whether the latest mean pressure was below the limit, so that its risk had no meaning."""
    found, low = [], False
    for row in course.rows:
        pressure = next((row.values[name] for name in _MEANS if name in row.values), None)
        low = low if pressure is None else pressure < PRESSURE_LIMIT
        found.append(low)
    return tuple(found)


def mean_pressure(outlook: Outlook) -> tuple[float, int] | None:
    """Return the latest mean arterial pressure in mmHg, and how many hours ago; None if it is unknown."""
    return next((found for name in _MEANS if (found := latest(outlook, name)) is not None), None)


def is_low(outlook: Outlook) -> bool:
    """Return whether the mean pressure is below the limit now, so that its risks have no meaning."""
    pressure = mean_pressure(outlook)
    asked = any(outlook.probability(name) is not None for name in PRESSURE_RISKS)
    return not asked and pressure is not None and pressure[0] < PRESSURE_LIMIT


@dataclass(frozen=True, slots=True)
class WardRow:
    """One bed in the list of a ward.

    Attributes
    ----------
    bed : str
    chart : Chart
    live : bool
        Whether its values go on, and its worker is there.
    priority : str or None
        That of its most urgent active or latched alarm.
    """

    bed: str
    chart: Chart
    live: bool
    priority: str | None = None

    @property
    def low(self) -> bool:
        """As `is_low`."""
        return self.chart.outlook is not None and is_low(self.chart.outlook)


def by_risk(rows: Iterable[WardRow]) -> tuple[WardRow, ...]:
    """Return beds in the order of a ward list: low pressure, advisory, risk, score, name; unknown ones last."""

    def rank(row: WardRow) -> tuple[bool, bool, float, int, str]:
        outlook = row.chart.outlook
        if outlook is None:
            return True, True, 1.0, 0, row.bed
        risk = outlook.probability(outlook.advisory_risk)
        return not row.low, not outlook.advisory, -(risk or 0.0), -(outlook.score or 0), row.bed

    return tuple(sorted(rows, key=rank))
