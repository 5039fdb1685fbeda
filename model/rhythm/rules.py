"""Rules of the rhythm conditions: criteria for onset and persistence.

The rules for asystole, extreme bradycardia, extreme tachycardia, ventricular tachycardia and ventricular fibrillation
are those of the PhysioNet/Computing in Cardiology Challenge 2015 (Clifford et al., "False alarm reduction in critical
care", Physiological Measurement 37, 2016) with three changes: a ventricular tachycardia may include one beat of another
type, a steady extreme tachycardia is reported after fewer beats, and the complexes of a tachycardia must resemble each
other, as those of an artefact do not. A condition ends only when the rate has crossed
its limit by a margin, or when several consecutive beats contradict it (hysteresis).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.conditions.precedence import (
    ASYSTOLE,
    ATRIAL_FIBRILLATION,
    EXTREME_BRADYCARDIA,
    EXTREME_TACHYCARDIA,
    HEART_RATE_HIGH,
    HEART_RATE_LOW,
    PVC_RUN,
    RHYTHM_KINDS,
    VENTRICULAR_FIBRILLATION,
    VENTRICULAR_TACHYCARDIA,
)
from model.conditions.settings import AlarmConfig
from model.rhythm import atrial_fibrillation, pulse_confirmation
from model.rhythm.beat_history import (
    beats_since_pause,
    longest_rr,
    mean_rate,
    missed_beats,
    r_peak,
    repeating_share,
    rr,
    ventricular_run_length,
)
from model.rhythm.pulse_confirmation import FIBRILLATION_PULSES, MIN_PULSES, PULSE
from model.rhythm.signal_status import SignalRows
from model.signal.compiled import compiled_part
from model.signal.pulses import PulseStatus
from stream.timebase import FS

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
    missed : int or None
        R peak of a missed beat that was found in the stride, see `model.beats.repetition`; None without one.
    """

    at: int
    quality: float = 1.0
    usable: bool = True
    fibrillation_since: int | None = None
    fibrillation_suspected: bool = False
    measurable: bool = True
    ecg_seen: bool = True
    pulse: PulseStatus | None = None
    missed: int | None = None


NOW: Final = np.dtype(
    [
        ("at", "i8"),
        ("usable", "?"),
        ("measurable", "?"),
        ("ecg_seen", "?"),
        ("fibrillation_suspected", "?"),
        ("fibrillation_since", "i8"),
        ("missed", "i8"),
        ("pulse", PULSE),
    ],
    align=True,
)
"""The same as a record; ``fibrillation_since`` is -1 without fibrillation, ``missed`` without a missed beat."""

RATE_RULE: Final = np.dtype([("beats", "i8"), ("per_min", "f8")], align=True)
"""See `model.conditions.settings.RateRule`."""

RULE_SETTINGS: Final = np.dtype(
    [
        ("asystole_s", "f8"),
        ("ventricular_tachycardia", RATE_RULE),
        ("extreme_tachycardia", RATE_RULE),
        ("steady_tachycardia_beats", "i8"),
        ("extreme_bradycardia", RATE_RULE),
        ("pvc_run_beats", "i8"),
        ("fibrillation_entropy", "f8"),
        ("delay_s", "f8", (len(RHYTHM_KINDS),)),
    ],
    align=True,
)
"""Settings of the rules, see `model.conditions.settings.AlarmConfig`; ``delay_s`` by kind."""

RULE_RESULT: Final = np.dtype(
    [
        ("evaluated", "?"),
        ("met", "?"),
        ("persists", "?"),
        ("onset", "i8"),
        ("end", "i8"),
        ("value", "f8"),
        ("limit", "f8"),
        ("beats", "i8"),
    ],
    align=True,
)
"""Result of one rule at the end of a stride.

evaluated
    Whether the rule can be evaluated; otherwise it is not met, and the other fields are undefined.
met
    Whether the condition begins, if it does not hold.
persists
    Whether the condition continues, if it holds.
onset, end
    First sample of the condition if it begins now; index after its last sample if it ends now.
value, limit
    Measured value and its limit; NaN without.
beats
    Number of beats measured; 0 for rules that do not count beats.
"""

RuleSettings = npt.NDArray[Any]
"""One record of `RULE_SETTINGS`."""


def rule_settings(config: AlarmConfig) -> RuleSettings:
    """Return the settings of the rules."""
    vt, et, eb = config.ventricular_tachycardia, config.extreme_tachycardia, config.extreme_bradycardia
    values = (
        config.asystole_s,
        (vt.beats, vt.per_min),
        (et.beats, et.per_min),
        config.steady_tachycardia_beats,
        (eb.beats, eb.per_min),
        config.pvc_run_beats,
        config.fibrillation_entropy,
        [config.delay_s.get(kind, 0.0) for kind in RHYTHM_KINDS],
    )
    return np.array([values], RULE_SETTINGS)


@compiled_part
def set_now(now: Any, signal: SignalRows, bed: int, stride: int) -> None:
    """Set the status of the signal to that of one bed at the end of a stride."""
    now.at, now.usable = signal.at[bed, stride], signal.usable[bed, stride]
    now.measurable, now.ecg_seen = signal.measurable[bed, stride], signal.ecg_seen[bed, stride]
    now.fibrillation_suspected = signal.fibrillation_suspected[bed, stride]
    now.fibrillation_since, now.missed = signal.fibrillation_since[bed, stride], signal.missed[bed, stride]
    now.pulse.since, now.pulse.known = signal.pulse_since[bed, stride], signal.pulses[bed, stride]
    for i in range(now.pulse.known):
        now.pulse.times[i] = signal.pulse_times[bed, stride, i]


@compiled_part
def is_pause(settings: Any, history: Any) -> bool:
    """Return whether the last RR interval was an asystole; no beat may have been missed in it.

    A pause slightly above the limit ends before the absence of a beat can be confirmed, because beats are reported with
    a delay. It is detected from the RR interval.
    """
    if history.known < 2 or rr(history, 0) / FS < settings.asystole_s - TIMING_TOLERANCE / FS:
        return False
    return missed_beats(history, r_peak(history, 2)) == 0


@compiled_part
def evaluate(
    settings: Any,
    heart_rate_low: float,
    heart_rate_high: float,
    history: Any,
    irregularity: Any,
    now: Any,
    results: Any,
) -> None:
    """Evaluate all rules of one bed; ``results``, shape (kinds,), receives the results."""
    for kind in range(len(RHYTHM_KINDS)):
        results[kind].evaluated, results[kind].met = False, False
    _ventricular_fibrillation(now, results[VENTRICULAR_FIBRILLATION])
    if not now.usable:
        return
    _asystole(settings, history, now, results[ASYSTOLE])
    if history.known:
        _ventricular_tachycardia(settings.ventricular_tachycardia, history, now, results[VENTRICULAR_TACHYCARDIA])
        _pvc_run(settings.pvc_run_beats, history, now, results[PVC_RUN])
        if now.at - r_peak(history, 1) <= MAX_SILENCE:
            _extreme_tachycardia(settings, history, results[EXTREME_TACHYCARDIA])
            _extreme_bradycardia(settings, history, now, results[EXTREME_BRADYCARDIA])
            _heart_rate_high(heart_rate_high, history, now, results[HEART_RATE_HIGH])
            _heart_rate_low(heart_rate_low, history, now, results[HEART_RATE_LOW])
    _atrial_fibrillation(settings.fibrillation_entropy, irregularity, results[ATRIAL_FIBRILLATION])


@compiled_part
def _set(result: Any, met: bool, persists: bool, onset: int, end: int, value: float, limit: float, beats: int) -> None:
    result.evaluated, result.met, result.persists = True, met, persists
    result.onset, result.end = onset, end
    result.value, result.limit, result.beats = value, limit, beats


@compiled_part
def _ventricular_fibrillation(now: Any, result: Any) -> None:
    """Evaluate the waveform. Its end is observed on a bad signal, too (`model.rhythm.ventricular_fibrillation`)."""
    in_fibrillation = now.fibrillation_since >= 0
    since = now.fibrillation_since if in_fibrillation else now.at
    pulse_goes_on = pulse_confirmation.goes_on(now.pulse, since, FIBRILLATION_PULSES)
    met = in_fibrillation and now.measurable and not pulse_goes_on
    _set(result, met, in_fibrillation, since, now.at + 1, math.nan, math.nan, 0)


@compiled_part
def _asystole(settings: Any, history: Any, now: Any, result: Any) -> None:
    """Evaluate the time without beats, detected or missed.

    Without a beat since the signal became usable again, the end was not observed.
    """
    silence_s = (now.at - BEAT_REPORT_DELAY - history.silent_since) / FS
    exceeded = silence_s >= settings.asystole_s
    met = exceeded and now.ecg_seen and not now.fibrillation_suspected
    met = met and missed_beats(history, history.silent_since) == 0
    met = met and not pulse_confirmation.goes_on(now.pulse, history.silent_since, MIN_PULSES)
    persists = exceeded or history.known == 0
    silent_since = history.silent_since
    _set(result, met, persists, silent_since, silent_since, max(silence_s, 0.0), settings.asystole_s, 0)


@compiled_part
def _run_goes_on(history: Any, at: int) -> bool:
    """Return whether the last ventricular beat is recent enough for a run."""
    recent = history.last_ventricular >= 0 and at - history.last_ventricular <= MAX_SILENCE
    return bool(recent and history.beats_since_ventricular < RUN_END_BEATS)


@compiled_part
def _ventricular_tachycardia(rule: Any, history: Any, now: Any, result: Any) -> None:
    """Evaluate the mean rate of a run of ventricular beats, unless a steady pulse contradicts it."""
    at, per_min, goes_on, rate = now.at, rule.per_min, _run_goes_on(history, now.at), math.nan
    run_length = ventricular_run_length(history, rule.beats, RUN_BREAK_RR * 60 * FS / per_min)
    if run_length:
        rate = mean_rate(history, run_length, -TIMING_TOLERANCE, 0)
    met = goes_on and rate > per_min and repeating_share(history, run_length, True) >= MIN_REPEATING
    persists = goes_on and not rate < per_min * (1 - RATE_MARGIN)
    onset, end = at, history.last_ventricular + 1 if history.last_ventricular >= 0 else at
    if met:
        onset = r_peak(history, run_length)
        met = not pulse_confirmation.steady_rate(now.pulse, onset, at) < SLOWER_PULSE * rate
    beats = max(history.run, rule.beats if run_length else 0)
    _set(result, met, persists, onset, end, rate, per_min, beats)


@compiled_part
def _pvc_run(shortest: int, history: Any, now: Any, result: Any) -> None:
    """Evaluate the number of consecutive ventricular beats."""
    goes_on = _run_goes_on(history, now.at)
    met = goes_on and history.run >= shortest and repeating_share(history, shortest, True) >= MIN_REPEATING
    rate = mean_rate(history, shortest, 0, 0) if met else math.nan
    end = history.last_ventricular + 1 if history.last_ventricular >= 0 else now.at
    _set(result, met, goes_on, history.run_start, end, rate, math.nan, history.run)


@compiled_part
def _extreme_tachycardia(settings: Any, history: Any, result: Any) -> None:
    """Evaluate the mean rate of many beats, and of fewer beats without a long RR interval (steady tachycardia)."""
    beats, steady_beats = settings.extreme_tachycardia.beats, settings.steady_tachycardia_beats
    per_min = settings.extreme_tachycardia.per_min
    rate, mean = mean_rate(history, beats, -TIMING_TOLERANCE, 0), mean_rate(history, steady_beats, 0, 0)
    slow = 60 * FS / per_min + TIMING_TOLERANCE
    met = rate > per_min or (mean > per_min and longest_rr(history, steady_beats) <= slow)
    if not (rate > per_min or rate >= mean or math.isnan(mean)):
        beats, rate = steady_beats, mean
    if math.isnan(rate):
        return
    # A complex that is counted twice, with its T wave or a pacing spike, does not resemble the one before.
    met = met and repeating_share(history, beats, False) >= MIN_REPEATING
    fastest = rate
    for beats_ago in range(RECOVERY_BEATS):
        earlier = mean_rate(history, beats, 0, beats_ago)
        fastest = earlier if earlier > fastest else fastest
    persists = fastest >= per_min * (1 - RATE_MARGIN)
    _set(result, met, persists, r_peak(history, beats), r_peak(history, 1), rate, per_min, beats)


@compiled_part
def _extreme_bradycardia(settings: Any, history: Any, now: Any, result: Any) -> None:
    """Evaluate the last beats, and the last beats with the overdue next one, whose delay may already meet the rule.

    Only the beats since an asystole count: the RR interval that spans it is no rate of the beats that returned. Missed
    beats count for the onset. A pulse that goes on since then at a rate above the limit shows that beats were missed,
    too.
    """
    beats, per_min = settings.extreme_bradycardia.beats, settings.extreme_bradycardia.per_min
    known = beats_since_pause(history, settings.asystole_s * FS - TIMING_TOLERANCE)
    samples, first, last = 0, 0, r_peak(history, 1)
    if known >= beats:
        first = r_peak(history, beats)
        samples = last + TIMING_TOLERANCE - first
    if known >= beats - 1:
        overdue = now.at - BEAT_REPORT_DELAY - r_peak(history, beats - 1)
        if overdue >= samples:
            samples, first = overdue, r_peak(history, beats - 1)
    if samples <= 0:
        return
    rate = 60 * FS * (beats - 1) / samples
    slowest = rate
    for beats_ago in range(min(RECOVERY_BEATS, known - beats + 1)):
        earlier = mean_rate(history, beats, TIMING_TOLERANCE, beats_ago)
        slowest = earlier if earlier < slowest else slowest
    recovered = per_min * (1 + RATE_MARGIN)
    with_missed = 60 * FS * (beats - 1 + missed_beats(history, first)) / samples
    met = with_missed < per_min and not pulse_confirmation.rate_since(now.pulse, first) > recovered
    _set(result, met, slowest <= recovered, first, last, rate, per_min, beats)


@compiled_part
def _heart_rate_high(limit: float, history: Any, now: Any, result: Any) -> None:
    rate = history.heart_rate
    if not math.isnan(rate):
        persists = rate >= limit * (1 - RATE_MARGIN)
        _set(result, rate > limit, persists, now.at, r_peak(history, 1), rate, limit, 0)


@compiled_part
def _heart_rate_low(limit: float, history: Any, now: Any, result: Any) -> None:
    rate = history.heart_rate
    if not math.isnan(rate):
        persists = rate <= limit * (1 + RATE_MARGIN)
        _set(result, rate < limit, persists, now.at, r_peak(history, 1), rate, limit, 0)


@compiled_part
def _atrial_fibrillation(limit: float, irregularity: Any, result: Any) -> None:
    """Evaluate the irregularity of the RR intervals and the P wave."""
    entropy = irregularity.entropy
    if not math.isnan(entropy):
        met = entropy >= limit and atrial_fibrillation.p_wave_absent(irregularity)
        released = limit * atrial_fibrillation.RELEASE_RATIO
        persists = entropy >= released and not atrial_fibrillation.p_wave_present(irregularity)
        middle = atrial_fibrillation.middle(irregularity)
        _set(result, met, persists, middle, middle, math.nan, math.nan, 0)
