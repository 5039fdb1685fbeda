"""The outlook message of a bed, from its hours and what the model expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.serving.hourly_outlook import WARNING_RISK, HourRow, HoursState
from model.trends.outlook import Outlook as Expected
from stream.clock import rfc3339
from stream.wire.numerics_message import NUMERIC_NAMES, UNIT_OF, NumericName
from stream.wire.outlook_message import RISK_NAMES, Fan, NewsPart, Outlook, PastValues, Reason, Risk
from stream.wire.outlook_texts import with_text

COURSE_H = 6
"""Hours in which the course of a value is looked for."""

FALL_MMHG = 4.0
"""A mean pressure that fell by more is named with its course, another one with its value alone."""

MEANS: tuple[NumericName, ...] = ("abp_mean", "nibp_mean")
HARMLESS = frozenset({("spo2", "high"), ("spo2", "rising")})
"""What stands out and is no reason to warn."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The bed and the moment that an outlook is made at; as the fields of `Outlook`."""

    bed: str
    session: str
    epoch: int
    index: int
    record: str
    synthetic: bool


def outlook_message(
    origin: Origin, hours: HoursState, expected: Expected, threshold: float, now_ns: int, lease: int
) -> Outlook:
    """Return the message of the hour that has just come.

    Parameters
    ----------
    origin : Origin
    hours : HoursState
        After that hour.
    expected : model.trends.outlook.Outlook
    threshold : float
        Of the advisory.
    now_ns : int
        Unix time.
    lease : int
    """
    known = {name for row in hours.past for name in row.values}
    past = (
        PastValues(name=name, unit=UNIT_OF[name], values=tuple(row.values.get(name) for row in hours.past))
        for name in NUMERIC_NAMES
        if name in known
    )
    parts = expected.news2.parts
    outlook = Outlook(
        bed=origin.bed,
        session=origin.session,
        epoch=origin.epoch,
        index=origin.index,
        hour=hours.past[-1].hour,
        record=origin.record,
        when=rfc3339(now_ns),
        past=tuple(past),
        past_risk=tuple(row.risk for row in hours.past),
        horizons=expected.horizons_h,
        forecasts=tuple(
            Fan(
                name=name,
                unit=UNIT_OF[name],
                median=tuple(expected.median[name].values()),
                low=tuple(expected.low[name].values()),
                high=tuple(expected.high[name].values()),
            )
            for name in expected.median
        ),
        risks=tuple(Risk(name=name, probability=expected.risk.get(name)) for name in RISK_NAMES),
        score=expected.news2.score if parts else None,
        parts=tuple(NewsPart(name=name, points=parts.get(name)) for name in (*parts, *expected.news2.missing)),
        advisory=expected.advisory,
        advisory_hour=hours.advisory_hour,
        advisory_risk=WARNING_RISK,
        threshold=threshold,
        reasons=_reasons(expected, hours.past),
        text="",
        synthetic=origin.synthetic,
        lease=lease,
    )
    return with_text(outlook)


def _reasons(expected: Expected, past: Sequence[HourRow]) -> tuple[Reason, ...]:
    """Return the reasons of an advisory: the mean pressure, which it is about, and what else stands out."""
    if not expected.advisory:
        return ()
    lead = [
        _course(name, "falling", past, FALL_MMHG) or Reason(code="value", name=name, value=measured[-1])
        for name in MEANS
        if (measured := [row.values[name] for row in past if name in row.values])
    ][:1]
    others = (one for one in expected.reasons if one.name not in MEANS and (one.name, one.code) not in HARMLESS)
    return (
        *lead,
        *(_course(one.name, one.code, past) or Reason(code=one.code, name=one.name, value=one.value) for one in others),
    )


def _course(name: NumericName, code: str, past: Sequence[HourRow], least: float = 0.0) -> Reason | None:
    """Return the widest course of a value in the last hours, between measured values; None if there is none.

    Parameters
    ----------
    name : str
    code : str
        ``falling`` or ``rising``; others have no course.
    past : sequence of HourRow
    least : float
        It is wider than this.
    """
    measured = [(row.hour, row.values[name]) for row in past if name in row.values]
    if code not in ("falling", "rising") or not measured:
        return None
    sign, word = (1, "fell") if code == "falling" else (-1, "rose")
    hour, value = measured[-1]
    recent = [(sign * before, at) for at, before in measured[:-1] if at >= hour - COURSE_H]
    most, at = max(recent, default=(sign * value, hour))
    if most - sign * value <= least:
        return None
    return Reason(code=word, name=name, value=value, before=sign * most, hours=hour - at)
