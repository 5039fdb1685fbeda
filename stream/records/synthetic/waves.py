"""The waves of a synthetic patient beside the ECG, without noise."""

from __future__ import annotations

import math

import numpy as np

from stream.records.synthetic.breathing import MEAN_VOLUME, capnogram, lung_volume
from stream.records.synthetic.circulation import (
    FINGER,
    RADIAL,
    RESPIRATORY_PRESSURE,
    pulse_wave,
    resting_pressure,
    venous_pressure,
)
from stream.records.synthetic.events import Events
from stream.records.synthetic.gaussian_waves import gaussian_waves
from stream.records.synthetic.patient import Array, Patient
from stream.timebase import FS
from stream.wire.wave_message import Signal

WAVE_FS, CO2_FS = 125.0, 62.5
"""Sampling rates of the waves and of the capnogram, Hz."""

PLETH_LEVEL, PLETH_RESPIRATION = 0.3, 0.12
"""Level of the plethysmogram, and its decrease with a mean breath; a pulse has height 1."""

RESP_BEAT = (0.12, 0.07, 0.03)
"""Trace of a beat in the respiration wave, which is an impedance: delay (s), width (s), height in mean breaths."""


def waves(patient: Patient, events: Events, first: int, stop: int) -> dict[Signal, Array]:
    """Return each wave over some samples of the ECG: pleth and resp in normal pulses and breaths, others in mmHg.

    Parameters
    ----------
    patient : Patient
    events : Events
    first, stop : int
        Samples of the ECG.
    """
    begin, end = (math.ceil(at * WAVE_FS / FS) for at in (first, stop))
    time = np.arange(begin, end) / WAVE_FS
    volume = lung_volume(events.breaths, time)
    respiration = volume - MEAN_VOLUME
    delay, width, height = RESP_BEAT
    beat = events.beats.time + delay
    beating = gaussian_waves(begin, end, WAVE_FS, beat, np.full(beat.shape, width), np.full(beat.shape, height))
    finger = pulse_wave(FINGER, events.finger, time, 0.0)
    artery = pulse_wave(RADIAL, events.radial, time, resting_pressure(patient))
    co2_time = np.arange(*(math.ceil(at * CO2_FS / FS) for at in (first, stop))) / CO2_FS
    return {
        "pleth": PLETH_LEVEL + finger - PLETH_RESPIRATION * respiration,
        "abp": artery - RESPIRATORY_PRESSURE * respiration,
        "cvp": venous_pressure(patient, events.beats, events.flow, volume, begin, WAVE_FS),
        "resp": volume + beating,
        "co2": capnogram(events.breaths, events.end_tidal, co2_time),
    }
