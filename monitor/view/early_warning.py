"""Since when an early warning stands, and what has become of its risk. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.view.chart import HoursAhead


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """An advisory that stands.

    Attributes
    ----------
    since : int
        Hour of the record at which it was raised.
    hours : int
        Hours since then.
    before, now : float or None
        The risk at that hour and at the latest one; None if it is unknown or had no meaning.
    over : bool
        Whether the latest risk is at or above the threshold.
    """

    since: int
    hours: int
    before: float | None
    now: float | None
    over: bool


def early_warning(ahead: HoursAhead) -> EarlyWarning | None:
    """Return the advisory of a bed; None without one, or if its start is not known."""
    outlook, rows = ahead.outlook, ahead.course.rows
    if not outlook.advisory or outlook.advisory_hour is None:
        return None
    hours = max(outlook.hour - outlook.advisory_hour, 0)
    before = rows[-1 - hours].risk if hours < len(rows) else None
    now = outlook.probability(outlook.advisory_risk)
    return EarlyWarning(outlook.advisory_hour, hours, before, now, outlook.is_over(now))
