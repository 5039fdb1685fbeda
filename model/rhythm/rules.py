"""The rules of rhythm, one by one: when a condition begins, and when it goes on.

Asystole, extreme bradycardia and tachycardia, ventricular tachycardia and fibrillation are those of the
PhysioNet/Computing in Cardiology Challenge 2015 (Clifford et al., "False alarm reduction in critical care",
Physiological Measurement 37, 2016), but for two things: one beat of another type does not hide a ventricular
tachycardia, and a fast rhythm that is steady is reported faster. A condition ends only when a rate has left its limit
by a margin, or when several beats in a row contradict it, so that nothing flickers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.conditions.settings import AlarmConfig, RateRule
from model.rhythm import atrial_fibrillation
from model.rhythm.atrial_fibrillation import Irregularity
from model.rhythm.beat_history import Recent, longest_rr, rate_over, ventricular_stretch
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, Limits

LATEST = 72
"""Samples within which each beat becomes known, see `model.beats.beat_detector.Beat`: silence counts from
then."""

TIMING = 4
"""Samples (11 ms) by which a stretch of beats, or an RR interval, may miss its limit and meet the rule all the same: R
peaks are found to the sample, of recordings at 250 Hz to 4 ms. 95 % of the RR intervals of MIT-BIH DS1 (without 201 and
208) lie within 8 ms of the annotated ones."""

MARGIN = 0.05
"""Share of its limit by which a rate must come back."""

LINGER = 5
"""Beats over which an extreme bradycardia must have come back: one early beat among slow ones does not end it."""

LONG_RR = 1.25
"""An RR interval longer than so many of the limit's, beside a beat that is not ventricular, breaks a run."""

OTHERS = 3
"""Beats in a row that are not ventricular and end a run of ventricular ones."""

SILENT = 4 * FS
"""Samples without a beat after which no rate is known; without a ventricular one after which its run is over."""


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """State of the signal itself, apart from beats, at the end of one stride.

    Attributes
    ----------
    at : int
        The last sample that was observed.
    quality : float
        Signal quality of the best lead, 0 to 1.
    usable : bool
        Good enough that beats are neither missed nor invented.
    fibrillation_since : int or None
        First sample of the ventricular fibrillation or flutter that lasts.
    fibrillation_suspected : bool
        It looks like fibrillation, if not for long enough yet: silence is no asystole then.
    """

    at: int
    quality: float = 1.0
    usable: bool = True
    fibrillation_since: int | None = None
    fibrillation_suspected: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one rule at one moment. A rule that cannot be judged has none.

    Attributes
    ----------
    kind : str
    met : bool
        The condition begins now, if it did not hold.
    stays : bool
        It goes on, if it did hold.
    onset, end : int
        First sample of the stretch, if it begins now; index after its last sample, if it ends now.
    value, limit : float or None
        What was measured, and the limit.
    beats : int
        How many beats it is about; 0 where beats are not counted.
    """

    kind: AlarmKind
    met: bool
    stays: bool
    onset: int
    end: int
    value: float | None = None
    limit: float | None = None
    beats: int = 0


def pause_s(config: AlarmConfig, recent: Recent) -> float | None:
    """Return the last RR interval in seconds where it was an asystole; None elsewhere.

    A pause just past the limit is over before it is certain that no beat came in time.
    """
    if len(recent.indexes) < 2:
        return None
    seconds = (recent.indexes[-1] - recent.indexes[-2]) / FS
    return seconds if seconds >= config.asystole_s - TIMING / FS else None


def find(
    config: AlarmConfig, limits: Limits, recent: Recent, irregular: Irregularity, now: SignalStatus
) -> Iterator[Finding]:
    """Apply all rules, the gravest first."""
    lasting = now.fibrillation_since is not None
    if now.usable or lasting:
        since = now.at if now.fibrillation_since is None else now.fibrillation_since
        yield Finding("ventricular_fibrillation", lasting and now.usable, lasting, since, now.at + 1)
    if not now.usable:
        return
    yield _asystole(config, recent, now)
    if recent.indexes:
        yield from _ventricular(config, recent, now.at)
        if now.at - recent.indexes[-1] <= SILENT:
            yield from _rates(config, limits, recent, now.at)
    if irregular.entropy is not None:
        limit = config.fibrillation_entropy
        released = limit * atrial_fibrillation.RELEASE
        middle = irregular.middle
        yield Finding("atrial_fibrillation", irregular.entropy >= limit, irregular.entropy >= released, middle, middle)


def _asystole(config: AlarmConfig, recent: Recent, now: SignalStatus) -> Finding:
    quiet = (now.at - LATEST - recent.quiet_from) / FS
    long = quiet >= config.asystole_s
    # With no beat since the signal became usable again, its end was not observed.
    return Finding(
        "asystole",
        long and not now.fibrillation_suspected,
        long or not recent.indexes,
        recent.quiet_from,
        recent.quiet_from,
        max(quiet, 0.0),
        config.asystole_s,
    )


def _ventricular(config: AlarmConfig, recent: Recent, at: int) -> Iterator[Finding]:
    last = recent.last_ventricular
    fresh = last is not None and at - last <= SILENT and recent.others < OTHERS
    end = at if last is None else last + 1

    rule = config.ventricular_tachycardia
    stretch = ventricular_stretch(recent, rule.beats, LONG_RR * 60 * FS / rule.per_min)
    rate = rate_over(recent, stretch, -TIMING) if stretch else None
    met = fresh and rate is not None and rate > rule.per_min
    stays = fresh and (rate is None or rate >= rule.per_min * (1 - MARGIN))
    onset = recent.indexes[-stretch] if met else at
    beats = max(recent.run, rule.beats if stretch else 0)
    yield Finding("ventricular_tachycardia", met, stays, onset, end, rate, rule.per_min, beats)

    met = fresh and recent.run >= config.pvc_run_beats
    rate = rate_over(recent, config.pvc_run_beats) if met else None
    yield Finding("pvc_run", met, fresh, recent.run_first, end, rate, None, recent.run)


def _rates(config: AlarmConfig, limits: Limits, recent: Recent, at: int) -> Iterator[Finding]:
    last = recent.indexes[-1]
    yield from _extreme_tachycardia(config, recent)
    yield from _extreme_bradycardia(config.extreme_bradycardia, recent, at)
    if recent.heart_rate is not None:
        yield _above("heart_rate_high", recent.heart_rate, limits.heart_rate_high, at, last)
        yield _below("heart_rate_low", recent.heart_rate, limits.heart_rate_low, at, last)


def _extreme_tachycardia(config: AlarmConfig, recent: Recent) -> Iterator[Finding]:
    """By the mean of many beats, and of a few of which none is slow: a steady tachycardia is certain earlier."""
    rule, last = config.extreme_tachycardia, recent.indexes[-1]
    few = config.steady_tachycardia_beats
    many = rate_over(recent, rule.beats, -TIMING)
    mean = rate_over(recent, few)
    slow = 60 * FS / rule.per_min + TIMING
    steady = mean is not None and mean > rule.per_min and longest_rr(recent, few) <= slow
    met = steady
    if many is not None and (many > rule.per_min or mean is None or many >= mean):
        beats, rate, met = rule.beats, many, steady or many > rule.per_min
    elif mean is not None:
        beats, rate = few, mean
    else:
        return
    stays = rate >= rule.per_min * (1 - MARGIN)
    yield Finding("extreme_tachycardia", met, stays, recent.indexes[-beats], last, rate, rule.per_min, beats)


def _extreme_bradycardia(rule: RateRule, recent: Recent, at: int) -> Iterator[Finding]:
    """By the last beats, and by the next one: it may be so late that it will meet the rule whenever it comes."""
    last = recent.indexes[-1]
    stretches = []
    if len(recent.indexes) >= rule.beats:
        first = recent.indexes[-rule.beats]
        stretches.append((last + TIMING - first, first))
    if len(recent.indexes) >= rule.beats - 1:
        first = recent.indexes[1 - rule.beats]
        stretches.append((at - LATEST - first, first))
    if stretches and max(stretches)[0] > 0:
        samples, first = max(stretches)
        rate = 60 * FS * (rule.beats - 1) / samples
        before = [rate_over(recent, rule.beats, TIMING, ago) for ago in range(LINGER)]
        slowest = min([rate, *(known for known in before if known is not None)])
        stays = slowest <= rule.per_min * (1 + MARGIN)
        yield Finding("extreme_bradycardia", rate < rule.per_min, stays, first, last, rate, rule.per_min, rule.beats)


def _above(kind: AlarmKind, rate: float, limit: float, onset: int, end: int, beats: int = 0) -> Finding:
    return Finding(kind, rate > limit, rate >= limit * (1 - MARGIN), onset, end, rate, limit, beats)


def _below(kind: AlarmKind, rate: float, limit: float, onset: int, end: int, beats: int = 0) -> Finding:
    return Finding(kind, rate < limit, rate <= limit * (1 + MARGIN), onset, end, rate, limit, beats)
