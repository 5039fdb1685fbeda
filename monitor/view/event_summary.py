"""An event in words: what, when, how long, why, and who has seen it. No Qt."""

from __future__ import annotations

from monitor.view.event_review import Review
from stream.wire.alarm_messages import Alarm

_PER_MINUTE = frozenset(
    {"ventricular_tachycardia", "extreme_tachycardia", "extreme_bradycardia", "pvc_run", "heart_rate_high"}
) | {"heart_rate_low"}
_SECONDS = frozenset({"asystole"})


def explain(review: Review) -> tuple[tuple[str, str], ...]:
    """Return pairs of a name and what there is to say; what is not known is left out."""
    alarm = review.alarm
    rows = [("Alarm", f"{alarm.kind.replace('_', ' ')}, {_priority(alarm)}"), ("When", _when(review))]
    rows += _why(alarm)
    rows.append(("Seen by", _seen(review)))
    if alarm.repeats:
        rows.append(("Repeats", f"raised {_times(alarm.repeats)} before, since one was last acknowledged"))
    synthetic = " (SYNTHETIC)" if review.synthetic else ""
    rows.append(("Where", f"{alarm.bed.upper()}, {alarm.record}{synthetic}, sample {alarm.onset} of its session"))
    return tuple(rows)


def _priority(alarm: Alarm) -> str:
    return "technical" if alarm.priority == "technical" else f"{alarm.priority} priority"


def _when(review: Review) -> str:
    began = f"raised {review.raised}" if review.raised else "raised before this monitor looked"
    if review.stretch.stop is None:
        return f"{began}, lasts for {review.lasting_s:.0f} s now"
    return f"{began}, lasted {review.lasting_s:.1f} s"


def _why(alarm: Alarm) -> list[tuple[str, str]]:
    rows = []
    if alarm.observed is not None and alarm.predicted is not None:
        rows.append(("Observed", f"{alarm.observed:.2f} mV where {alarm.predicted:.2f} mV had been forecast"))
    if alarm.score is not None:
        limit = "" if alarm.threshold is None else f", alarm from {alarm.threshold:.1f}"
        rows.append(("Surprise", f"{alarm.score:.1f}{limit}"))
    if alarm.value is not None:
        unit = "/min" if alarm.kind in _PER_MINUTE else " s" if alarm.kind in _SECONDS else ""
        limit = "" if alarm.limit is None else f", limit {alarm.limit:g}{unit}"
        rows.append(("Measured", f"{alarm.value:.1f}{unit}{limit}"))
    return rows


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _seen(review: Review) -> str:
    who = review.alarm.acknowledged_by
    if who is None:
        return "nobody has acknowledged it"
    return f"acknowledged by {who}" + (f" at {review.acknowledged}" if review.acknowledged else "")
