"""Onset and end of conditions, as reported by the detectors.

`model.alarms.state_machine` turns them into alarms, `stream.wire.alarm_texts` into texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.wire.alarm_messages import AlarmKind, ClearedReason, RaisedReason


@dataclass(frozen=True, slots=True)
class Evidence:
    """Measured values behind a residual condition.

    Attributes
    ----------
    observed, predicted : float
        Observed and predicted value, mV, at the sample with the largest difference in units of the predicted scale.
    horizon_ms : float
        Horizon of that prediction, ms.
    score, threshold : float
        Anomaly score and its threshold: ``-log10`` of a probability per second.
    """

    observed: float
    predicted: float
    horizon_ms: float
    score: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Began:
    """Onset of a condition.

    Attributes
    ----------
    kind : str
    onset : int
        First sample of the condition; at or before ``at``.
    at : int
        Last sample observed when the rule was met.
    reason : str
        Reason code of the onset.
    value, limit : float or None
        Measured value and the limit that it exceeded; units as in `stream.wire.alarm_messages.Alarm`.
    beats : int or None
        Number of beats over which the rate was measured, or length of the run.
    leads : tuple of str
        Affected leads of a technical or residual condition.
    evidence : Evidence or None
        Only for a residual condition.
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
    """End of a condition.

    Attributes
    ----------
    kind : str
    onset : int
        As in `Began`.
    end : int
        Index after the last sample of the condition.
    at : int
        Last sample observed when the end was detected.
    reason : str
        Reason code of the end.
    value, limit, beats, leads, evidence
        As in `Began`, with the worst value from onset to end.
    replaced_by : str or None
        Kind of the more severe condition, if the reason is ``replaced``.
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
"""Onset or end of a condition."""
