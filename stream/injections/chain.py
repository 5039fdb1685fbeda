"""Applies injections to samples, in the order in which they arise: at the electrode, in the line, in the amplifier."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream.injections import amplifier, electrode_motion, lead_off, muscle_noise, perfusion, pressure, sine
from stream.injections.noise import Samples, seed_of
from stream.injections.swapped_electrodes import swap
from stream.timebase import FS
from stream.wire.messages import INVALID
from stream.wire.status_messages import RunningInjection

ORDER: tuple[str, ...] = (
    "swapped_electrodes",
    "electrode_motion",
    "muscle_noise",
    "baseline_wander",
    "mains",
    "flat_line",
    "lead_off",
    "cuff_inflation",
    "poor_perfusion",
    "damped_pressure",
    "disconnected_pressure",
    "gain_error",
    "saturation",
)

_ROUNDING = 1e-6
"""Share of a sample by which a time may lie before it: times are rounded."""


class Channel(NamedTuple):
    """One lead, or another wave, of which a chunk is disturbed.

    Attributes
    ----------
    bed : str
    name : str
        Of the lead; empty for another wave.
    gain, zero : float, int
        adu per unit, and the adu of 0.
    centre, amplitude : float
        Of the undisturbed signal, in its unit, from `stream.injections.signal_level`.
    """

    bed: str
    name: str
    gain: float
    zero: int
    centre: float
    amplitude: float


_MAX_ADU = 32767

Lines = Mapping[str, pressure.LineState]
"""State of the damped lines, by id of their injection."""


def disturb(
    adu: npt.NDArray[np.int16],
    channels: tuple[Channel, ...],
    start: float,
    fs: float,
    injections: Iterable[RunningInjection],
    lines: Lines,
) -> tuple[npt.NDArray[np.int16], Lines]:
    """Return the samples of a signal with its injections, and the state after them; any chunks give the same samples.

    Parameters
    ----------
    adu : ndarray of int16, shape (n, channels)
        −32768 is invalid.
    channels : tuple of Channel
    start : float
        Time of the first sample on the scale of the session, in samples at 360 Hz.
    fs : float
        Sampling rate of the signal, Hz.
    injections : iterable of RunningInjection
        Of this signal. Those of a lead that is not there change nothing.
    lines : mapping of str to LineState
        After the samples before; empty at the start of an epoch.
    """
    gain, zero = (np.array([getattr(channel, name) for channel in channels], np.float64) for name in ("gain", "zero"))
    values = (adu - zero) / gain
    values[adu == INVALID] = np.nan
    changed = np.zeros(adu.shape, bool)
    after = dict(lines)
    for injection in sorted(injections, key=lambda one: ORDER.index(one.kind)):
        begin, stop = _within(injection, start, fs, adu.shape[0])
        concerned = [place for place, one in enumerate(channels) if injection.lead in (None, one.name)]
        if begin >= stop or not concerned:
            continue
        changed[begin:stop, concerned] = True
        piece = values[begin:stop, concerned]
        if injection.kind == "swapped_electrodes":
            values[begin:stop, concerned] = swap(piece, tuple(channels[place].name for place in concerned))
            continue
        first = math.floor(start * fs / FS + _ROUNDING) + begin
        since = first - math.floor(injection.begin * fs / FS + _ROUNDING)
        for place, column in zip(concerned, piece.T, strict=True):
            if injection.kind == "damped_pressure":
                hz, damping, state = injection.hz or 0.0, injection.level or 0.0, after.get(injection.injection_id)
                values[begin:stop, place], state = pressure.damp(column, fs, hz, damping, state)
                after[injection.injection_id] = state
            else:
                values[begin:stop, place] = _disturbed(column, channels[place], injection, first, since, fs)
    invalid = np.isnan(values)
    made = np.clip(np.rint(np.where(invalid, 0.0, values) * gain + zero), -_MAX_ADU, _MAX_ADU)
    return np.where(changed, np.where(invalid, INVALID, made), adu).astype(np.int16), after


def _within(injection: RunningInjection, start: float, fs: float, n: int) -> tuple[int, int]:
    """Return the first sample of a chunk that an injection concerns, and the one after the last."""
    stop = n if injection.end is None else math.ceil((injection.end - start) * fs / FS - _ROUNDING)
    return max(math.ceil((injection.begin - start) * fs / FS - _ROUNDING), 0), min(stop, n)


def _disturbed(
    values: Samples, channel: Channel, injection: RunningInjection, first: int, since: int, fs: float
) -> Samples:
    """Return samples of one channel with an injection that concerns each channel by itself and has no state."""
    level, hz, seed = (
        injection.level or 0.0,
        injection.hz or 0.0,
        seed_of(channel.bed, injection.injection_id, channel.name),
    )
    match injection.kind:
        case "electrode_motion":
            return electrode_motion.add(values, first, fs, level, channel.amplitude, seed)
        case "muscle_noise":
            return muscle_noise.add(values, first, fs, level, channel.amplitude, seed)
        case "baseline_wander" | "mains":
            return sine.add(values, since, fs, level, hz)
        case "flat_line":
            return lead_off.flat_line(values)
        case "lead_off":
            return lead_off.lead_off(values)
        case "cuff_inflation":
            seconds = ((injection.end or injection.begin) - injection.begin) / FS
            return perfusion.cuff_inflation(values, since, fs, seconds, channel.centre)
        case "poor_perfusion":
            return perfusion.poor_perfusion(values, first, fs, level, channel.centre, channel.amplitude, seed)
        case "disconnected_pressure":
            return pressure.disconnect(values)
        case "gain_error":
            return amplifier.gain_error(values, level)
        case "saturation":
            return amplifier.saturation(values, level)
    raise ValueError(f"{injection.kind} changes no samples")
