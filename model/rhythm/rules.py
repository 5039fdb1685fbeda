"""Rules of the rhythm conditions: criteria for onset and persistence.

The rules for asystole, extreme bradycardia, extreme tachycardia, ventricular tachycardia and ventricular fibrillation
are those of the PhysioNet/Computing in Cardiology Challenge 2015 (Clifford et al., "False alarm reduction in critical
care", Physiological Measurement 37, 2016) with three changes: a ventricular tachycardia may include one beat of another
type, a steady extreme tachycardia is reported after fewer beats, and the complexes of a tachycardia must resemble each
other, as those of an artefact do not. A condition ends only when the rate has crossed
its limit by a margin, or when several consecutive beats contradict it (hysteresis).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.conditions.settings import AlarmConfig, RateRule
from model.rhythm import atrial_fibrillation, pulse_confirmation
from model.rhythm.atrial_fibrillation import Irregularity
from model.rhythm.beat_history import (
    BeatHistory,
    longest_rr,
    mean_rate,
    repeating_share,
    ventricular_run_length,
)
from model.rhythm.pulse_confirmation import FIBRILLATION_PULSES
from model.signal.pulses import PulseStatus
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, Limits

BEAT_REPORT_DELAY = 72
"""Longest delay from an R peak to its report, samples, see `model.beats.beat.Beat`. It is subtracted from the
time without beats."""

TIMING_TOLERANCE = 4
"""Tolerance of RR intervals and of the duration of several beats, samples (11 ms). R peaks are located to one sample,
in recordings at 250 Hz to 4 ms. 95 % of the RR intervals of MIT-BIH DS1 (without 201 and 208) are within 8 ms of the
annotated ones."""

RATE_MARGIN = 0.05
"""Margin by which a rate must return within its limit, as a share of the limit."""

RECOVERY_BEATS = 5
"""Consecutive beats at which the rate must have recovered to end an extreme bradycardia or tachycardia, so that one
early beat among slow ones, or a late one among fast ones, does not end it."""

RUN_BREAK_RR = 1.25
"""Longest RR interval in a run that includes one non-ventricular beat, as a multiple of the limit's RR interval."""

MIN_REPEATING = 0.5
"""Smallest share of the beats of a tachycardia, without the first, that repeat a shape. Of 81 ventricular tachycardias
that were reported in noise or by double counting (Challenge 2015, vfdb, nstdb) 10 reached it, of 46 true ones (also
MIT-BIH DS1 and svdb) 43, and the other 3 were reported with later beats of the same run. With other
correlations (`model.rhythm.beat_history.SIMILAR`), .05 lower or higher, it is 12 and 44 or 8 and 41; with a share of .6
8 and 37."""

RUN_END_BEATS = 3
"""Consecutive non-ventricular beats that end a run of ventricular beats."""

SLOWER_PULSE = 0.8
"""Rate of a steady pulse, as a share of the rate of a run, below which it contradicts the run. Beats at a rate so
different would change the intervals of the pulse by more than its allowed deviation."""

MAX_SILENCE = 4 * FS
"""Time without a beat after which the heart rate is unknown, and without a ventricular beat after which a run has
ended, samples."""


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """Status of the signal at the end of one stride.

    Attributes
    ----------
    at : int
        Last sample of the stride.
    quality : float
        Signal quality of the best lead, 0 to 1.
    usable : bool
        Whether the signal is good enough for reliable beat detection.
    fibrillation_since : int or None
        First sample of the ongoing ventricular fibrillation or flutter; None without.
    fibrillation_suspected : bool
        Whether the waveform resembles fibrillation, confirmed or not. Then missing beats are not an asystole.
    measurable : bool
        Whether the waveform can be measured, even if the beats are unreliable.
    ecg_seen : bool
        Whether beats of an ECG have been observed since the leads were attached. Before, missing beats are not an
        asystole.
    pulse : PulseStatus or None
        The trusted pulse that goes on; None without one.
    """

    at: int
    quality: float = 1.0
    usable: bool = True
    fibrillation_since: int | None = None
    fibrillation_suspected: bool = False
    measurable: bool = True
    ecg_seen: bool = True
    pulse: PulseStatus | None = None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """Result of one rule at the end of a stride. A rule that cannot be evaluated has no result.

    Attributes
    ----------
    kind : str
        Kind of the condition.
    met : bool
        Whether the condition begins, if it does not hold.
    persists : bool
        Whether the condition continues, if it holds.
    onset, end : int
        First sample of the condition if it begins now; index after its last sample if it ends now.
    value, limit : float or None
        Measured value and its limit.
    beats : int
        Number of beats measured; 0 for rules that do not count beats.
    """

    kind: AlarmKind
    met: bool
    persists: bool
    onset: int
    end: int
    value: float | None = None
    limit: float | None = None
    beats: int = 0


def pause_s(config: AlarmConfig, history: BeatHistory) -> float | None:
    """Return the last RR interval in seconds if it was an asystole, else None.

    A pause slightly above the limit ends before the absence of a beat can be confirmed, because beats are reported with
    a delay. It is detected from the RR interval.
    """
    if len(history.indexes) < 2:
        return None
    seconds = (history.indexes[-1] - history.indexes[-2]) / FS
    return seconds if seconds >= config.asystole_s - TIMING_TOLERANCE / FS else None


def evaluate(
    config: AlarmConfig, limits: Limits, history: BeatHistory, irregularity: Irregularity, status: SignalStatus
) -> Iterator[RuleResult]:
    """Evaluate all rules, most severe first."""
    in_fibrillation = status.fibrillation_since is not None
    since = status.at if status.fibrillation_since is None else status.fibrillation_since
    pulse_goes_on = pulse_confirmation.goes_on(status.pulse, since, FIBRILLATION_PULSES)
    met = in_fibrillation and status.measurable and not pulse_goes_on
    # Its end is observed on a bad signal, too (`model.rhythm.ventricular_fibrillation`).
    yield RuleResult("ventricular_fibrillation", met, in_fibrillation, since, status.at + 1)
    if not status.usable:
        return
    yield _asystole(config, history, status)
    if history.indexes:
        yield from _ventricular(config, history, status)
        if status.at - history.indexes[-1] <= MAX_SILENCE:
            yield from _rates(config, limits, history, status)
    if irregularity.entropy is not None:
        limit = config.fibrillation_entropy
        released = limit * atrial_fibrillation.RELEASE_RATIO
        middle = irregularity.middle
        yield RuleResult(
            "atrial_fibrillation",
            irregularity.p_wave_absent and irregularity.entropy >= limit,
            not irregularity.p_wave_present and irregularity.entropy >= released,
            middle,
            middle,
        )


def _asystole(config: AlarmConfig, history: BeatHistory, status: SignalStatus) -> RuleResult:
    silence_s = (status.at - BEAT_REPORT_DELAY - history.silent_since) / FS
    exceeded = silence_s >= config.asystole_s
    # Without a beat since the signal became usable again, the end was not observed.
    return RuleResult(
        "asystole",
        exceeded
        and status.ecg_seen
        and not status.fibrillation_suspected
        and not pulse_confirmation.goes_on(status.pulse, history.silent_since),
        exceeded or not history.indexes,
        history.silent_since,
        history.silent_since,
        max(silence_s, 0.0),
        config.asystole_s,
    )


def _ventricular(config: AlarmConfig, history: BeatHistory, status: SignalStatus) -> Iterator[RuleResult]:
    at, last = status.at, history.last_ventricular
    recent_enough = last is not None and at - last <= MAX_SILENCE and history.beats_since_ventricular < RUN_END_BEATS
    end = at if last is None else last + 1

    rule = config.ventricular_tachycardia
    run_length = ventricular_run_length(history, rule.beats, RUN_BREAK_RR * 60 * FS / rule.per_min)
    rate = mean_rate(history, run_length, -TIMING_TOLERANCE) if run_length else None
    met = (
        recent_enough
        and rate is not None
        and rate > rule.per_min
        and repeating_share(history, run_length, alternating=True) >= MIN_REPEATING
    )
    persists = recent_enough and (rate is None or rate >= rule.per_min * (1 - RATE_MARGIN))
    beats = max(history.run, rule.beats if run_length else 0)
    onset = history.indexes[-run_length] if met else at
    if met and rate is not None:
        pulse_rate = pulse_confirmation.steady_rate(status.pulse, onset, at)
        met = pulse_rate is None or pulse_rate >= SLOWER_PULSE * rate
    yield RuleResult("ventricular_tachycardia", met, persists, onset, end, rate, rule.per_min, beats)

    shortest = config.pvc_run_beats
    met = recent_enough and history.run >= shortest
    met = met and repeating_share(history, shortest, alternating=True) >= MIN_REPEATING
    rate = mean_rate(history, shortest) if met else None
    yield RuleResult("pvc_run", met, recent_enough, history.run_start, end, rate, None, history.run)


def _rates(config: AlarmConfig, limits: Limits, history: BeatHistory, status: SignalStatus) -> Iterator[RuleResult]:
    at, last = status.at, history.indexes[-1]
    yield from _extreme_tachycardia(config, history)
    yield from _extreme_bradycardia(config.extreme_bradycardia, history, status)
    if history.heart_rate is not None:
        yield _above("heart_rate_high", history.heart_rate, limits.heart_rate_high, at, last)
        yield _below("heart_rate_low", history.heart_rate, limits.heart_rate_low, at, last)


def _extreme_tachycardia(config: AlarmConfig, history: BeatHistory) -> Iterator[RuleResult]:
    """Evaluate the mean rate of many beats, and of fewer beats without a long RR interval (steady tachycardia)."""
    rule, last = config.extreme_tachycardia, history.indexes[-1]
    steady_beats = config.steady_tachycardia_beats
    long_rate = mean_rate(history, rule.beats, -TIMING_TOLERANCE)
    mean = mean_rate(history, steady_beats)
    slow = 60 * FS / rule.per_min + TIMING_TOLERANCE
    steady = mean is not None and mean > rule.per_min and longest_rr(history, steady_beats) <= slow
    met = steady
    if long_rate is not None and (long_rate > rule.per_min or mean is None or long_rate >= mean):
        beats, rate, met = rule.beats, long_rate, steady or long_rate > rule.per_min
    elif mean is not None:
        beats, rate = steady_beats, mean
    else:
        return
    # A complex that is counted twice, with its T wave or a pacing spike, does not resemble the one before.
    met = met and repeating_share(history, beats, alternating=False) >= MIN_REPEATING
    before = [mean_rate(history, beats, beats_ago=beats_ago) for beats_ago in range(RECOVERY_BEATS)]
    fastest = max([rate, *(known for known in before if known is not None)])
    persists = fastest >= rule.per_min * (1 - RATE_MARGIN)
    yield RuleResult("extreme_tachycardia", met, persists, history.indexes[-beats], last, rate, rule.per_min, beats)


def _extreme_bradycardia(rule: RateRule, history: BeatHistory, status: SignalStatus) -> Iterator[RuleResult]:
    """Evaluate the last beats, and the last beats with the overdue next one, whose delay may already meet the rule.

    A pulse that goes on since then at a rate above the limit shows that beats were missed.
    """
    at, last = status.at, history.indexes[-1]
    candidates = []
    if len(history.indexes) >= rule.beats:
        first = history.indexes[-rule.beats]
        candidates.append((last + TIMING_TOLERANCE - first, first))
    if len(history.indexes) >= rule.beats - 1:
        first = history.indexes[1 - rule.beats]
        candidates.append((at - BEAT_REPORT_DELAY - first, first))
    if candidates and max(candidates)[0] > 0:
        samples, first = max(candidates)
        rate = 60 * FS * (rule.beats - 1) / samples
        before = [mean_rate(history, rule.beats, TIMING_TOLERANCE, beats_ago) for beats_ago in range(RECOVERY_BEATS)]
        slowest = min([rate, *(known for known in before if known is not None)])
        persists = slowest <= rule.per_min * (1 + RATE_MARGIN)
        pulse_rate = pulse_confirmation.rate_since(status.pulse, first)
        missed = pulse_rate is not None and pulse_rate > rule.per_min * (1 + RATE_MARGIN)
        met = rate < rule.per_min and not missed
        yield RuleResult("extreme_bradycardia", met, persists, first, last, rate, rule.per_min, rule.beats)


def _above(kind: AlarmKind, rate: float, limit: float, onset: int, end: int) -> RuleResult:
    return RuleResult(kind, rate > limit, rate >= limit * (1 - RATE_MARGIN), onset, end, rate, limit)


def _below(kind: AlarmKind, rate: float, limit: float, onset: int, end: int) -> RuleResult:
    return RuleResult(kind, rate < limit, rate <= limit * (1 + RATE_MARGIN), onset, end, rate, limit)
