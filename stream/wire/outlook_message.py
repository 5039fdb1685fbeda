"""The message of an outlook: what the hourly values of a bed were, and what a model expects of the next hours."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, get_args

import msgspec

from stream.wire.fields import BedName, Finite, Hex128, Index, Lease, Share, Text
from stream.wire.messages import Message
from stream.wire.numerics_message import UNIT_OF, NumericName, NumericUnit

HOUR = 3600 * 360
"""Samples of the session in an hour."""

MAX_PAST_H = 24
"""Largest number of hours of the past in a message."""

MAX_HORIZONS = 24
MAX_TEXT = 2000

RiskName = Literal["hypotension_1h", "hypotension_3h", "hypotension_6h", "sepsis_6h"]
"""``hypotension``: a mean arterial pressure below 65 mmHg within so many hours; ``sepsis``: the Challenge's label."""

RISK_NAMES: tuple[RiskName, ...] = get_args(RiskName)

Horizons = Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=240)], ...], msgspec.Meta(max_length=MAX_HORIZONS)]
Values = Annotated[tuple[Finite | None, ...], msgspec.Meta(min_length=1, max_length=MAX_PAST_H)]
Predicted = Annotated[tuple[Finite, ...], msgspec.Meta(min_length=1, max_length=MAX_HORIZONS)]
Code = Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[a-z][a-z0-9_]*\Z")]


class PastValues(msgspec.Struct, frozen=True, kw_only=True):
    """One numeric of the last hours, as it was measured.

    Attributes
    ----------
    name, unit : str
        As in `stream.wire.numerics_message.Numeric`.
    values : tuple of (float or None)
        One for each hour, the origin last; None where it was not measured.
    """

    name: NumericName
    unit: NumericUnit
    values: Values


class Fan(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast of one numeric.

    Attributes
    ----------
    name, unit : str
    median, low, high : tuple of float
        One for each horizon; ``low`` to ``high`` is the 80 % interval.
    """

    name: NumericName
    unit: NumericUnit
    median: Predicted
    low: Predicted
    high: Predicted


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """The probability of an event.

    Attributes
    ----------
    name : str
    probability : float or None
        None if it has no meaning now, as that of a low pressure while the pressure is low.
    """

    name: RiskName
    probability: Share | None


class NewsPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the NEWS2 score.

    Attributes
    ----------
    name : str
        Of the measured value, or ``consciousness`` and ``oxygen``.
    points : int or None
        0 to 3; None if it is not known.
    """

    name: Code
    points: Annotated[int, msgspec.Meta(ge=0, le=3)] | None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """What an advisory is due to; `stream.wire.outlook_texts` has the sentences.

    Attributes
    ----------
    code : str
        ``fell`` and ``rose`` (with ``before`` and ``hours``), ``falling``, ``rising``, ``low``, ``high`` or ``value``;
        unknown codes, of a newer sender, are valid.
    name : str
        The numeric.
    value, before : float or None
        The latest value and, for a change, the one that it changed from.
    hours : int or None
        Hours in which it changed.
    """

    code: Code
    name: NumericName
    value: Finite | None
    before: Finite | None = None
    hours: Annotated[int, msgspec.Meta(ge=1, le=240)] | None = None


class Outlook(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Last hours and next hours of a bed, once for each hour. Not a diagnosis.

    Attributes
    ----------
    bed, session, epoch
        As in `Waveform`.
    index : int
        Sample of the session of the origin: the latest values that were used.
    hour : int
        Hours from the start of the record to the origin.
    record : str
    when : str
        Wall time at which the message is sent, UTC, RFC 3339.
    past : tuple of PastValues
        Up to 24 hours.
    past_risk : tuple of (float or None)
        ``advisory_risk`` in each of the same hours, as it was then.
    horizons : tuple of int
        Hours after the origin, ascending; none without a forecast.
    forecasts : tuple of Fan
    risks : tuple of Risk
    score : int or None
        NEWS2 of what is there, 0 to 20; None if no part is known.
    parts : tuple of NewsPart
        Its parts; those without points are missing.
    advisory : bool
        Whether the risk is at or above its threshold.
    advisory_hour : int or None
        Hour of the record at which a standing advisory was raised; None without one, or of a worker that does not say.
    advisory_risk : str or None
        The risk that the advisory is about; None of a worker without a model of risks.
    threshold : float or None
        Its threshold.
    reasons : tuple of Reason
        What the advisory is due to; empty without one.
    text : str
        The advisory in English, rendered from the other fields by `stream.wire.outlook_texts`; empty without one.
    synthetic : bool
        As in `Waveform`.
    lease : int
        See `stream.wire.lease`.
    """

    bed: BedName
    session: Hex128
    epoch: Index
    index: Index
    hour: Index
    record: Text
    when: Text
    past: Annotated[tuple[PastValues, ...], msgspec.Meta(max_length=64)]
    past_risk: Annotated[tuple[Share | None, ...], msgspec.Meta(min_length=1, max_length=MAX_PAST_H)]
    horizons: Horizons
    forecasts: Annotated[tuple[Fan, ...], msgspec.Meta(max_length=64)]
    risks: Annotated[tuple[Risk, ...], msgspec.Meta(max_length=16)]
    score: Annotated[int, msgspec.Meta(ge=0, le=20)] | None
    parts: Annotated[tuple[NewsPart, ...], msgspec.Meta(max_length=16)]
    advisory: bool
    advisory_risk: RiskName | None
    threshold: Share | None
    reasons: Annotated[tuple[Reason, ...], msgspec.Meta(max_length=16)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    synthetic: bool
    advisory_hour: Index | None = None
    lease: Lease = 0

    def __post_init__(self) -> None:
        if any(later <= earlier for earlier, later in pairwise(self.horizons)):
            raise ValueError("horizons must ascend")
        if {len(one.values) for one in self.past} - {len(self.past_risk)}:
            raise ValueError("past values have different numbers of hours")
        for fan in self.forecasts:
            if not len(fan.median) == len(fan.low) == len(fan.high) == len(self.horizons):
                raise ValueError(f"the forecast of {fan.name} does not have a value for each horizon")
            if not all(low <= mid <= high for low, mid, high in zip(fan.low, fan.median, fan.high, strict=True)):
                raise ValueError(f"a median of {fan.name} lies outside its interval")
        units = [(one.name, one.unit) for one in self.past] + [(fan.name, fan.unit) for fan in self.forecasts]
        for name, unit in units:
            if unit != UNIT_OF[name]:
                raise ValueError(f"{name} is in {UNIT_OF[name]}, not in {unit}")
        past, fans = [one.name for one in self.past], [fan.name for fan in self.forecasts]
        risks, parts = [risk.name for risk in self.risks], [part.name for part in self.parts]
        if any(len(set(names)) < len(names) for names in (past, fans, risks, parts)):
            raise ValueError("a name is there twice")

    def probability(self, name: RiskName | None) -> float | None:
        """Return a risk; None if it is not in the message, or has no meaning now."""
        return next((risk.probability for risk in self.risks if risk.name == name), None)

    def is_over(self, probability: float | None) -> bool:
        """Return whether a value of ``advisory_risk`` is at or above its threshold."""
        return probability is not None and self.threshold is not None and probability >= self.threshold

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts of the score that are not known."""
        return tuple(part.name for part in self.parts if part.points is None)
