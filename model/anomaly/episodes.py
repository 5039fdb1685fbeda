"""From scores to episodes: when an anomaly begins and ends, and the evidence for it.

An episode begins when the score reaches a threshold, and lasts until the score has stayed below a lower level for a
while. Its onset is set back to where the deviation began: the score averages over the last quarter of a second, so the
interval that raised it began before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.conditions.changes import Began, Change, Ended, Evidence
from stream.wire.alarm_messages import ClearedReason


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
class Interval:
    """The anomalous patches under a score that has reached the release level.

    Attributes
    ----------
    first, end : int
        First sample of the first patch that was itself anomalous, and the index after the last such patch.
    furthest : Deviation
        Of those patches.
    """

    first: int
    end: int
    furthest: Deviation


@dataclass(frozen=True, slots=True)
class Episode:
    """Scores that began at the release level and have not been low since; a condition once ``raised``.

    Attributes
    ----------
    onset, end : int
        First sample, and the index after the last sample that was itself anomalous.
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
    episode: Episode | None,
    score: float,
    at: int,
    interval: Interval | None,
    *,
    threshold: float,
    hold: int,
    leads: Sequence[str],
) -> tuple[Episode | None, Change | None]:
    """Push one patch.

    Parameters
    ----------
    episode : Episode or None
    score : float
        ``-log10`` of a chance per second.
    at : int
        The last observed sample.
    interval : Interval or None
        What lies under the score, where that has reached the release level; else None.
    threshold : float
        Score at which a condition begins.
    hold : int
        Patches below the release level that end it.
    leads : sequence of str
        Names of the columns.

    Returns
    -------
    Episode or None, Began or Ended or None
    """
    if interval is not None:
        if episode is None:
            episode = Episode(interval.first, interval.end, 0, score, False, interval.furthest)
        else:
            furthest = max(episode.furthest, interval.furthest, key=lambda deviation: deviation.scales)
            episode = replace(episode, end=interval.end, quiet=0, score=max(score, episode.score), furthest=furthest)
        if score >= threshold and not episode.raised:
            episode = replace(episode, raised=True)
            return episode, _began(episode, at, threshold, leads)
        return episode, None
    if episode is None or not episode.raised:
        return None, None
    episode = replace(episode, quiet=episode.quiet + 1)
    if episode.quiet < hold:
        return episode, None
    return None, close(episode, at, threshold, leads, "rule_no_longer_met")


def close(
    episode: Episode | None, at: int, threshold: float, leads: Sequence[str], reason: ClearedReason
) -> Ended | None:
    """Return the end of the condition that lasts, or None where there is none."""
    if episode is None or not episode.raised:
        return None
    lead, evidence = _evidence(episode, threshold, leads)
    return Ended("residual", episode.onset, episode.end, at, reason, leads=lead, evidence=evidence)


def _began(episode: Episode, at: int, threshold: float, leads: Sequence[str]) -> Began:
    lead, evidence = _evidence(episode, threshold, leads)
    return Began("residual", episode.onset, at, "rule_met", leads=lead, evidence=evidence)


def _evidence(episode: Episode, threshold: float, leads: Sequence[str]) -> tuple[tuple[str, ...], Evidence]:
    far = episode.furthest
    return (leads[far.lead],), Evidence(far.observed, far.predicted, far.horizon_ms, episode.score, threshold)
