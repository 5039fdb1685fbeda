"""What a window knows of a bed without ECG: its latest hourly values, and the outlook of its worker. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Chart:
    """Values and outlook of one session.

    Attributes
    ----------
    numerics : Numerics
        The latest message; its `alone` is not None.
    outlook : Outlook or None
        The latest of this session; None before the first.
    """

    numerics: Numerics
    outlook: Outlook | None = None

    @property
    def hour(self) -> int:
        """Hours from the begin of the record to the latest message."""
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
    """The latest messages of a bed without ECG."""

    def __init__(self) -> None:
        self.received_ns = 0
        self._numerics: Numerics | None = None
        self._outlook: Outlook | None = None

    def add_numerics(self, message: Numerics, received_ns: int) -> None:
        """Process numerics of a bed that has nothing else."""
        self._numerics, self.received_ns = message, received_ns

    def add_outlook(self, message: Outlook) -> None:
        """Process an outlook; it is shown once numerics of its session are there."""
        self._outlook = message

    def clear(self) -> None:
        """Forget the numerics: the bed sends ECG now."""
        self._numerics = None

    @property
    def current(self) -> Chart | None:
        """What is shown; None of a bed with ECG, or before the first message."""
        numerics, outlook = self._numerics, self._outlook
        if numerics is None:
            return None
        same = outlook is not None and (outlook.session, outlook.epoch) == (numerics.session, numerics.epoch)
        return Chart(numerics, outlook if same else None)


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


def shown_groups(outlook: Outlook) -> tuple[ChartGroup, ...]:
    """Return the groups of which there is a value in the past, or a forecast."""
    known = {one.name for one in outlook.past if any(value is not None for value in one.values)}
    return tuple(group for group in GROUPS if known & set(group.members))


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

    def risk(self, name: RiskName) -> float | None:
        """Return a risk; None if it is unknown or has no meaning now."""
        return None if self.chart.outlook is None else self.chart.outlook.probability(name)

    @property
    def pressure(self) -> tuple[float, int] | None:
        """Latest mean arterial pressure in mmHg, and how many hours ago; None if it is unknown."""
        outlook = self.chart.outlook
        if outlook is None:
            return None
        return next((found for name in _MEANS if (found := latest(outlook, name)) is not None), None)

    @property
    def low(self) -> bool:
        """Whether the pressure is below the limit now, so that its risk has no meaning."""
        return self.risk("hypotension_6h") is None and self.pressure is not None and self.pressure[0] < PRESSURE_LIMIT


def by_risk(rows: Iterable[WardRow]) -> tuple[WardRow, ...]:
    """Return beds in the order of a ward list: low pressure, advisory, risk, score, name; unknown ones last."""

    def rank(row: WardRow) -> tuple[bool, bool, float, int, str]:
        outlook = row.chart.outlook
        if outlook is None:
            return True, True, 1.0, 0, row.bed
        risk = outlook.probability(outlook.advisory_risk)
        return not row.low, not outlook.advisory, -(risk or 0.0), -(outlook.score or 0), row.bed

    return tuple(sorted(rows, key=rank))
