"""Advisories of hypotension against what is measured afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.trends.advisory import STANDS_H
from model.trends.vital_inputs import LOW_MMHG


@dataclass(frozen=True)
class AlertCounts:
    """Counts over patients; they add up.

    Attributes
    ----------
    hours, alerts, followed, events, foreseen : int
        Hours of patients, advisories raised, those with an event within 6 h, events, and events within 6 h of one.
    lead_h : tuple of int
        Hours from advisory to event, of each foreseen event.
    """

    hours: int = 0
    alerts: int = 0
    followed: int = 0
    events: int = 0
    foreseen: int = 0
    lead_h: tuple[int, ...] = ()

    def __add__(self, other: AlertCounts) -> AlertCounts:
        """Return the counts of both."""
        return AlertCounts(
            self.hours + other.hours,
            self.alerts + other.alerts,
            self.followed + other.followed,
            self.events + other.events,
            self.foreseen + other.foreseen,
            self.lead_h + other.lead_h,
        )

    def to_dict(self) -> dict[str, float | None]:
        """Return rates for JSON; None if undefined."""
        return {
            "alerts_per_patient_day": _ratio(24 * self.alerts, self.hours),
            "lead_time_h_median": float(np.median(self.lead_h)) if self.lead_h else None,
            "precision": _ratio(self.followed, self.alerts),
            "sensitivity": _ratio(self.foreseen, self.events),
            "events": self.events,
        }


def events_of(pressure: FloatArray) -> IntArray:
    """Return the hours at which hypotension begins: below 65 mmHg, and not so in any of the 6 h before.

    Parameters
    ----------
    pressure : ndarray, shape (n,)
        Mean pressure, NaN where not measured. In the first hour nothing can be foreseen.
    """
    low = np.flatnonzero(pressure < LOW_MMHG)
    return low[(np.diff(low, prepend=-STANDS_H - 1) > STANDS_H) & (low > 0)]


def count(pressure: FloatArray, raised: BoolArray) -> AlertCounts:
    """Count one patient's advisories and events."""
    events, alerts = events_of(pressure), np.flatnonzero(raised)
    low = np.flatnonzero(pressure < LOW_MMHG)
    following = np.append(low, np.iinfo(np.int64).max)[np.searchsorted(low, alerts, side="right")]
    leads = []
    for event in events:
        before = alerts[(alerts < event) & (alerts >= event - STANDS_H)]
        if before.size:
            leads.append(int(event - before[0]))
    followed = int((following - alerts <= STANDS_H).sum())
    return AlertCounts(len(pressure), len(alerts), followed, len(events), len(leads), tuple(leads))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
