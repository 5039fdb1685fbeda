"""Detects the pulses of a plethysmogram or an arterial pressure, and which of them can be trusted.

A pulse is a maximum of the slope sum, the rise of the wave within a sixth of a second (Zong, Heldt, Moody and Mark,
"An open-source algorithm to detect onset of arterial blood pressure pulses", Computers in Cardiology 30, 2003). It is
trusted if it resembles the patient's own pulses before it in shape and height (template matching as quality index:
Li and Clifford, "Dynamic time warping and machine learning for signal quality assessment of pulsatile signals",
Physiological Measurement 33, 2012; Orphanidou et al., IEEE J Biomed Health Inform 19, 2015), follows the one before at
a physiological interval and, for a pressure, has plausible values. So the movements in a plethysmogram during a cardiac
arrest are pulses, but not trusted ones: the template is that of the pulses before the arrest.

Samples are processed in order, at the rate of the wave. A decision about a pulse needs the wave until `AFTER_S` after
it and nothing later.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import butter

from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part
from model.signal.iir_filter import filter_sample
from model.signal.pulse_template import POINTS, TEMPLATE_PULSES, is_plausible, matches, shape_of
from model.signal.wave_samples import MIN_FS, SIGNALS, WAVES, WaveRows
from stream.timebase import FS

PRESSURE = SIGNALS.index("abp")
"""The wave that is a pressure."""

WORKING_FS = 125.0
"""The filtered wave is decimated by a whole number, to this rate or somewhat above."""

CUTOFF_HZ = 8.0
"""Cut-off of the low-pass filter; the upstroke of a pulse has no power beyond."""

SLOPE_S = 0.17
"""Window of the slope sum, s: about the rise time of a pulse (Zong et al. 0.128 s for a pressure; a plethysmogram rises
more slowly)."""

NEIGHBOUR_S = 0.2
"""Half of the interval in which a pulse is the largest maximum of the slope sum, s."""

RECENT_S, SHARE = 3.0, 0.4
"""A pulse has at least this share of the largest slope sum of the last seconds (Zong et al.: 0.6 of the mean)."""

BEFORE_S, AFTER_S = 0.3, 0.3
"""Interval around a pulse that is compared with the template, s: the end of diastole, the upstroke and the peak."""

MIN_INTERVAL_S = 60 / 220
"""Shortest interval between pulses, s."""

MAX_GAP_S = 10.0
"""Longest gap after which the detector continues with its template; a longer one restarts it."""

MAX_PULSE_INTERVAL_S = 2.0
"""Longest interval between trusted pulses of a pulse that goes on, s: 30/min."""

REMEMBERED = 64
"""Last trusted pulses of a wave that are remembered: those that a status names, and those of the next 12 s at 220/min,
in case a wave is so far ahead of the ECG."""

WAVE, SUMS = 256, 1024
"""Last samples at the working rate, below 250 Hz, that are kept: more than `BEFORE_S` + `AFTER_S` of the wave and
`RECENT_S` + `AFTER_S` of its slope sums. Sample i is in place i modulo this number."""

AT, KNOWN_AT, SINCE = range(3)
"""What is known of a trusted pulse, samples of the session at 360 Hz: its steepest rise, the last sample on which the
decision depends, and the first of the pulses, without a pause longer than `MAX_PULSE_INTERVAL_S`, of which this is the
last."""

DETECTOR: Final = np.dtype(
    [
        ("fs", "f8"),
        ("start", "f8"),
        ("received", "i8"),
        ("offset", "f8"),
        ("last_valid", "f8"),
        ("filter", "f8", (1, 2)),
        ("wave", "f8", (WAVE,)),
        ("slope_sum", "f8", (SUMS,)),
        ("last_invalid", "i8"),
        ("last_pulse", "i8"),
        ("compared", "i8"),
        ("shapes", "f8", (TEMPLATE_PULSES, POINTS)),
        ("heights", "f8", (TEMPLATE_PULSES,)),
        ("number", "i8"),
        ("trusted", "i8", (REMEMBERED, 3)),
    ],
    align=True,
)
"""State of the detector of one wave. Sample numbers count from ``start``, those of the working rate as well.

fs
    0 before the wave is received.
start
    Time of sample 0, in samples of the session at 360 Hz.
received
    Samples received.
offset
    First valid value, subtracted from all, so that the filter starts at 0; NaN until there is one.
last_valid
    Last valid value minus ``offset``.
filter
    State of the low-pass filter.
wave, slope_sum
    Last filtered samples at the working rate, and their slope sums.
last_invalid, last_pulse
    The last invalid sample, and the last pulse, trusted or not, at the working rate; -1 without one.
compared
    Pulses so far that later ones are compared with; pulse k is in place k modulo `TEMPLATE_PULSES`.
shapes, heights
    The last of them, each with mean 0 and norm 1, and their slope sums.
number, trusted
    Trusted pulses that are remembered, oldest first, with `AT`, `KNOWN_AT` and `SINCE`.
"""

Detectors = npt.NDArray[Any]
"""Records of `DETECTOR`, shape (beds, WAVES): the state of the detectors of beds."""


class TrustedPulses(NamedTuple):
    """Pulses that resemble those before them, of the waves of some beds.

    Attributes
    ----------
    number : ndarray of int64, shape (beds, WAVES)
    pulses : ndarray of int64, shape (beds, WAVES, n, 3)
        `AT`, `KNOWN_AT` and `SINCE` of each, oldest first; undefined from ``number`` on.
    """

    number: IntArray
    pulses: IntArray


class Spans(NamedTuple):
    """Decimation of a wave to the working rate, and the intervals of the detector in samples at that rate."""

    every: int
    slope: int
    neighbour: int
    recent: int
    before: int
    after: int


def begin(beds: int) -> Detectors:
    """Return the detectors of beds before the first samples of their waves."""
    return np.zeros((beds, WAVES), DETECTOR)


def to_bytes(detectors: Detectors) -> bytes:
    """Return the detectors of one bed as bytes: none before the first samples of its waves."""
    return detectors.tobytes() if detectors["fs"].any() else b""


def from_bytes(data: bytes) -> Detectors:
    """Return the detectors of one bed, shape (WAVES,), from the bytes of `to_bytes`.

    Raises
    ------
    ValueError
        The bytes do not have the right length.
    """
    return np.frombuffer(data, DETECTOR).reshape(WAVES) if data else begin(1)[0]


def advance(detectors: Detectors, slots: IntArray, waves: WaveRows) -> TrustedPulses:
    """Push samples of the waves of some beds, and change their detectors.

    Samples that were received before are dropped; missing ones count as invalid. The detector of a wave restarts after
    a gap longer than `MAX_GAP_S` and at another sampling rate; the pulses before are forgotten.

    Parameters
    ----------
    detectors : ndarray of DETECTOR, shape (slots, WAVES)
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    waves : WaveRows

    Returns
    -------
    TrustedPulses
        Those that were remembered, then those found.
    """
    received = np.bincount(waves.bed, np.diff(waves.first), minlength=1).max()
    most = REMEMBERED + 1 + int(received / (MIN_INTERVAL_S * MIN_FS))  # pulses have so many samples between them
    shape = len(slots), WAVES
    trusted = TrustedPulses(np.empty(shape, np.int64), np.empty((*shape, most, 3), np.int64))
    low_pass = np.concatenate([np.empty((0, 6)), *map(_low_pass, waves.fs.tolist())])
    _advance(detectors, slots, waves, low_pass, trusted)
    return trusted


@cache
def _low_pass(fs: float) -> FloatArray:
    sos: FloatArray = butter(2, CUTOFF_HZ, fs=fs, output="sos")
    return sos


@compiled
def _advance(
    detectors: Detectors, slots: IntArray, waves: WaveRows, low_pass: FloatArray, trusted: TrustedPulses
) -> None:
    """Push samples of the waves of some beds, in place, and fill ``trusted``; ``low_pass`` has a row per message."""
    message = 0
    for bed in range(len(slots)):
        for wave in range(WAVES):
            detector, pulses = detectors[slots[bed], wave], trusted.pulses[bed, wave]
            n = detector.number
            _copy(detector.trusted, 0, pulses, n)
            while message < len(waves.bed) and waves.bed[message] == bed and waves.wave[message] == wave:
                values = waves.values[waves.first[message] : waves.first[message + 1]]
                missing = _missing(detector, waves.fs[message], waves.start[message])
                n = n if detector.received else 0  # after a restart
                sos = low_pass[message : message + 1]
                n = _push(detector, wave == PRESSURE, values, missing, sos, pulses, n)
                message += 1
            trusted.number[bed, wave] = n
            detector.number = min(n, REMEMBERED)
            _copy(pulses, n - detector.number, detector.trusted, detector.number)


@compiled_part
def _copy(pulses: IntArray, first: int, to: IntArray, n: int) -> None:
    """Copy ``n`` pulses."""
    for i in range(n):
        for field in range(3):
            to[i, field] = pulses[first + i, field]


@compiled_part
def _missing(detector: Any, fs: float, start: float) -> int:
    """Return the samples that are missing before a message, or minus those that it repeats; restart if need be."""
    if detector.fs == fs:
        end = detector.start + detector.received * FS / fs
        missing: int = round((start - end) * fs / FS)
        if missing <= MAX_GAP_S * fs:
            return missing
    detector.fs, detector.start, detector.received = fs, start, 0
    detector.offset, detector.last_valid = math.nan, 0.0
    detector.filter[0, 0] = detector.filter[0, 1] = 0.0
    detector.last_invalid, detector.last_pulse, detector.compared = -1, -1, 0
    for i in range(REMEMBERED):
        for field in range(3):
            detector.trusted[i, field] = 0
    return 0


@compiled_part
def _push(
    detector: Any, is_pressure: bool, values: FloatArray, missing: int, low_pass: FloatArray, pulses: IntArray, n: int
) -> int:
    """Push missing samples and values, append the trusted pulses to the ``n`` before, and return their number."""
    spans = _spans(detector.fs)
    for i in range(-missing, len(values)):
        number = _filter(detector, values[i] if i >= 0 else math.nan, low_pass, spans) - spans.after
        if number < spans.before or not _is_pulse(detector, number, spans):
            continue
        if _is_trusted(detector, is_pressure, number, spans):
            _append(detector, number, spans, pulses, n)
            n += 1
        detector.last_pulse = number
    return n


@compiled_part
def _spans(fs: float) -> Spans:
    every = max(int(fs / WORKING_FS), 1)
    return Spans(
        every,
        _samples(SLOPE_S, fs, every),
        _samples(NEIGHBOUR_S, fs, every),
        _samples(RECENT_S, fs, every),
        _samples(BEFORE_S, fs, every),
        _samples(AFTER_S, fs, every),
    )


@compiled_part
def _samples(seconds: float, fs: float, every: int) -> int:
    """Return a duration in samples at the working rate of a wave."""
    return max(round(seconds * fs / every), 1)


@compiled_part
def _filter(detector: Any, value: float, low_pass: FloatArray, spans: Spans) -> int:
    """Filter a sample; if it is one of the working rate, keep it and its slope sum.

    Returns
    -------
    int
        Number of the sample at the working rate, or -1.
    """
    is_valid = math.isfinite(value)
    if is_valid:
        if math.isnan(detector.offset):
            detector.offset = value
        detector.last_valid = value - detector.offset
    filtered = filter_sample(low_pass, detector.filter, detector.last_valid)
    received = detector.received
    detector.received += 1
    if received % spans.every:
        return -1
    number: int = received // spans.every
    if not is_valid:
        detector.last_invalid = number
    detector.wave[number % WAVE] = filtered
    slope_sum = 0.0
    for i in range(max(number - spans.slope, 0), number):
        slope_sum += max(detector.wave[(i + 1) % WAVE] - detector.wave[i % WAVE], 0.0)
    detector.slope_sum[number % SUMS] = slope_sum
    return number


@compiled_part
def _is_pulse(detector: Any, number: int, spans: Spans) -> bool:
    """Return whether a sample, after which ``spans.after`` more are known, is a pulse."""
    slope_sum = detector.slope_sum
    height = slope_sum[number % SUMS]
    if height <= 0 or (detector.last_pulse >= 0 and number - detector.last_pulse < spans.neighbour):
        return False
    for distance in range(1, spans.neighbour + 1):
        if max(slope_sum[(number - distance) % SUMS], slope_sum[(number + distance) % SUMS]) > height:
            return False
    largest = 0.0
    for i in range(max(number - spans.recent, 0), number + spans.after + 1):
        largest = max(largest, slope_sum[i % SUMS])
    return bool(height >= SHARE * largest)


@compiled_part
def _is_trusted(detector: Any, is_pressure: bool, number: int, spans: Spans) -> bool:
    """Return whether a pulse can be trusted, and keep its shape and height if all samples around it are valid."""
    first = number - spans.before
    if detector.last_invalid >= first:
        return False
    wave, lowest, highest = np.empty(spans.before + 1 + spans.after), math.inf, -math.inf
    for i in range(len(wave)):
        wave[i] = detector.wave[(first + i) % WAVE]
        lowest, highest = min(lowest, wave[i] + detector.offset), max(highest, wave[i] + detector.offset)
    shape, height = shape_of(wave), detector.slope_sum[number % SUMS]
    interval = (number - detector.last_pulse) * spans.every / detector.fs
    trusted = (
        is_plausible(is_pressure, lowest, highest)
        and (detector.last_pulse < 0 or interval >= MIN_INTERVAL_S)
        and matches(detector.shapes, detector.heights, detector.compared, shape, height)
    )
    place = detector.compared % TEMPLATE_PULSES
    detector.heights[place] = height
    for i in range(POINTS):
        detector.shapes[place, i] = shape[i]
    detector.compared += 1
    return trusted


@compiled_part
def _append(detector: Any, number: int, spans: Spans, pulses: IntArray, n: int) -> None:
    """Append a trusted pulse to the ``n`` before."""
    samples = FS * spans.every / detector.fs
    at = round(detector.start + number * samples)
    continues = n > 0 and at - pulses[n - 1, AT] <= MAX_PULSE_INTERVAL_S * FS
    pulses[n, AT] = at
    pulses[n, KNOWN_AT] = math.ceil(detector.start + (number + spans.after) * samples)
    pulses[n, SINCE] = pulses[n - 1, SINCE] if continues else at
