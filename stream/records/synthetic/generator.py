"""A synthetic patient as a record: ECG, other waves, numbers and annotations, from parameters and a seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.records.record import Annotations, Record, RecordedNumeric, RecordedWave
from stream.records.synthetic.breathing import lung_volume
from stream.records.synthetic.ecg import LEADS, ecg
from stream.records.synthetic.events import Events, events
from stream.records.synthetic.numerics import numerics
from stream.records.synthetic.patient import Array, Patient, SimulatedRhythm
from stream.records.synthetic.waves import CO2_FS, WAVE_FS, waves
from stream.timebase import FS
from stream.wire.numerics_message import UNIT_OF
from stream.wire.wave_message import WAVE_UNIT, Signal

GAIN, ZERO = 200.0, 1024
"""Of the ECG, as in MIT-BIH: adu per mV, and the adu of 0 mV."""

WAVES: dict[Signal, tuple[float, float, float]] = {
    "pleth": (WAVE_FS, 8000.0, 0.004),
    "abp": (WAVE_FS, 80.0, 0.25),
    "cvp": (WAVE_FS, 400.0, 0.08),
    "resp": (WAVE_FS, 8000.0, 0.006),
    "co2": (CO2_FS, 200.0, 0.1),
}
"""Sampling rate (Hz), gain (adu per unit) and standard deviation of the noise of each wave."""

FULL_SCALE = 32767
"""Largest adu value."""

NOTES: dict[SimulatedRhythm, str] = {
    "sinus": "(N",
    "bigeminy": "(B",
    "atrial fibrillation": "(AFIB",
    "ventricular tachycardia": "(VT",
    "ventricular fibrillation": "(VF",
    "asystole": "(ASYS",
}
"""Rhythm notes, as in MIT-BIH's databases."""


def generate(patient: Patient, seconds: float, seed: int, name: str = "synthetic") -> Record:
    """Return a record of a synthetic patient.

    The same arguments give the same record, and a longer one begins with the shorter one.

    Parameters
    ----------
    patient : Patient
    seconds : float
        Duration, s.
    seed : int
        Not negative.
    name : str
        Name of the record.

    Returns
    -------
    Record
        Leads MLII and V1; waves pleth, abp, cvp, resp (125 Hz) and co2 (62.5 Hz); numbers at 1 Hz; annotations N, S, V,
        and a note at each begin of a rhythm.
    """
    for_events, for_ecg, *for_waves = np.random.default_rng(seed).spawn(2 + len(WAVES))
    n = round(seconds * FS)
    found = events(patient, seconds, for_events)
    volume = lung_volume(found.breaths, np.arange(n) / FS)
    mv = ecg(found.beats, patient.rhythm, volume, for_ecg)
    clean = waves(patient, found, n)
    numbers = numerics(patient, found, clean["abp"], clean["cvp"], WAVE_FS)
    return Record(
        name=name,
        leads=LEADS,
        gain=(GAIN,) * len(LEADS),
        zero=(ZERO,) * len(LEADS),
        adu=_adu(mv, GAIN, ZERO),
        synthetic=True,
        source="synthetic patient",
        annotations=_annotations(patient, found, n),
        waves=tuple(_recorded(signal, clean[signal], rng) for signal, rng in zip(WAVES, for_waves, strict=True)),
        numerics=tuple(RecordedNumeric(number, UNIT_OF[number], 1.0, values) for number, values in numbers.items()),
    )


def _recorded(signal: Signal, clean: Array, rng: np.random.Generator) -> RecordedWave:
    fs, gain, noise = WAVES[signal]
    return RecordedWave(signal, WAVE_UNIT[signal], fs, gain, 0, _adu(clean + rng.normal(0, noise, clean.size), gain))


def _adu(values: Array, gain: float, zero: int = 0) -> npt.NDArray[np.int16]:
    adu = np.clip(np.rint(values * gain + zero), -FULL_SCALE, FULL_SCALE).astype(np.int16)
    adu.flags.writeable = False
    return adu


def _annotations(patient: Patient, found: Events, n: int) -> Annotations:
    """Return the beats and the notes of rhythms, in order; a note stands before a beat at the same sample."""
    notes = [(round(segment.start_s * FS), "+", NOTES[segment.rhythm]) for segment in patient.rhythm]
    beats = zip(np.rint(found.beats.time * FS).astype(np.int64).tolist(), found.beats.kind.tolist(), strict=True)
    rows = sorted([*notes, *((at, symbol, "") for at, symbol in beats)], key=lambda row: row[0])
    sample, symbol, aux = zip(*(row for row in rows if row[0] < n), strict=True)
    at = np.array(sample, np.int64)
    at.flags.writeable = False
    return Annotations(at, symbol, aux)
