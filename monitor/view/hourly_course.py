"""The hours of a bed that a window has received: those of the last outlook, and earlier ones of its epoch. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.wire.numerics_message import NumericName
from stream.wire.outlook_message import Outlook

SPANS_H = (6, 12, 24, 72)
"""Hours of the past that can be shown; an outlook brings the last 24."""


@dataclass(frozen=True, slots=True)
class HourRow:
    """One hour: the measured values, and ``advisory_risk`` as it was then; None if it had no meaning."""

    values: Mapping[NumericName, float] = field(default_factory=dict)
    risk: float | None = None


@dataclass(frozen=True, slots=True)
class HourlyCourse:
    """The hours up to the origin of an outlook, the latest last.

    Attributes
    ----------
    rows : tuple of HourRow
        One for each hour, at most the longest of `SPANS_H`.
    """

    rows: tuple[HourRow, ...] = ()

    def last(self, hours: int) -> HourlyCourse:
        """Return the last hours; all if there are fewer."""
        return HourlyCourse(self.rows[-hours:])

    def followed_by(self, outlook: Outlook, passed: int) -> HourlyCourse:
        """Return the course that ends with an outlook, so many hours after this one (0: of the same hour)."""
        new = tuple(
            HourRow({one.name: value for one in outlook.past if (value := one.values[i]) is not None}, risk)
            for i, risk in enumerate(outlook.past_risk)
        )
        unknown = (HourRow(),) * min(passed, SPANS_H[-1])
        before = (*self.rows, *unknown)[: -len(new)] if self.rows else ()
        return HourlyCourse((*before, *new)[-SPANS_H[-1] :])

    def values_of(self, name: NumericName) -> tuple[float | None, ...]:
        """Return a numeric, one value for each hour; None where it was not measured."""
        return tuple(row.values.get(name) for row in self.rows)

    @property
    def names(self) -> frozenset[NumericName]:
        """The numerics that were measured."""
        return frozenset(name for row in self.rows for name in row.values)
