"""Signals to be disturbed: an ECG of known amplitude, a pleth, a pressure; and how injections are applied to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stream.injections.chain import Channel, Lines, disturb
from stream.timebase import FS
from stream.wire.injection_kinds import INJECTION_RULES, InjectionKind
from stream.wire.status_messages import RunningInjection

GAIN = 1000.0
"""adu per unit: rounding is far below what is measured."""

LEADS = (Channel("b", "I", GAIN, 0, 0.0, 1.6), Channel("b", "II", GAIN, -100, 0.0, 1.6))
PULSE = (Channel("b", "", 200.0, 0, 1.0, 0.8),)
PRESSURE = (Channel("b", "", 100.0, 0, 90.0, 40.0),)


def ecg(seconds: float) -> npt.NDArray[np.int16]:
    """Return QRS complexes, 1.6 mV from -0.4 to 1.2 mV, once per second, of lead I; II is twice as high."""
    time = np.arange(round(seconds * FS)) / FS % 1
    mv = 1.2 * np.exp(-(((time - 0.5) / 0.012) ** 2)) - 0.4 * np.exp(-(((time - 0.54) / 0.012) ** 2))
    return np.rint(np.stack([mv * GAIN, 2 * mv * GAIN - 100], axis=1)).astype(np.int16)


def pulses(seconds: float, fs: float, channel: Channel) -> npt.NDArray[np.int16]:
    """Return a wave with a pulse at 1.2 Hz, a sine, about the centre of its channel."""
    values = channel.centre + channel.amplitude / 2 * np.sin(2 * np.pi * 1.2 * np.arange(round(seconds * fs)) / fs)
    return np.rint(values * channel.gain + channel.zero).astype(np.int16)[:, None]


def running(kind: InjectionKind, begin: int = 0, end: int | None = None, **changes: Any) -> RunningInjection:
    """Return an injection with its usual values."""
    rules = INJECTION_RULES[kind]
    fields: dict[str, Any] = {
        "injection_id": kind,
        "kind": kind,
        "signal": next(iter(rules.signals), None),
        "lead": None,
        "level": rules.level.usual if rules.level else None,
        "hz": rules.hz.usual if rules.hz else None,
        "begin": begin,
        "end": end,
    }
    return RunningInjection(**{**fields, **changes})


def disturbed(
    adu: npt.NDArray[np.int16], channels: tuple[Channel, ...], *injections: RunningInjection, fs: float = FS
) -> npt.NDArray[np.float64]:
    """Return a whole signal with its injections, in its unit."""
    made, _ = disturb(adu, channels, 0, fs, injections, {})
    return values(made, channels)


def values(adu: npt.NDArray[np.int16], channels: tuple[Channel, ...]) -> npt.NDArray[np.float64]:
    """Return samples in their unit; NaN where invalid."""
    found = (adu - np.array([one.zero for one in channels], np.float64)) / [one.gain for one in channels]
    found[adu == -32768] = np.nan
    return found


def in_chunks(
    adu: npt.NDArray[np.int16],
    channels: tuple[Channel, ...],
    injections: list[RunningInjection],
    cuts: list[int],
    fs: float = FS,
) -> bytes:
    """Return the bytes of a signal that is disturbed chunk by chunk."""
    lines: Lines = {}
    made = b""
    for first, stop in zip([0, *cuts], [*cuts, adu.shape[0]], strict=True):
        part, lines = disturb(adu[first:stop], channels, first * FS / fs, fs, injections, lines)
        made += part.tobytes()
    return made
