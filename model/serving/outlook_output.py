"""The outlook message of a bed without ECG, from its state and what the model expects."""

from __future__ import annotations

from collections.abc import Sequence

from model.serving.charted_bed import WARNING_RISK, ChartState, HourRow
from model.trends import advisory
from model.trends.outlook import Outlook as Expected
from stream.clock import rfc3339
from stream.wire.numerics_message import NUMERIC_NAMES, UNIT_OF, Numerics
from stream.wire.outlook_message import RISK_NAMES, Fan, NewsPart, Outlook, PastValues, Reason, Risk
from stream.wire.outlook_texts import with_text

COURSE_H = 6
"""Hours in which the course of a value is looked for."""


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
        advisory_risk=WARNING_RISK,
        threshold=threshold,
        reasons=tuple(_reason(reason, state.past) for reason in expected.reasons),
        text="",
        synthetic=numerics.synthetic,
        lease=lease,
    )
    return with_text(outlook)


def _reason(reason: advisory.Reason, past: Sequence[HourRow]) -> Reason:
    """Return a reason; of a course, with the measured values between which it is widest in the last hours."""
    code, value = reason.code, reason.value
    if code in ("falling", "rising"):
        sign = 1 if code == "falling" else -1
        measured = [(row.hour, row.values[reason.name]) for row in past if reason.name in row.values]
        last = measured[-1] if measured else (0, value)
        recent = [(sign * own, hour) for hour, own in measured[:-1] if hour >= last[0] - COURSE_H]
        most, hour = max(recent, default=(sign * last[1], last[0]))
        if most > sign * last[1]:
            word = "fell" if code == "falling" else "rose"
            return Reason(code=word, name=reason.name, value=last[1], before=sign * most, hours=last[0] - hour)
    return Reason(code=code, name=reason.name, value=value)
