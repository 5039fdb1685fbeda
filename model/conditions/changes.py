"""What the rules find: a condition begins, a condition ends. What becomes of it is the business of
`model.alarms.state_machine`."""

from __future__ import annotations

from dataclasses import dataclass

from stream.wire.alarm_messages import AlarmKind


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a residual condition began.

    Attributes
    ----------
    observed, predicted : float
        mV at the sample where the two were furthest apart, measured in predicted scales.
    score, threshold : float
        ``-log10`` of a chance per second.
    """

    observed: float
    predicted: float
    score: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Began:
    """A condition holds from now on.

    Attributes
    ----------
    kind : str
    onset : int
        First sample of the stretch; at or before ``at``.
    at : int
        The last sample that was observed when the rule was met.
    text : str
        What happened, for people, in one short sentence.
    value, limit : float or None
        What was measured, and the limit that it broke.
    evidence : Evidence or None
        Of a residual condition.
    """

    kind: AlarmKind
    onset: int
    at: int
    text: str
    value: float | None = None
    limit: float | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A condition holds no more.

    Attributes
    ----------
    kind : str
    onset : int
        As it was in `Began`.
    end : int
        Index after the last sample of the stretch.
    at : int
        The last sample that was observed when it was found to be over.
    text : str
        What happened, for people, over the whole stretch.
    value, limit : float or None
        The worst value of the whole stretch.
    evidence : Evidence or None
        Of the whole stretch.
    """

    kind: AlarmKind
    onset: int
    end: int
    at: int
    text: str
    value: float | None = None
    limit: float | None = None
    evidence: Evidence | None = None


Change = Began | Ended
