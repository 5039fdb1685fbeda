"""What happens in a synthetic patient: breaths, beats, and the pulses that they cause. The waves are drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from stream.records.synthetic.breathing import Breaths, BreathSource
from stream.records.synthetic.circulation import (
    NO_PULSES,
    Flow,
    Pulses,
    arrivals,
    arterial_pulses,
    finger_pulses,
    following_flow,
    strokes,
)
from stream.records.synthetic.patient import Array, Patient, values_at
from stream.records.synthetic.rhythm import Beats, BeatSource

LEAST_CO2 = 0.15
"""When the circulation stops, the end-tidal CO2 falls to this share."""

KEPT_S, LEAST_KEPT = 40.0, 3
"""Events are kept for so long after their time, s, and at least so many of each kind: waves and averages need them."""


Columns = TypeVar("Columns", Breaths, Beats, Pulses, Flow)


class Events(NamedTuple):
    """The last events of a synthetic patient.

    Attributes
    ----------
    breaths : Breaths
    end_tidal : ndarray, shape (breaths,)
        End-tidal CO2 of each breath, mmHg.
    beats : Beats
    stroke : ndarray, shape (beats,)
        Stroke volume of each beat, as a share of a normal one.
    radial, finger : Pulses
        Of the arterial line and of the oximeter.
    flow : Flow
    """

    breaths: Breaths
    end_tidal: Array
    beats: Beats
    stroke: Array
    radial: Pulses
    finger: Pulses
    flow: Flow


class EventSource:
    """Draws the events of a patient, forward in time.

    Parameters
    ----------
    rng : Generator
    """

    def __init__(self, rng: np.random.Generator) -> None:
        for_breaths, for_beats = rng.spawn(2)
        self._breaths = BreathSource(for_breaths)
        self._beats = BeatSource(for_beats, for_beats.uniform(0, 2 * np.pi))
        self._arrived = -np.inf
        none = np.empty(0)
        beats = Beats(none, np.empty(0, "U1"), none, none, np.empty(0, np.bool_))
        self._events = Events(
            Breaths(none, none, none, none), none, beats, none, NO_PULSES, NO_PULSES, Flow(none, none, none)
        )

    @property
    def last_beat_s(self) -> float:
        """Time of the last beat, s; 0 if there was none."""
        return self._beats.last.at if self._beats.last is not None else 0.0

    def extend(self, patient: Patient, now_s: float, stop_s: float) -> Events:
        """Return the events long before ``now_s`` to ``stop_s``; the stop never goes back."""
        known = self._events
        new_breaths = self._breaths.until(patient, stop_s)
        breaths = _joined(known.breaths, new_breaths)
        new_beats = self._beats.until(patient, breaths, stop_s)
        after_ventricular = known.beats.kind.size > 0 and known.beats.kind[-1] == "V"
        new_stroke = strokes(patient, breaths, new_beats, after_ventricular)
        beats, stroke = _joined(known.beats, new_beats), np.concatenate([known.stroke, new_stroke])
        flow = _joined(known.flow, following_flow(patient, beats, stroke, known.flow, stop_s))
        washed = flow.washed_at(new_breaths.onset)
        new_end_tidal = values_at(patient.etco2, new_breaths.onset) * (LEAST_CO2 + (1 - LEAST_CO2) * washed)
        arrival = arrivals(patient, new_beats, self._arrived)
        self._arrived = max(self._arrived, *arrival[-1:].tolist()) if arrival.size else self._arrived
        radial = arterial_pulses(patient, new_beats, arrival, new_stroke, known.radial)
        finger = finger_pulses(patient, new_beats, arrival, new_stroke, known.finger)
        radial, finger = _joined(known.radial, radial), _joined(known.finger, finger)
        since = now_s - KEPT_S
        breath, beat = _first_kept(breaths.onset, since), _first_kept(beats.time, since)
        self._events = Events(
            _from(breaths, breath),
            np.concatenate([known.end_tidal, new_end_tidal])[breath:],
            _from(beats, beat),
            stroke[beat:],
            _from(radial, _first_kept(radial.arrival, since)),
            _from(finger, _first_kept(finger.arrival, since)),
            _from(flow, _first_kept(flow.second, since)),
        )
        return self._events


def _joined(one: Columns, other: Columns) -> Columns:
    make: Callable[..., Columns] = type(one)
    return make(*(np.concatenate(parts) for parts in zip(one, other, strict=True)))


def _first_kept(at: Array, since: float) -> int:
    return min(int(np.searchsorted(at, since)), max(at.size - LEAST_KEPT, 0))


def _from(columns: Columns, first: int) -> Columns:
    make: Callable[..., Columns] = type(columns)
    return make(*(column[first:] for column in columns))
