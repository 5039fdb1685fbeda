"""A synthetic patient forward in time, piece by piece, or as a whole record: ECG, other waves, numbers, annotations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from stream.records.record import Annotations, Record, RecordedNumeric, RecordedWave
from stream.records.synthetic.breathing import lung_volume
from stream.records.synthetic.ecg import LEADS, EcgSource
from stream.records.synthetic.events import EventSource
from stream.records.synthetic.numerics import NumericsSource
from stream.records.synthetic.patient import NOTES, Array, Patient
from stream.records.synthetic.rhythm import Beats
from stream.records.synthetic.waves import CO2_FS, WAVE_FS, waves
from stream.timebase import FS
from stream.wire.numerics_message import UNIT_OF, NumericName
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

AHEAD = 108
"""Samples before which a beat is known: its P wave, and its trace in the respiration wave, begin before it. 0.3 s."""

PIECE = 60 * FS
"""Samples of a piece of a whole record."""

Element = TypeVar("Element", bound=np.generic)


class Piece(NamedTuple):
    """Part of a record; its arrays are read-only.

    Attributes
    ----------
    adu : ndarray of int16, shape (n, 2)
    waves : dict of str to ndarray of int16
    numerics : dict of str to ndarray
        At whole seconds.
    annotations : list of (int, str, str)
        Sample, symbol and aux string, in order.
    """

    adu: npt.NDArray[np.int16]
    waves: dict[Signal, npt.NDArray[np.int16]]
    numerics: dict[NumericName, Array]
    annotations: list[tuple[int, str, str]]


class PatientSource:
    """A synthetic patient, generated forward in time; its whole state can be copied and pickled.

    How the record is cut into pieces changes nothing. The parameters may be replaced at any time, by others that are
    equal until `changeable`: the record is then as if they had been known from the start on.

    Parameters
    ----------
    patient : Patient
    seed : int
        Not negative.

    Attributes
    ----------
    patient : Patient
    at : int
        The next sample.
    """

    def __init__(self, patient: Patient, seed: int) -> None:
        for_events, for_ecg, *for_waves = np.random.default_rng(seed).spawn(2 + len(WAVES))
        self.patient = patient
        self.at = 0
        self._events = EventSource(for_events)
        self._ecg = EcgSource(for_ecg)
        self._numerics = NumericsSource()
        self._noise = dict(zip(WAVES, for_waves, strict=True))

    @property
    def changeable(self) -> int:
        """The first sample from which on the parameters may still change."""
        return self.at + AHEAD if self.at else 0

    @property
    def last_beat_s(self) -> float:
        """Time of the last beat, s; 0 if there was none."""
        return self._events.last_beat_s

    def piece(self, n: int) -> Piece:
        """Return the next samples."""
        first, stop = self.at, self.at + n
        found = self._events.extend(self.patient, first / FS, (stop + AHEAD) / FS)
        volume = lung_volume(found.breaths, np.arange(first, stop) / FS)
        mv = self._ecg.piece(found.beats, self.patient.rhythm, volume, first)
        clean = waves(self.patient, found, first, stop)
        seconds = [math.ceil(at / FS) for at in (first, stop)]
        self.at = stop
        return Piece(
            _adu(mv, GAIN, ZERO),
            {signal: self._measured(signal, wave) for signal, wave in clean.items()},
            self._numerics.piece(self.patient, found, clean["abp"], clean["cvp"], *seconds),
            self._annotations(found.beats, first, stop),
        )

    def _measured(self, signal: Signal, clean: Array) -> npt.NDArray[np.int16]:
        """Return a wave with its noise, as ADC values."""
        _, gain, noise = WAVES[signal]
        return _adu(clean + self._noise[signal].normal(0, noise, clean.size), gain)

    def _annotations(self, beats: Beats, first: int, stop: int) -> list[tuple[int, str, str]]:
        """Return the beats and the notes of rhythms, in order; a note stands before a beat at the same sample."""
        rows = [(round(segment.start_s * FS), "+", NOTES[segment.rhythm]) for segment in self.patient.rhythm]
        at = np.rint(beats.time * FS).astype(np.int64).tolist()
        rows += [(sample, symbol, "") for sample, symbol in zip(at, beats.kind.tolist(), strict=True)]
        return sorted((row for row in rows if first <= row[0] < stop), key=lambda row: row[0])


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
        and a note at each start of a rhythm.
    """
    source, n = PatientSource(patient, seed), round(seconds * FS)
    return record_of([source.piece(min(PIECE, n - at)) for at in range(0, n, PIECE)], name)


def record_of(pieces: Sequence[Piece], name: str) -> Record:
    """Return one piece after another as a record; the first one begins at a whole sample of each wave and number."""
    annotations = [row for piece in pieces for row in piece.annotations]
    sample, symbol, aux = zip(*annotations, strict=True) if annotations else ((), (), ())
    return Record(
        name=name,
        leads=LEADS,
        gain=(GAIN,) * len(LEADS),
        zero=(ZERO,) * len(LEADS),
        adu=_joined([piece.adu for piece in pieces]),
        synthetic=True,
        source="synthetic patient",
        annotations=Annotations(_joined([np.array(sample, np.int64)]), symbol, aux),
        waves=tuple(
            RecordedWave(signal, WAVE_UNIT[signal], fs, gain, 0, _joined([piece.waves[signal] for piece in pieces]))
            for signal, (fs, gain, _) in WAVES.items()
        ),
        numerics=tuple(
            RecordedNumeric(number, UNIT_OF[number], 1.0, _joined([piece.numerics[number] for piece in pieces]))
            for number in pieces[0].numerics
        ),
    )


def _joined(parts: Sequence[npt.NDArray[Element]]) -> npt.NDArray[Element]:
    joined = np.concatenate(parts)
    joined.flags.writeable = False
    return joined


def _adu(values: Array, gain: float, zero: int = 0) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(values * gain + zero), -FULL_SCALE, FULL_SCALE).astype(np.int16)
