"""From scores to episodes: begin and end of an anomaly, and the evidence for it.

A condition begins when the score reaches a threshold, and ends when the score has stayed below a lower release level
for some time. Its onset is the first anomalous sample. That sample lies before the threshold is reached, because the
score averages over the last quarter of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.conditions.changes import Began, Change, Ended, Evidence
from stream.wire.alarm_messages import ClearedReason


@dataclass(frozen=True, slots=True)
class Deviation:
    """The sample that deviates most from its forecast, relative to the predicted scale.

    Attributes
    ----------
    distance : float
        Distance in predicted scales; NaN where unknown.
    sample : int
        Index of the sample in the session.
    lead : int
        Index of the lead.
    horizon_ms : float
        Horizon of the forecast in ms.
    observed, predicted : float
        mV.
    """

    distance: float
    sample: int
    lead: int
    horizon_ms: float
    observed: float
    predicted: float


@dataclass(frozen=True, slots=True)
class Interval:
    """The interval of anomalous patches behind a score at or above the release level.

    Attributes
    ----------
    first, end : int
        First sample of the first anomalous patch, and end (exclusive) of the last one.
    largest : Deviation
        Largest deviation in these patches.
    """

    first: int
    end: int
    largest: Deviation


@dataclass(frozen=True, slots=True)
class Episode:
    """A run of scores at or above the release level; a condition once ``raised``.

    Attributes
    ----------
    onset, end : int
        First anomalous sample, and end (exclusive) of the last one.
    patches_low : int
        Patches since the score was last at or above the release level.
    score : float
        Highest score so far.
    raised : bool
        Whether the score has reached the threshold.
    largest : Deviation
        Largest deviation so far.
    """

    onset: int
    end: int
    patches_low: int
    score: float
    raised: bool
    largest: Deviation


def follow_high(
    episode: Episode | None, score: float, at: int, interval: Interval, threshold: float, leads: Sequence[str]
) -> tuple[Episode, Change | None]:
    """Push the score of one patch that is at or above the release level.

    Parameters
    ----------
    episode : Episode or None
    score : float
        ``-log10`` of a probability per second.
    at : int
        The last observed sample.
    interval : Interval
        The anomalous patches.
    threshold : float
        Score at which a condition begins.
    leads : sequence of str
        Names of the leads.

    Returns
    -------
    Episode, Began or None
    """
    onset, highest, largest, raised = interval.first, score, interval.largest, False
    if episode is not None:
        onset, highest, raised = episode.onset, max(score, episode.score), episode.raised
        largest = max(episode.largest, largest, key=lambda deviation: deviation.distance)
    begins = score >= threshold and not raised
    episode = Episode(onset, interval.end, 0, highest, raised or begins, largest)
    return episode, _began(episode, at, threshold, leads) if begins else None


def follow_low(
    episode: Episode | None, at: range, threshold: float, hold: int, leads: Sequence[str]
) -> tuple[Episode | None, Change | None]:
    """Push the scores of adjacent patches that are all below the release level.

    Parameters
    ----------
    episode : Episode or None
    at : range
        The last sample of each.
    threshold, leads
        As in `follow_high`.
    hold : int
        Patches below the release level after which a condition ends.

    Returns
    -------
    Episode or None, Ended or None
    """
    if episode is None or not episode.raised:
        return None, None
    left = hold - episode.patches_low
    if len(at) >= left:
        return None, close(episode, at[left - 1], threshold, leads, "rule_no_longer_met")
    low = episode.patches_low + len(at)
    return Episode(episode.onset, episode.end, low, episode.score, True, episode.largest), None


def close(
    episode: Episode | None, at: int, threshold: float, leads: Sequence[str], reason: ClearedReason
) -> Ended | None:
    """Return the end of the open condition; None if none is open."""
    if episode is None or not episode.raised:
        return None
    lead, evidence = _evidence(episode, threshold, leads)
    return Ended("residual", episode.onset, episode.end, at, reason, leads=lead, evidence=evidence)


def _began(episode: Episode, at: int, threshold: float, leads: Sequence[str]) -> Began:
    lead, evidence = _evidence(episode, threshold, leads)
    return Began("residual", episode.onset, at, "rule_met", leads=lead, evidence=evidence)


def _evidence(episode: Episode, threshold: float, leads: Sequence[str]) -> tuple[tuple[str, ...], Evidence]:
    largest = episode.largest
    evidence = Evidence(largest.observed, largest.predicted, largest.horizon_ms, episode.score, threshold)
    return (leads[largest.lead],), evidence
