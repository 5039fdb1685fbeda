"""From scores to episodes: when an alarm begins, how long it lasts, and what it rests on.

An alarm is raised when the score reaches a threshold, and lasts until the score has stayed below a lower level for
a while. Its onset is set back to where the surprise began: the score averages over the last quarter of a second, so
the stretch that raised it began before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.conditions.changes import Began, Change, Ended, Evidence
from stream.wire.alarm_messages import EndedReason


@dataclass(frozen=True, slots=True)
class Deviation:
    """The sample that lay furthest from its forecast, measured in predicted scales.

    Attributes
    ----------
    scales : float
        Distance in predicted scales; NaN where nothing is known.
    sample : int
        Its index since the session began.
    lead : int
        Its column.
    horizon_ms : float
        How far ahead it had been forecast.
    observed, predicted : float
        In mV.
    """

    scales: float
    sample: int
    lead: int
    horizon_ms: float
    observed: float
    predicted: float


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm begins.

    Attributes
    ----------
    onset : int
        First sample of the surprising stretch; it lies before ``at``.
    at : int
        The last observed sample when the alarm was raised.
    score : float
        Highest score so far, ``-log10`` of a chance per second.
    threshold : float
        The score at which alarms are raised.
    furthest : Deviation
        Where observed and predicted were furthest apart since ``onset``.
    """

    onset: int
    at: int
    score: float
    threshold: float
    furthest: Deviation


@dataclass(frozen=True, slots=True)
class Cleared:
    """An alarm is over.

    Attributes
    ----------
    onset, end : int
        First sample of the surprising stretch, and the index after its last one.
    at : int
        The last observed sample when the alarm was cleared.
    score, threshold, furthest
        As in `Raised`, of the whole stretch.
    """

    onset: int
    end: int
    at: int
    score: float
    threshold: float
    furthest: Deviation


Event = Raised | Cleared


@dataclass(frozen=True, slots=True)
class Surprise:
    """What lies under a score that has reached the release level.

    Attributes
    ----------
    first, end : int
        First sample of the first patch that was itself surprising, and the index after the last such patch.
    furthest : Deviation
        Of those patches.
    """

    first: int
    end: int
    furthest: Deviation


@dataclass(frozen=True, slots=True)
class Stretch:
    """Scores that began at the release level and have not been quiet since; an alarm once ``raised``.

    Attributes
    ----------
    onset, end : int
        First sample, and the index after the last sample that was itself surprising.
    quiet : int
        Patches since the score last reached the release level.
    score : float
        Highest score so far.
    raised : bool
    furthest : Deviation
    """

    onset: int
    end: int
    quiet: int
    score: float
    raised: bool
    furthest: Deviation


def follow(
    stretch: Stretch | None,
    score: float,
    at: int,
    surprise: Surprise | None,
    *,
    threshold: float,
    hold: int,
) -> tuple[Stretch | None, Event | None]:
    """Take one patch further.

    Parameters
    ----------
    stretch : Stretch or None
    score : float
    at : int
        The last observed sample.
    surprise : Surprise or None
        What lies under the score, where that has reached the release level; else None.
    threshold : float
        Score at which an alarm is raised.
    hold : int
        Quiet patches that clear an alarm.

    Returns
    -------
    Stretch or None, Event or None
    """
    if surprise is not None:
        if stretch is None:
            stretch = Stretch(surprise.first, surprise.end, 0, score, False, surprise.furthest)
        else:
            furthest = max(stretch.furthest, surprise.furthest, key=lambda deviation: deviation.scales)
            stretch = replace(stretch, end=surprise.end, quiet=0, score=max(score, stretch.score), furthest=furthest)
        if score >= threshold and not stretch.raised:
            stretch = replace(stretch, raised=True)
            return stretch, Raised(stretch.onset, at, stretch.score, threshold, stretch.furthest)
        return stretch, None
    if stretch is None or not stretch.raised:
        return None, None
    stretch = replace(stretch, quiet=stretch.quiet + 1)
    if stretch.quiet < hold:
        return stretch, None
    return None, close(stretch, at, threshold)


def close(stretch: Stretch | None, at: int, threshold: float) -> Cleared | None:
    """Return the end of an alarm that lasts, or None where there is none."""
    if stretch is None or not stretch.raised:
        return None
    return Cleared(stretch.onset, stretch.end, at, stretch.score, threshold, stretch.furthest)


def to_change(event: Event, leads: Sequence[str], reason: EndedReason = "rule_no_longer_met") -> Change:
    """Return an event as a condition.

    Parameters
    ----------
    event : Raised or Cleared
    leads : sequence of str
        Names of the columns.
    reason : str
        Why it ended, if it did.
    """
    far = event.furthest
    lead = (leads[far.lead],)
    evidence = Evidence(far.observed, far.predicted, far.horizon_ms, event.score, event.threshold)
    if isinstance(event, Raised):
        return Began("residual", event.onset, event.at, "rule_met", leads=lead, evidence=evidence)
    return Ended("residual", event.onset, event.end, event.at, reason, leads=lead, evidence=evidence)
