"""The outlook on one patient: vitals, risks and scores of the next hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.trends.advisory import Reason
from model.trends.news2 import News2
from stream.wire.numerics_message import NumericName

ByHorizon = Mapping[int, float]
"""Values by the horizon in hours."""


@dataclass(frozen=True)
class Outlook:
    """What is expected after an hour. A simulation for teaching, not a diagnosis.

    Attributes
    ----------
    hour : float
        The hour that it was made at.
    horizons_h : tuple of int
    median, low, high : dict of str to dict of int to float
        By numeric and horizon, in the unit of the numeric; the interval has 80 %. Only of numerics that were measured
        at least once.
    risk : dict of str to float
        ``hypotension_1h``, ``hypotension_3h``, ``hypotension_6h``: a mean pressure below 65 mmHg is measured within
        so many hours; absent while there is no mean pressure, or when it is low already. ``sepsis_6h``: the label of
        the Challenge 2019.
    advisory, raised : bool
        An advisory of hypotension stands; it was raised in this hour.
    reasons : tuple of Reason
        Of a standing advisory.
    news2 : News2
        Of the carried values.
    """

    hour: float
    horizons_h: tuple[int, ...]
    median: Mapping[NumericName, ByHorizon]
    low: Mapping[NumericName, ByHorizon]
    high: Mapping[NumericName, ByHorizon]
    risk: Mapping[str, float]
    advisory: bool
    raised: bool
    reasons: tuple[Reason, ...]
    news2: News2
