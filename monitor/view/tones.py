"""Synthesis of tones: the beat tone, and bursts of pulses for alarms of each priority.

Pulses have smooth ramps; an abrupt start or end would click.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Sound = Literal["beat", "high", "medium", "low", "technical"]

SAMPLE_RATE_HZ: Final = 44_100
"""Sample rate, Hz; one channel, int16."""

_PEAK_AMPLITUDE = 0.5
_RAMP_S = 0.01


@dataclass(frozen=True, slots=True)
class Burst:
    """Burst of pulses of one frequency.

    Attributes
    ----------
    hz : float
    pulse_s : float
    starts_s : tuple of float
        Start of each pulse.
    """

    hz: float
    pulse_s: float
    starts_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Duration from the start of the first pulse to the end of the last, s."""
        return self.starts_s[-1] + self.pulse_s


BURSTS: dict[Sound, Burst] = {
    "beat": Burst(1000.0, 0.05, (0.0,)),
    "high": Burst(880.0, 0.15, (0.0, 0.25, 0.5, 0.9, 1.15)),
    "medium": Burst(660.0, 0.2, (0.0, 0.4, 0.8)),
    "low": Burst(440.0, 0.2, (0.0, 0.4)),
    "technical": Burst(440.0, 0.2, (0.0,)),
}


def pcm(burst: Burst, rate: int = SAMPLE_RATE_HZ) -> npt.NDArray[np.int16]:
    """Return the samples of a burst, shape (round(seconds × rate),)."""
    samples = np.zeros(round(burst.seconds * rate))
    n = round(burst.pulse_s * rate)
    ramp = round(min(_RAMP_S, burst.pulse_s / 2) * rate)
    edge = np.sin(np.linspace(0, np.pi / 2, ramp, endpoint=False)) ** 2
    envelope = np.ones(n)
    envelope[:ramp], envelope[n - ramp :] = edge, edge[::-1]
    pulse = envelope * np.sin(2 * np.pi * burst.hz * np.arange(n) / rate)
    for start_s in burst.starts_s:
        first = round(start_s * rate)
        samples[first : first + n] = pulse[: len(samples) - first]
    return np.round(samples * _PEAK_AMPLITUDE * np.iinfo(np.int16).max).astype(np.int16)
