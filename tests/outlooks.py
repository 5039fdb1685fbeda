"""Messages of a bed without ECG: hourly numerics, and outlooks."""

from __future__ import annotations

from typing import Any

from stream.wire.numerics_message import UNIT_OF, Alone, NumericName, Numerics
from stream.wire.outlook_message import HOUR, Fan, NewsPart, Outlook, PastValues, Reason, Risk
from tests.waveforms import SESSION, numeric

MEANS = (81.0, None, 78.0, 74.0, 69.0)
"""The mean pressure in the hours of `outlook`."""


def alone(hour: int, values: dict[NumericName, float | None], **changes: Any) -> Numerics:
    """Return the message of an hour of a record."""
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "index": hour * HOUR,
        "when": "2026-01-31T12:00:00.000Z",
        "values": tuple(numeric(name, value, age_s=3600.0 * (value is None)) for name, value in values.items()),
        "synthetic": False,
        "alone": Alone(record="hours", position=hour * HOUR, epoch_start=0, speed=7200.0, interval_s=3600.0),
    }
    return Numerics(**{**fields, **changes})


def fan(name: NumericName, *median: float, spread: float = 4.0) -> Fan:
    """Return a forecast."""
    low, high = (tuple(value + by for value in median) for by in (-spread, spread))
    return Fan(name=name, unit=UNIT_OF[name], median=median, low=low, high=high)


def outlook(**changes: Any) -> Outlook:
    """Return an outlook at hour 4 of a record, with an advisory."""
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "index": 4 * HOUR,
        "hour": 4,
        "record": "hours",
        "when": "2026-01-31T12:00:00.000Z",
        "past": (
            PastValues(name="nibp_mean", unit="mmHg", values=MEANS),
            PastValues(name="heart_rate", unit="1/min", values=(88.0, 90.0, None, 97.0, None)),
        ),
        "past_risk": (0.1, 0.12, 0.2, None, 0.55),
        "horizons": (1, 2, 3, 6),
        "forecasts": (fan("nibp_mean", 67.0, 66.0, 66.0, 65.0), fan("heart_rate", 98.0, 98.0, 97.0, 95.0)),
        "risks": (
            Risk(name="hypotension_1h", probability=0.2),
            Risk(name="hypotension_6h", probability=0.55),
            Risk(name="sepsis_6h", probability=None),
        ),
        "score": 3,
        "parts": (NewsPart(name="heart_rate", points=1), NewsPart(name="consciousness", points=None)),
        "advisory": True,
        "advisory_risk": "hypotension_6h",
        "threshold": 0.5,
        "reasons": (
            Reason(code="fell", name="nibp_mean", value=69.0, before=78.0, hours=2),
            Reason(code="of_tomorrow", name="heart_rate", value=97.0),
        ),
        "text": "",
        "synthetic": False,
        "lease": 1,
    }
    return Outlook(**{**fields, **changes})
