"""What the rules find: a condition begins, a condition ends. `model.alarms.state_machine` makes alarms of it, and
`stream.wire.phrases` texts."""

from __future__ import annotations

from dataclasses import dataclass

from stream.wire.alarm_messages import AlarmKind, ClearedReason, RaisedReason


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a residual condition rests on.

    Attributes
    ----------
    observed, predicted : float
        mV at the sample where the two were furthest apart, measured in predicted scales.
    horizon_ms : float
        How far ahead that sample was predicted.
    score, threshold : float
        ``-log10`` of a chance per second.
    """

    observed: float
    predicted: float
    horizon_ms: float
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
    reason : str
        Why it began.
    value, limit : float or None
        What was measured, and the limit that it broke; units as in `stream.wire.alarm_messages.Alarm`.
    beats : int or None
        Number of beats that the rate was measured over, or the length of the run.
    leads : tuple of str
        Leads concerned, of technical and residual conditions.
    evidence : Evidence or None
        Of a residual condition.
    """

    kind: AlarmKind
    onset: int
    at: int
    reason: RaisedReason
    value: float | None = None
    limit: float | None = None
    beats: int | None = None
    leads: tuple[str, ...] = ()
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
    reason : str
        Why it ended.
    value, limit, beats, leads, evidence
        As in `Began`: the worst of the whole stretch.
    replaced_by : str or None
        The graver condition, where the reason is ``replaced``.
    """

    kind: AlarmKind
    onset: int
    end: int
    at: int
    reason: ClearedReason
    value: float | None = None
    limit: float | None = None
    beats: int | None = None
    leads: tuple[str, ...] = ()
    evidence: Evidence | None = None
    replaced_by: AlarmKind | None = None


Change = Began | Ended
