"""The pulse of one bed at the end of each stride, from its plethysmogram and its arterial pressure.

Of two waves with a trusted pulse, the one in which it has gone on longer is used: either may be disturbed, a pressure
while the line is flushed or blood is taken, a plethysmogram by movement.

A sample of a wave is used `DELAY` after its time on the scale of the ECG. The publisher sends a wave just before the
ECG of the same interval, so it is there in time; what is not counts as a missing pulse, and nothing waits for it. So
the pulse does not depend on how ECG and waves were cut into chunks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from model.signal import pulse_detector
from model.signal.arrays import IntArray
from model.signal.pulse_detector import AFTER_S, MAX_PULSE_INTERVAL_S, PulseDetectorState, WaveSamples
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


@dataclass(frozen=True, slots=True)
class PulsesState:
    """State carried from step to step: the detector of each wave received."""

    detectors: tuple[PulseDetectorState, ...] = ()


class PulseRows(NamedTuple):
    """The pulse of some beds at the end of each stride.

    Attributes
    ----------
    since : ndarray of int64, shape (beds, strides)
        As in `PulseStatus`; -1 without a trusted pulse.
    number : ndarray of int64, shape (beds, strides)
        Number of ``times``.
    times : ndarray of int64, shape (beds, strides, KEPT)
        As in `PulseStatus`, oldest first; then -1.
    """

    since: IntArray
    number: IntArray
    times: IntArray


def push(state: PulsesState, waves: Sequence[WaveSamples]) -> PulsesState:
    """Push samples of one bed, in order of time for each wave."""
    if not waves:
        return state
    detectors = {detector.signal: detector for detector in state.detectors}
    for samples in waves:
        detector = pulse_detector.step(detectors.get(samples.signal), samples)
        if detector is not None:
            detectors[samples.signal] = detector
    return PulsesState(tuple(detectors.values()))


def step(state: PulsesState, ends: Sequence[int]) -> tuple[list[PulseStatus | None], PulsesState]:
    """Evaluate the pulse at the ends of strides.

    Parameters
    ----------
    state : PulsesState
    ends : sequence of int
        Last sample of each stride, in order, at least one.

    Returns
    -------
    list of PulseStatus or None
        One per stride; None where no trusted pulse goes on.
    state : PulsesState
        Without the pulses that are no longer needed.
    """
    if not state.detectors:
        return [None] * len(ends), state
    by_wave = [[_status(detector, at) for detector in state.detectors] for at in ends]
    longest = [
        min((own for own in found if own is not None), key=attrgetter("since"), default=None) for found in by_wave
    ]
    return longest, PulsesState(tuple(_forget(detector, ends[-1]) for detector in state.detectors))


def advance(states: list[PulsesState], slots: IntArray, ends: IntArray) -> PulseRows:
    """Evaluate the pulse of some beds at the ends of strides, and change their states.

    Parameters
    ----------
    states : list of PulsesState
        State of each slot.
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    ends : ndarray of int64, shape (beds, strides)
        Last sample of each stride, in order.
    """
    rows = PulseRows(
        since=np.full(ends.shape, -1), number=np.zeros(ends.shape, np.int64), times=np.full((*ends.shape, KEPT), -1)
    )
    for bed, slot in enumerate(slots.tolist()):
        if states[slot].detectors:
            found, states[slot] = step(states[slot], ends[bed].tolist())
            for stride, now in enumerate(found):
                if now is not None:
                    rows.since[bed, stride], rows.number[bed, stride] = now.since, len(now.times)
                    rows.times[bed, stride, : len(now.times)] = now.times
    return rows


def _status(detector: PulseDetectorState, at: int) -> PulseStatus | None:
    known = detector.trusted[: _known(detector, at)]
    if not known or at - known[-1].at > MAX_SILENCE:
        return None
    since = known[-1].since
    return PulseStatus(detector.signal, since, tuple(pulse.at for pulse in known[-KEPT:] if pulse.since == since))


def _known(detector: PulseDetectorState, at: int) -> int:
    """Return the number of trusted pulses that are known at the end of a stride."""
    return bisect_right(detector.trusted, at - DELAY, key=attrgetter("known_at"))


def _forget(detector: PulseDetectorState, at: int) -> PulseDetectorState:
    return replace(detector, trusted=detector.trusted[max(_known(detector, at) - KEPT, 0) :])
