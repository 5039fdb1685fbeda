"""The outlook message of a bed without ECG, from its state and what the model expects."""

from __future__ import annotations

from collections.abc import Sequence

from model.serving.charted_bed import WARNING_RISK, ChartState, HourRow
from model.trends.outlook import Outlook as Expected
from stream.clock import rfc3339
from stream.wire.numerics_message import NUMERIC_NAMES, UNIT_OF, NumericName, Numerics
from stream.wire.outlook_message import HOUR, RISK_NAMES, Fan, NewsPart, Outlook, PastValues, Reason, Risk
from stream.wire.outlook_texts import with_text

COURSE_H = 6
"""Hours in which the course of a value is looked for."""

FALL_MMHG = 4.0
"""A mean pressure that fell by more is named with its course, another one with its value alone."""

MEANS: tuple[NumericName, ...] = ("abp_mean", "nibp_mean")
HARMLESS = frozenset({("spo2", "high"), ("spo2", "rising")})
"""What stands out and is no reason to warn."""


def outlook_message(
    numerics: Numerics, state: ChartState, expected: Expected, threshold: float, now_ns: int, lease: int
) -> Outlook:
    """Return the message of the hour that has just come.

    Parameters
    ----------
    numerics : Numerics
        The message that brought it.
    state : ChartState
        After it.
    expected : model.trends.outlook.Outlook
    threshold : float
        Of the advisory.
    now_ns : int
        Unix time.
    lease : int
    """
    alone = numerics.alone
    assert alone is not None
    known = {name for row in state.past for name in row.values}
    past = (
        PastValues(name=name, unit=UNIT_OF[name], values=tuple(row.values.get(name) for row in state.past))
        for name in NUMERIC_NAMES
        if name in known
    )
    parts = expected.news2.parts
    outlook = Outlook(
        bed=numerics.bed,
        session=numerics.session,
        epoch=numerics.epoch,
        index=numerics.index,
        hour=state.past[-1].hour,
        record=alone.record,
        when=rfc3339(now_ns),
        past=tuple(past),
        past_risk=tuple(row.risk for row in state.past),
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
        advisory_hour=_raised_at(state) if expected.advisory else None,
        advisory_risk=WARNING_RISK,
        threshold=threshold,
        reasons=_reasons(expected, state.past),
        text="",
        synthetic=numerics.synthetic,
        lease=lease,
    )
    return with_text(outlook)


def _raised_at(state: ChartState) -> int | None:
    """Return the hour at which the standing advisory was raised; None if its alarm is switched off."""
    if state.warning is None:
        return None
    return max(state.past[-1].hour - round((state.index - state.warning.onset) / HOUR), 0)


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
