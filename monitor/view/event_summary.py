"""Summary of an alarm event as rows of name and value: kind, time, duration, values, acknowledgement. No Qt."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.view.event_review import Review
from stream.wire.alarm_messages import ADVISORIES, TECHNICAL, Alarm, AlarmKind
from stream.wire.alarm_texts import Phrase, kind_phrase, phrase
from stream.wire.limit_ranges import LIMIT_RANGES

_UNITS: Mapping[AlarmKind, str] = {
    "asystole": "s",
    "no_data": "s",
    "abp_disconnected": "mmHg",
    **{name: own.unit for name, own in LIMIT_RANGES.items()},
}
"""Unit of the value by kind; that of all others is 1/min."""

_UNIT_CODES: Mapping[str, str] = {"s": "seconds", "1/min": "per_minute", "%": "percent", "mmHg": "pressure"}

Row = tuple[Phrase, Phrase]


def summary_rows(review: Review) -> tuple[Row, ...]:
    """Return pairs of name and value; unknown values are omitted."""
    alarm = review.alarm
    rank = "advisory" if alarm.kind in ADVISORIES else alarm.priority
    rows = [
        (phrase("event.alarm"), phrase(f"alarm.{rank}", kind=kind_phrase(alarm.kind))),
        (phrase("event.time"), _time(review)),
        *_measured(alarm),
        (phrase("event.acknowledged"), _acknowledged(review)),
    ]
    if alarm.repeats:
        rows.append((phrase("event.repeats"), _repeats(alarm)))
    code = "source.synthetic" if review.synthetic else "source.place"
    source = phrase(code, bed=alarm.bed.upper(), record=alarm.record, sample=str(alarm.onset))
    return (*rows, (phrase("event.source"), source))


def _repeats(alarm: Alarm) -> Phrase:
    if alarm.kind in TECHNICAL:
        return phrase("repeats.returned", count=str(alarm.repeats))
    return phrase("repeats.once") if alarm.repeats == 1 else phrase("repeats.times", count=str(alarm.repeats))


def _time(review: Review) -> Phrase:
    active = review.alarm_span.stop is None
    code = "time.lasts" if active else "time.lasted"
    seconds = f"{review.duration_s:.0f}" if active else f"{review.duration_s:.1f}"
    if not review.raised:
        return phrase(f"{code}_from_before", seconds=seconds)
    return phrase(code, time=review.raised, seconds=seconds)


def _measured(alarm: Alarm) -> list[Row]:
    rows = []
    if alarm.observed is not None and alarm.predicted is not None:
        values = {"observed": f"{alarm.observed:.2f}", "predicted": f"{alarm.predicted:.2f}"}
        rows.append((phrase("event.waveform"), phrase("waveform.observed", **values)))
    if alarm.score is not None:
        rows.append((phrase("event.score"), _score(alarm.score, alarm.threshold)))
    if alarm.value is not None and alarm.kind == "unusual_complexes":
        rows.append((phrase("event.measured"), phrase("measured.complexes", value=f"{alarm.value:.0f}")))
    elif alarm.value is not None:
        unit = _UNIT_CODES[_UNITS.get(alarm.kind, "1/min")]
        rows.append((phrase("event.measured"), _value(unit, alarm.value, alarm.limit)))
    return rows


def _score(score: float, threshold: float | None) -> Phrase:
    if threshold is None:
        return phrase("score.alone", score=f"{score:.1f}")
    return phrase("score.threshold", score=f"{score:.1f}", threshold=f"{threshold:.1f}")


def _value(unit: str, value: float, limit: float | None) -> Phrase:
    if limit is None:
        return phrase(f"measured.{unit}", value=f"{value:.1f}")
    return phrase(f"measured.{unit}_limit", value=f"{value:.1f}", limit=f"{limit:g}")


def _acknowledged(review: Review) -> Phrase:
    who = review.alarm.acknowledged_by
    if who is None:
        return phrase("acknowledged.no")
    if not review.acknowledged:
        return phrase("acknowledged.by", who=who)
    return phrase("acknowledged.by_at", who=who, time=review.acknowledged)
