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

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import butter, lfilter

from model.signal.arrays import BoolArray, FloatArray
from model.signal.gaps import fill_gaps
from model.signal.iir_filter import sosfilt
from stream.timebase import FS
from stream.wire.wave_message import Signal

MIN_FS = 25.0
"""Lowest sampling rate at which pulses are detected, Hz; a slower wave is not analysed."""

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

POINTS = 25
"""Points of this interval that are compared."""

TEMPLATE_PULSES, MIN_TEMPLATE_PULSES = 9, 5
"""The template is the median of so many pulses; with fewer than the second number none is trusted."""

MIN_CORRELATION = 0.9
"""Lowest correlation of a trusted pulse with the template. Of 96 plethysmograms of the Challenge 2015, half have it in
87 % of their pulses or more; among movements during asystole it is rare."""

MAX_HEIGHT_RATIO = 2.0
"""Largest ratio, in both directions, of a trusted pulse's slope sum to the median of the pulses before."""

MIN_INTERVAL_S = 60 / 220
"""Shortest interval between pulses, s."""

MIN_RANGE = 1e-3
"""Smallest height of a trusted pulse in the wave's unit: above the rounding of a flat signal."""

MIN_PULSE_PRESSURE, MIN_PRESSURE, MAX_PRESSURE = 10.0, 20.0, 300.0
"""Plausible pressures, mmHg."""

MAX_GAP_S = 10.0
"""Longest gap after which the detector continues with its template; a longer one restarts it."""

MAX_PULSE_INTERVAL_S = 2.0
"""Longest interval between trusted pulses of a pulse that goes on, s: 30/min."""


@dataclass(frozen=True, slots=True)
class WaveSamples:
    """Consecutive samples of a wave.

    Attributes
    ----------
    signal : str
    fs : float
        Sampling rate, Hz.
    start : float
        Time of the first sample, in samples of the session at 360 Hz.
    values : ndarray, shape (n,)
        In the wave's unit, NaN where invalid.
    """

    signal: Signal
    fs: float
    start: float
    values: FloatArray


@dataclass(frozen=True, slots=True)
class TrustedPulse:
    """A pulse that resembles those before it.

    Attributes
    ----------
    at : int
        Steepest rise, sample of the session at 360 Hz.
    known_at : int
        Last sample on which the decision depends.
    since : int
        First of the pulses, without a pause longer than `MAX_PULSE_INTERVAL_S`, of which this is the last.
    """

    at: int
    known_at: int
    since: int


@dataclass(frozen=True, slots=True)
class PulseDetectorState:
    """State of the detector of one wave. Sample numbers count from ``start``, those of the working rate as well.

    Attributes
    ----------
    signal : str
    fs : float
    start : float
        Time of sample 0, in samples of the session at 360 Hz.
    received : int
        Samples received.
    offset : float or None
        First valid value, subtracted from all, so that the filter starts at 0; None until there is one.
    last_valid : ndarray, shape (1,)
    filter : ndarray, shape (1, 2, 1)
    slope : ndarray, shape (k,)
        Filter state of the slope sum.
    wave, slope_sum : ndarray, shape (m,)
        Last filtered samples at the working rate, and their slope sums.
    invalid : ndarray of bool, shape (m,)
        Whether a sample was invalid.
    examined : int
        Samples at the working rate, from sample 0, in which pulses have been looked for.
    last_pulse : int or None
        The last pulse, trusted or not, sample at the working rate.
    shapes : ndarray, shape (up to TEMPLATE_PULSES, POINTS)
        The last pulses, each with mean 0 and norm 1.
    heights : ndarray, shape (up to TEMPLATE_PULSES,)
        Their slope sums.
    trusted : tuple of TrustedPulse
        Those found and not yet removed; at least the last one is kept.
    """

    signal: Signal
    fs: float
    start: float
    received: int
    offset: float | None
    last_valid: FloatArray
    filter: FloatArray
    slope: FloatArray
    wave: FloatArray
    slope_sum: FloatArray
    invalid: BoolArray
    examined: int
    last_pulse: int | None
    shapes: FloatArray
    heights: FloatArray
    trusted: tuple[TrustedPulse, ...]

    @property
    def end(self) -> float:
        """Time at which the next sample follows, in samples of the session at 360 Hz."""
        return self.start + self.received * FS / self.fs


def begin(samples: WaveSamples) -> PulseDetectorState:
    """Return the state before the first samples of a wave."""
    return PulseDetectorState(
        signal=samples.signal,
        fs=float(samples.fs),
        start=float(samples.start),
        received=0,
        offset=None,
        last_valid=np.zeros(1),
        filter=np.zeros((1, 2, 1)),
        slope=np.zeros(_samples(SLOPE_S, samples.fs) - 1),
        wave=np.empty(0),
        slope_sum=np.empty(0),
        invalid=np.empty(0, np.bool_),
        examined=0,
        last_pulse=None,
        shapes=np.empty((0, POINTS)),
        heights=np.empty(0),
        trusted=(),
    )


def step(state: PulseDetectorState | None, samples: WaveSamples) -> PulseDetectorState | None:
    """Push samples of one wave.

    Samples that were received before are dropped; missing ones count as invalid. The detector restarts after a gap
    longer than `MAX_GAP_S` and at another sampling rate.

    Returns
    -------
    PulseDetectorState or None
        None as long as the wave is too slow to be analysed.
    """
    if samples.fs < MIN_FS:
        return None
    if state is None or state.fs != samples.fs:
        state = begin(samples)
    missing = round((samples.start - state.end) * state.fs / FS)
    if missing > MAX_GAP_S * state.fs:
        state, missing = begin(samples), 0
    values = np.concatenate([np.full(max(missing, 0), np.nan), samples.values[max(-missing, 0) :]])
    return _find_pulses(_filter(state, values)) if len(values) else state


@cache
def _low_pass(fs: float) -> FloatArray:
    sos: FloatArray = butter(2, CUTOFF_HZ, fs=fs, output="sos")
    return sos


def _decimation(fs: float) -> int:
    return max(int(fs / WORKING_FS), 1)


def _samples(seconds: float, fs: float) -> int:
    """Return a duration in samples at the working rate of a wave."""
    return max(round(seconds * fs / _decimation(fs)), 1)


def _filter(state: PulseDetectorState, values: FloatArray) -> PulseDetectorState:
    """Filter and decimate new samples, and append them and their slope sums."""
    every, offset = _decimation(state.fs), state.offset
    valid = np.isfinite(values)
    if offset is None and valid.any():
        offset = float(values[valid.argmax()])
    values = values - (offset or 0.0)
    filled, last_valid = fill_gaps(values[:, None], state.last_valid)
    filtered, carried = sosfilt(_low_pass(state.fs), filled, state.filter)
    kept = slice(-state.received % every, None, every)
    wave = np.concatenate([state.wave, filtered[kept, 0]])
    new = wave[len(state.wave) :]
    before = state.wave[-1:] if len(state.wave) else new[:1]
    rise = np.maximum(np.diff(np.concatenate([before, new])), 0.0)
    slope_sum, slope = state.slope_sum, state.slope
    if len(new):
        # With one coefficient in the denominator scipy convolves, and the chunks change the last digit.
        sums, slope = lfilter(np.ones(len(slope) + 1), [1.0, 0.0], rise, zi=slope)
        slope_sum = np.concatenate([slope_sum, sums])
    return replace(
        state,
        received=state.received + len(values),
        offset=offset,
        last_valid=last_valid,
        filter=carried,
        slope=slope,
        wave=wave,
        slope_sum=slope_sum,
        invalid=np.concatenate([state.invalid, ~valid[kept]]),
    )


def _find_pulses(state: PulseDetectorState) -> PulseDetectorState:
    """Look for pulses in the samples after which `AFTER_S` of the wave are known, and forget old samples."""
    fs = state.fs
    before, after, recent = (_samples(seconds, fs) for seconds in (BEFORE_S, AFTER_S, RECENT_S))
    neighbour = _samples(NEIGHBOUR_S, fs)
    total = -(-state.received // _decimation(fs))
    first = total - len(state.wave)
    stop = total - after
    if stop <= state.examined:
        return state
    # Maxima over the samples from `recent` before to `after` after each one, and over its neighbours.
    padded = np.concatenate([np.zeros(recent), state.slope_sum])
    width = recent + after + 1
    largest = maximum_filter1d(padded, width, origin=-(width // 2))[: len(padded) - width + 1]
    local = maximum_filter1d(state.slope_sum, 2 * neighbour + 1, mode="constant")
    places = np.arange(state.examined, stop) - first
    sums = state.slope_sum[places]
    is_pulse = (sums > 0) & (sums >= local[places]) & (sums >= SHARE * largest[places])
    for place in places[is_pulse].tolist():
        repeated = state.last_pulse is not None and first + place - state.last_pulse < neighbour
        if place >= before and not repeated:
            state = _add_pulse(state, first, place)
    kept = stop - max(recent, before) - first
    return replace(
        state,
        examined=stop,
        wave=state.wave[max(kept, 0) :].copy(),
        slope_sum=state.slope_sum[max(kept, 0) :].copy(),
        invalid=state.invalid[max(kept, 0) :].copy(),
    )


def _add_pulse(state: PulseDetectorState, first: int, place: int) -> PulseDetectorState:
    """Compare the pulse at ``place`` of the kept samples, the first of which is sample ``first``, with those before."""
    fs = state.fs
    before, after = _samples(BEFORE_S, fs), _samples(AFTER_S, fs)
    interval = slice(place - before, place + after + 1)
    previous, number = state.last_pulse, first + place
    state = replace(state, last_pulse=number)
    if state.invalid[interval].any():
        return state
    wave, height = state.wave[interval], float(state.slope_sum[place])
    shape = np.interp(np.linspace(-before, after, POINTS), np.arange(-before, after + 1), wave)
    shape = _normalised(shape)
    if (
        _plausible(state.signal, wave + (state.offset or 0.0))
        and (previous is None or (number - previous) * _decimation(fs) / fs >= MIN_INTERVAL_S)
        and _matches(state, shape, height)
    ):
        state = replace(state, trusted=(*state.trusted, _trusted_pulse(state, number)))
    return replace(
        state,
        shapes=np.concatenate([state.shapes[1 - TEMPLATE_PULSES :], shape[None]]),
        heights=np.append(state.heights[1 - TEMPLATE_PULSES :], height),
    )


def _plausible(signal: Signal, wave: FloatArray) -> bool:
    low, high = float(wave.min()), float(wave.max())
    if signal == "abp":
        return low >= MIN_PRESSURE and high <= MAX_PRESSURE and high - low >= MIN_PULSE_PRESSURE
    return high - low >= MIN_RANGE


def _matches(state: PulseDetectorState, shape: FloatArray, height: float) -> bool:
    """Return whether a pulse has the shape and the height of those before it."""
    if len(state.heights) < MIN_TEMPLATE_PULSES:
        return False
    usual = float(np.median(state.heights))
    correlation = float(_normalised(np.median(state.shapes, axis=0)) @ shape)
    return correlation >= MIN_CORRELATION and usual / MAX_HEIGHT_RATIO <= height <= usual * MAX_HEIGHT_RATIO


def _normalised(shape: FloatArray) -> FloatArray:
    centred = shape - shape.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-12))


def _trusted_pulse(state: PulseDetectorState, number: int) -> TrustedPulse:
    samples = FS * _decimation(state.fs) / state.fs
    at = round(state.start + number * samples)
    known_at = int(np.ceil(state.start + (number + _samples(AFTER_S, state.fs)) * samples))
    last = state.trusted[-1] if state.trusted else None
    continues = last is not None and at - last.at <= MAX_PULSE_INTERVAL_S * FS
    return TrustedPulse(at, known_at, last.since if last is not None and continues else at)
