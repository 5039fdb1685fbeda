"""What happens in a synthetic patient: breaths, beats, and the pulses that they cause. The waves are drawn from it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stream.records.synthetic.breathing import Breaths, breaths
from stream.records.synthetic.circulation import (
    Pulses,
    arterial_pulses,
    finger_pulses,
    lagged,
    output,
    strokes,
)
from stream.records.synthetic.patient import Array, Patient, values_at
from stream.records.synthetic.rhythm import Beats, beats

BEYOND_S = 2
"""Events are known so long after the end of the record: a beat is preceded by its P wave."""

WASHOUT_S, LEAST_CO2 = 12.0, 0.15
"""When the circulation stops, the end-tidal CO2 falls with this time constant (s) to this share."""


class Events(NamedTuple):
    """Events of a synthetic patient.

    Attributes
    ----------
    breaths : Breaths
    beats : Beats
    radial, finger : Pulses
        Of the arterial line and of the oximeter.
    output : ndarray
        Cardiac output at 0, 1, … s, as a share of the normal one.
    end_tidal : ndarray, shape (breaths,)
        End-tidal CO2 of each breath, mmHg.
    """

    breaths: Breaths
    beats: Beats
    radial: Pulses
    finger: Pulses
    output: Array
    end_tidal: Array


def events(patient: Patient, seconds: float, rng: np.random.Generator) -> Events:
    """Return the events of a patient until somewhat after ``seconds``."""
    stop = math.ceil(seconds) + BEYOND_S
    for_breaths, for_beats = rng.spawn(2)
    breathing = breaths(patient, stop, for_breaths)
    beating = beats(patient, breathing, stop, for_beats)
    stroke = strokes(patient, breathing, beating)
    flow = output(patient, beating, stroke, stop - 1)
    washed = np.interp(breathing.onset, np.arange(flow.size), lagged(flow, WASHOUT_S))
    return Events(
        breathing,
        beating,
        arterial_pulses(patient, beating, stroke),
        finger_pulses(patient, beating, stroke),
        flow,
        values_at(patient.etco2, breathing.onset) * (LEAST_CO2 + (1 - LEAST_CO2) * washed),
    )
