"""Values derived from the waves of one bed, each second: pulse, pressures, breathing.

A value of a second depends on what was received of the waves up to `DELAY` before its end, and on the beats reported by
then: not on how waves and ECG were cut into chunks. Only a bed with waves has a state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from model.physiology import recent_wave
from model.physiology.breathing import MIN_VALID, Breathing, breathing
from model.physiology.carbon_dioxide import end_tidal
from model.physiology.perfusion import perfusion_index
from model.physiology.pressures import MIN_PULSE_PRESSURE, mean_pressure, pulse_pressure
from model.physiology.pulse_arrival import pulse_arrival
from model.physiology.pulse_waves import Pulses, find_pulses, pulse_rate
from model.physiology.recent_wave import RecentWave
from model.signal.arrays import FloatArray, IntArray
from model.signal.pulses import DELAY
from model.signal.wave_samples import WaveSamples
from stream.timebase import FS
from stream.wire.numerics_message import UNIT_OF, Numeric, NumericName
from stream.wire.wave_message import Signal

PULSE_S, BREATHING_S = 18.0, 30.0
"""Seconds of a wave with pulses, and of one of breathing, from which a value is measured."""

WORKING_FS: Final[Mapping[Signal, float]] = {
    "pleth": 62.5, "abp": 62.5, "pap": 62.5, "cvp": 25.0, "resp": 25.0, "co2": 25.0,
}  # fmt: skip
"""Lowest rate at which each wave is analysed, Hz."""

KEPT_S: Final[Mapping[Signal, float]] = {
    "pleth": PULSE_S, "abp": PULSE_S, "pap": PULSE_S, "cvp": 5.0, "resp": BREATHING_S, "co2": BREATHING_S,
}  # fmt: skip

MIN_RISE = 1e-3
"""Smallest pulse of a plethysmogram, in its unit: above the rounding of a flat signal."""

MIN_RISE_SHARE = 0.8
"""Smallest share of its rises that are upstrokes, for a pulse rate of a plethysmogram. It has no unit, so nothing else
tells small pulses from the noise of a sensor without any: their share is .9 to 1 (BIDMC, 5th percentile of each record,
one with .80), that of white noise .62 to .76."""


@dataclass(frozen=True, slots=True)
class DerivedValues:
    """The values of one second.

    Attributes
    ----------
    index : int
        Last sample of the second.
    values : tuple of Numeric
        Those that the waves of the bed can give; None for what cannot be measured.
    """

    index: int
    values: tuple[Numeric, ...]


@dataclass(frozen=True, slots=True)
class WavesState:
    """What is kept of the waves of a bed.

    Attributes
    ----------
    begun : float
        Time of the first sample, in samples of the session at 360 Hz.
    waves : dict of str to RecentWave
    levels : dict of str to float
        Usual size of a breath in the waves of breathing.
    breaths : dict of str to float
        Time of the last breath in each of them, or until which there may have been one: the wave could not be read.
    peaks, known : ndarray of int64, shape (n,)
        R peaks of the last seconds, and the last sample on which each depends.
    measured : dict of str to float
        Time at which each value was measured last.
    """

    begun: float
    waves: dict[Signal, RecentWave]
    levels: dict[Signal, float]
    breaths: dict[Signal, float]
    peaks: IntArray
    known: IntArray
    measured: dict[NumericName, float]

    def __post_init__(self) -> None:
        if self.peaks.ndim != 1 or self.peaks.shape != self.known.shape:
            raise ValueError("the R peaks of a bed do not fit together")


@dataclass(frozen=True, slots=True)
class _Found:
    """A value that has been measured, and when, samples of the session."""

    name: NumericName
    value: float | None
    quality: float = 0.0
    at: float = 0.0


def receive(state: WavesState | None, samples: Iterable[WaveSamples]) -> WavesState | None:
    """Return the state after further samples of the waves, in order of time for each; None before the first."""
    for own in samples:
        if own.fs < WORKING_FS["resp"] or not len(own.values):
            continue
        if state is None:
            state = WavesState(float(own.start), {}, {}, {}, np.empty(0, np.int64), np.empty(0, np.int64), {})
        wave = recent_wave.receive(state.waves.get(own.signal), own, WORKING_FS[own.signal])
        state = replace(state, waves={**state.waves, own.signal: wave})
    return state


def advance(
    state: WavesState, beats: Sequence[tuple[int, int]], ends: Sequence[int]
) -> tuple[list[DerivedValues], WavesState]:
    """Measure the values of the seconds that end.

    Parameters
    ----------
    state : WavesState
    beats : sequence of (int, int)
        R peak of each new beat, and the last sample on which it depends.
    ends : sequence of int
        Last sample of each second, in order.
    """
    new = np.array(beats, np.int64).reshape(-1, 2)
    state = replace(
        state, peaks=np.concatenate([state.peaks, new[:, 0]]), known=np.concatenate([state.known, new[:, 1]])
    )
    seconds = []
    for end in ends:
        values, state = _second(state, end)
        if values:
            seconds.append(DerivedValues(end, values))
    return seconds, state


def _second(state: WavesState, end: int) -> tuple[tuple[Numeric, ...], WavesState]:
    """Measure the values of one second, and forget what no later one needs."""
    at = float(end - DELAY)
    r_peaks = state.peaks[state.known <= end].astype(np.float64)
    levels, breaths = dict(state.levels), dict(state.breaths)
    found = [
        *_pulsatile(state.waves, at, r_peaks),
        *_venous(state.waves, at),
        *_breathing(state.waves, at, levels, breaths),
    ]
    measured = {**state.measured, **{one.name: one.at for one in found if one.value is not None}}
    values = tuple(_numeric(one, end, measured.get(one.name, state.begun)) for one in found)
    recent = state.peaks >= at - PULSE_S * FS
    return values, replace(
        state,
        waves={signal: wave.forget(at, KEPT_S[signal]) for signal, wave in state.waves.items()},
        levels=levels,
        breaths=breaths,
        peaks=state.peaks[recent],
        known=state.known[recent],
        measured=measured,
    )


def _numeric(found: _Found, end: int, measured: float) -> Numeric:
    return Numeric(
        name=found.name,
        value=found.value,
        unit=UNIT_OF[found.name],
        source="measured",
        age_s=max((end - measured) / FS, 0.0),
        quality=None if found.value is None else found.quality,
    )


def _pulsatile(waves: Mapping[Signal, RecentWave], at: float, r_peaks: FloatArray) -> Iterator[_Found]:
    """Yield the values of the waves with pulses."""
    arrives = False
    for signal in ("pleth", "abp", "pap"):
        if signal not in waves:
            continue
        wave = waves[signal]
        values, fs = wave.last(at, PULSE_S), wave.working_fs
        pulses = find_pulses(values, fs, MIN_PULSE_PRESSURE.get(signal, MIN_RISE))
        if signal == "pap":
            yield from _pressures("pap_systolic", "pap_diastolic", "pap_mean", values, pulses, fs, at)
            continue
        rate = pulse_rate(pulses, len(values), fs, MIN_RISE_SHARE if signal == "pleth" else 0.0)
        name: NumericName = "pulse_rate" if signal == "pleth" else "pulse_rate_abp"
        yield _Found(name, rate.per_min, rate.quality, at - rate.age_s * FS) if rate else _Found(name, None)
        if signal == "pleth":
            perfusion = perfusion_index(pulses) if rate else None
            yield _Found("perfusion_index", perfusion, rate.quality if rate else 0.0, at)
        else:
            yield from _pressures("abp_systolic", "abp_diastolic", "abp_mean", values, pulses, fs, at)
        if not arrives:
            arrives = True
            feet = np.array([wave.time(at, len(values), foot) for foot in pulses.foot_at.tolist()])
            arrival = pulse_arrival(r_peaks, feet) if rate else None
            last = float(feet[-1]) if len(feet) else at
            yield (
                _Found("pulse_arrival", arrival.ms, arrival.quality, last) if arrival else _Found("pulse_arrival", None)
            )


def _pressures(
    systolic: NumericName,
    diastolic: NumericName,
    mean: NumericName,
    values: FloatArray,
    pulses: Pulses,
    fs: float,
    at: float,
) -> Iterator[_Found]:
    """Yield the pressures of the last beats; without beats the mean of the wave, with quality 0."""
    beats = pulse_pressure(values, pulses, fs, MIN_PULSE_PRESSURE["pap" if mean == "pap_mean" else "abp"])
    if beats is not None:
        when = at - beats.age_s * FS
        yield _Found(systolic, beats.systolic, beats.quality, when)
        yield _Found(diastolic, beats.diastolic, beats.quality, when)
        yield _Found(mean, beats.mean, beats.quality, when)
        return
    static = mean_pressure(values, fs)
    yield _Found(systolic, None)
    yield _Found(diastolic, None)
    yield _Found(mean, static.mean if static else None, 0.0, at)


def _venous(waves: Mapping[Signal, RecentWave], at: float) -> Iterator[_Found]:
    """Yield the mean central venous pressure."""
    if "cvp" in waves:
        mean = mean_pressure(waves["cvp"].last(at, KEPT_S["cvp"]), waves["cvp"].working_fs)
        yield _Found("cvp_mean", mean.mean, mean.quality, at) if mean else _Found("cvp_mean", None)


def _breathing(
    waves: Mapping[Signal, RecentWave], at: float, levels: dict[Signal, float], breaths: dict[Signal, float]
) -> Iterator[_Found]:
    """Yield the values of breathing, by carbon dioxide where it can be measured; change the levels and last breaths."""
    signals: list[Signal] = [signal for signal in ("co2", "resp") if signal in waves]
    if not signals:
        return
    chosen: tuple[Breathing, float] | None = None
    for signal in signals:
        values, fs = waves[signal].last(at, BREATHING_S), waves[signal].working_fs
        found, levels[signal] = breathing(values, fs, levels.get(signal, 0.0))
        if found is not None and len(found.breaths):
            breaths[signal] = at - found.age_s * FS
        elif found is None and signal in breaths:
            breaths[signal] = max(breaths[signal], at - MIN_VALID * BREATHING_S * FS)
        known = found is not None and (found.rate is not None or found.pause_s is not None)
        if found is not None and known and chosen is None:
            chosen = found, max(breaths[signal], waves[signal].origin)
        if signal == "co2":
            end = end_tidal(values, found.breaths) if found and found.pause_s is None else None
            yield _Found("etco2", end, found.quality if found else 0.0, breaths.get(signal, at))
    if chosen is None:
        yield from (_Found("respiration_rate", None), _Found("apnoea", None))
        return
    own, last = chosen
    yield _Found("respiration_rate", own.rate, own.quality, at)
    yield _Found("apnoea", None if own.pause_s is None else (at - last) / FS, own.valid, at)
