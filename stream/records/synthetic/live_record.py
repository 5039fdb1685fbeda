"""A synthetic patient generated while it is replayed: a record without an end, whose future can be changed.

It is generated as far as it is read, and the last half minute is kept. What is read twice is the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from stream.errors import UsageError
from stream.records.record import Annotations
from stream.records.synthetic import steering
from stream.records.synthetic.ecg import LEADS
from stream.records.synthetic.generator import GAIN, WAVES, ZERO, PatientSource
from stream.records.synthetic.patient import Patient
from stream.timebase import FS
from stream.wire.fields import MAX_INDEX
from stream.wire.numerics_message import UNIT_OF, Numeric, NumericName
from stream.wire.replay_actions import RhythmCode, VitalName
from stream.wire.wave_message import WAVE_UNIT, Signal, Unit

PIECE = 72
"""Samples are generated in multiples of it: a change takes effect 0.3 to 0.5 s after the last sample that was read."""

KEPT_S = 30
"""Seconds that are kept; a chunk has 10 at most."""

Element = TypeVar("Element", bound=np.generic)


class _Kept(Generic[Element]):
    """The last samples of a signal, by their numbers since the start of the record."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._begin = 0
        self._samples: npt.NDArray[Element] | None = None

    def add(self, samples: npt.NDArray[Element]) -> None:
        """Add the next samples, and forget the oldest."""
        if self._samples is None:
            self._samples = samples
            return
        forgotten = max(len(self._samples) - self._count, 0)
        self._samples = np.concatenate([self._samples[forgotten:], samples])
        self._begin += forgotten

    def part(self, first: int, stop: int) -> npt.NDArray[Element]:
        """Return some samples, which must be kept still.

        Raises
        ------
        UsageError
            They were forgotten.
        """
        if self._samples is None or first < self._begin:
            raise UsageError("a live patient cannot go back")
        return self._samples[first - self._begin : stop - self._begin]


class LiveWave:
    """A wave of a live patient; as `stream.records.record.RecordedWave`."""

    zero = 0

    def __init__(self, record: LiveRecord, signal: Signal) -> None:
        self.signal = signal
        self.unit: Unit = WAVE_UNIT[signal]
        self.fs, self.gain, _ = WAVES[signal]
        self.kept = _Kept[np.int16](math.ceil(KEPT_S * self.fs))
        self._record = record

    def within(self, first: int, stop: int) -> tuple[float, npt.NDArray[np.int16]]:
        """Return the samples in an interval of the ECG, as `RecordedWave.within`."""
        self._record.generate(stop)
        begin, end = (math.ceil(at * self.fs / FS) for at in (first, stop))
        return begin * FS / self.fs, self.kept.part(begin, end)


class LiveRecord:
    """A live patient, read as a `stream.records.record.Record`.

    Parameters
    ----------
    patient : Patient
        Its parameters at the start.
    seed : int
        Not negative.
    name : str

    Attributes
    ----------
    n : int
        Number of its samples; at first as many as a session can have. It may be changed.
    """

    leads = LEADS
    gain = (GAIN,) * len(LEADS)
    zero = (ZERO,) * len(LEADS)
    synthetic = True
    alone = False
    source = "synthetic patient"

    def __init__(self, patient: Patient, seed: int, name: str) -> None:
        self.name = name
        self.n = MAX_INDEX
        self.waves = tuple(LiveWave(self, signal) for signal in WAVES)
        self._source = PatientSource(patient, seed)
        self._ecg = _Kept[np.int16](KEPT_S * FS)
        self._numerics: dict[NumericName, _Kept[np.float64]] = {}
        self._present: dict[NumericName, int] = {}
        self._annotations: list[tuple[int, str, str]] = []

    @property
    def endless(self) -> bool:
        """Whether it goes on until somebody ends it."""
        return self.n == MAX_INDEX

    @property
    def patient(self) -> Patient:
        """Its parameters, with all changes so far."""
        return self._source.patient

    @property
    def numerics(self) -> tuple[NumericName, ...]:
        """Names of the numbers."""
        self.generate(1)
        return tuple(self._numerics)

    @property
    def annotations(self) -> Annotations:
        """The last beats and rhythms; of the others nothing is known yet, or any more."""
        sample, symbol, aux = zip(*self._annotations, strict=True) if self._annotations else ((), (), ())
        return Annotations(np.array(sample, np.int64), symbol, aux)

    def ecg(self, first: int, stop: int) -> npt.NDArray[np.int16]:
        """Return some samples of the ECG, as `Record.ecg`."""
        self.generate(stop)
        return self._ecg.part(first, stop)

    def numerics_at(self, position: int) -> tuple[Numeric, ...]:
        """Return the numbers, as messages contain them, that hold at a sample of the ECG."""
        self.generate(position + 1)
        second = position // FS
        found = []
        for name, kept in self._numerics.items():
            [value] = kept.part(second, second + 1).tolist()
            missing = math.isnan(value)
            since = self._present.get(name, 0) if missing else second
            found.append(
                Numeric(
                    name=name,
                    value=None if missing else value,
                    unit=UNIT_OF[name],
                    source="simulated",
                    age_s=round(max(position / FS - since, 0.0), 3),
                )
            )
        return tuple(found)

    def latest_numerics(self, last: int) -> int:
        """Return the last sample up to another one at which numbers are new."""
        return last // FS * FS

    def generate(self, stop: int) -> None:
        """Generate the samples before ``stop``, if they are not generated already."""
        if self._source.at < stop:
            second = math.ceil(self._source.at / FS)
            piece = self._source.piece(-(-(stop - self._source.at) // PIECE) * PIECE)
            self._ecg.add(piece.adu)
            for wave in self.waves:
                wave.kept.add(piece.waves[wave.signal])
            for name, values in piece.numerics.items():
                self._numerics.setdefault(name, _Kept(KEPT_S)).add(values)
                for place in np.flatnonzero(~np.isnan(values)).tolist():
                    self._present[name] = second + place
            since = self._source.at - KEPT_S * FS
            self._annotations = [row for row in (*self._annotations, *piece.annotations) if row[0] >= since]

    def set_vitals(self, values: Mapping[VitalName, float], seconds: float) -> int:
        """Let some numbers run to their targets, as `steering.with_vitals`; return the sample at which that begins.

        Raises
        ------
        UsageError
        """
        at = self._source.changeable
        self._source.patient = steering.with_vitals(self._source.patient, values, seconds, at / FS)
        return at

    def set_rhythm(self, code: RhythmCode, rate: float | None) -> int:
        """Change the rhythm, as `steering.with_rhythm`; return the sample from which on it is another one.

        Raises
        ------
        UsageError
        """
        at = self._source.changeable
        changed = steering.with_rhythm(self._source.patient, code, rate, at / FS)
        self._source.patient = steering.without_past(changed, at / FS, self._source.last_beat_s)
        return at
