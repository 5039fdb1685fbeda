"""The pulse of beds at the end of each stride, from its plethysmogram and its arterial pressure.

Of two waves with a trusted pulse, the one in which it has gone on longer is used: either may be disturbed, a pressure
while the line is flushed or blood is taken, a plethysmogram by movement. Of two that began together it is the
plethysmogram.

A sample of a wave is used `DELAY` after its time on the scale of the ECG. The publisher sends a wave just before the
ECG of the same interval, so it is there in time; what is not counts as a missing pulse, and nothing waits for it. So
the pulse does not depend on how ECG and waves were cut into chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.signal import pulse_detector
from model.signal.arrays import IntArray
from model.signal.compiled import compiled, compiled_part
from model.signal.pulse_detector import AFTER_S, AT, KNOWN_AT, MAX_PULSE_INTERVAL_S, SINCE, Detectors, TrustedPulses
from model.signal.wave_samples import SIGNALS, WAVES, WaveSamples, to_rows
from stream.timebase import FS
from stream.wire.wave_message import Signal

DELAY = 72
"""Samples at 360 Hz after which a wave is used, 200 ms: two chunks of the usual length."""

REPORT_DELAY = DELAY + round(AFTER_S * FS)
"""Time after which a pulse is known, samples."""

MAX_SILENCE = round(MAX_PULSE_INTERVAL_S * FS) + REPORT_DELAY
"""Time since the last trusted pulse after which the pulse does not go on, samples."""

KEPT = 17
"""Pulses in a status: as many as the longest rate rule counts beats."""


@dataclass(frozen=True, slots=True)
class PulseStatus:
    """A trusted pulse that goes on. Without one there is no status.

    Attributes
    ----------
    signal : str
        Wave in which it is measured.
    since : int
        First of its pulses, sample of the session at 360 Hz; from then on there was no pause of
        `pulse_detector.MAX_PULSE_INTERVAL_S`.
    times : tuple of int
        Steepest rises of its last pulses, at most `KEPT`.
    """

    signal: Signal
    since: int
    times: tuple[int, ...]


class PulseRows(NamedTuple):
    """The pulse of some beds at the end of each stride.

    Attributes
    ----------
    wave : ndarray of int64, shape (beds, strides)
        Wave in which it is measured, an index of `SIGNALS`; -1 without a trusted pulse.
    since : ndarray of int64, shape (beds, strides)
        As in `PulseStatus`; -1 without a trusted pulse.
    number : ndarray of int64, shape (beds, strides)
        Number of ``times``.
    times : ndarray of int64, shape (beds, strides, KEPT)
        As in `PulseStatus`, oldest first; then -1.
    """

    wave: IntArray
    since: IntArray
    number: IntArray
    times: IntArray


def step(
    state: Detectors, waves: Sequence[WaveSamples], ends: Sequence[int]
) -> tuple[list[PulseStatus | None], Detectors]:
    """Push samples of one bed, in order of time for each wave, and evaluate the pulse at the ends of strides.

    Parameters
    ----------
    state : ndarray of DETECTOR, shape (1, WAVES)
    waves : sequence of WaveSamples
    ends : sequence of int
        Last sample of each stride, in order.

    Returns
    -------
    list of PulseStatus or None
        One per stride; None where no trusted pulse goes on.
    state : ndarray of DETECTOR, shape (1, WAVES)
    """
    state = state.copy()
    rows = advance(state, np.zeros(1, np.int64), np.array([ends], np.int64), [waves])
    found = zip(*(column[0].tolist() for column in rows), strict=True)
    return [
        PulseStatus(SIGNALS[wave], since, tuple(times[:number])) if number else None
        for wave, since, number, times in found
    ], state


def advance(detectors: Detectors, slots: IntArray, ends: IntArray, waves: Sequence[Sequence[WaveSamples]]) -> PulseRows:
    """Push samples of some beds, change their detectors, and evaluate the pulse at the ends of strides.

    Parameters
    ----------
    detectors : ndarray of DETECTOR, shape (slots, WAVES)
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    ends : ndarray of int64, shape (beds, strides)
        Last sample of each stride, in order.
    waves : sequence of sequence of WaveSamples
        Of each bed, in order of time for each wave.
    """
    trusted = pulse_detector.advance(detectors, slots, to_rows(waves))
    rows = PulseRows(
        wave=np.full(ends.shape, -1),
        since=np.full(ends.shape, -1),
        number=np.zeros(ends.shape, np.int64),
        times=np.full((*ends.shape, KEPT), -1),
    )
    _evaluate(trusted, ends, rows)
    return rows


@compiled
def _evaluate(trusted: TrustedPulses, ends: IntArray, rows: PulseRows) -> None:
    """Write the pulse of each stride into rows without a pulse."""
    for bed in range(len(ends)):
        for wave in range(WAVES):
            pulses, known = trusted.pulses[bed, wave], 0
            for stride in range(ends.shape[1]):
                now, longest = ends[bed, stride], rows.since[bed, stride]
                while known < trusted.number[bed, wave] and pulses[known, KNOWN_AT] <= now - DELAY:
                    known += 1
                if known == 0 or now - pulses[known - 1, AT] > MAX_SILENCE:
                    continue
                since = pulses[known - 1, SINCE]
                if longest == -1 or since < longest:
                    rows.wave[bed, stride], rows.since[bed, stride] = wave, since
                    rows.number[bed, stride] = _last_times(pulses, known, rows.times[bed, stride])


@compiled_part
def _last_times(pulses: IntArray, known: int, times: IntArray) -> int:
    """Write the times of the last known pulses that go on without a pause, then -1, and return their number."""
    first = max(known - KEPT, 0)
    while pulses[first, SINCE] != pulses[known - 1, SINCE]:
        first += 1
    for i in range(KEPT):
        times[i] = pulses[first + i, AT] if first + i < known else -1
    return known - first
