"""The outlook message of a bed without ECG, from its state."""

from __future__ import annotations

from model.serving.charted_bed import ChartState
from stream.clock import rfc3339
from stream.wire.numerics_message import NUMERIC_NAMES, UNIT_OF, Numerics
from stream.wire.outlook_message import Outlook, PastValues


def outlook_message(numerics: Numerics, state: ChartState, now_ns: int, lease: int) -> Outlook:
    """Return the message of the hour that has just come.

    Parameters
    ----------
    numerics : Numerics
        The message that brought it.
    state : ChartState
        After it.
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
    return Outlook(
        bed=numerics.bed,
        session=numerics.session,
        epoch=numerics.epoch,
        index=numerics.index,
        hour=state.past[-1].hour,
        record=alone.record,
        when=rfc3339(now_ns),
        past=tuple(past),
        past_risk=(None,) * len(state.past),
        horizons=(),
        forecasts=(),
        risks=(),
        score=None,
        parts=(),
        advisory=False,
        advisory_risk=None,
        threshold=None,
        reasons=(),
        synthetic=numerics.synthetic,
        lease=lease,
    )
