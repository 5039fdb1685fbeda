"""A recording in memory: ECG, int16, 360 Hz, of up to twelve leads; other waves and numerics at rates of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stream.errors import RecordError
from stream.timebase import FS
from stream.wire.messages import ANALYSED_LEADS, INVALID
from stream.wire.numerics_message import Numeric, NumericName, NumericSource, NumericUnit
from stream.wire.wave_message import Signal, Unit

Samples = npt.NDArray[np.float64]

MAX_NUMERICS_FS = 1.0
"""Largest rate of messages with numerics, Hz."""

_ROUNDING = 1e-6
"""Share of an ECG sample by which a time may lie after it: times are rounded."""

_SHARE_ROUNDING = 1e-9
"""The same of a sample of a numeric, which may last an hour: far less than a sample of the ECG."""


@dataclass(frozen=True)
class Annotations:
    """Reference annotations.

    Attributes
    ----------
    sample : ndarray of int64, shape (k,)
        Positions in samples at 360 Hz.
    symbol, aux : tuple of str
        WFDB annotation symbols, such as ``N``, ``V``, ``+``, and their aux strings, such as ``(AFIB``.
    """

    sample: npt.NDArray[np.int64]
    symbol: tuple[str, ...]
    aux: tuple[str, ...]


@dataclass(frozen=True)
class RecordedWave:
    """A wave of a recording other than ECG, as stored.

    Attributes
    ----------
    signal : str
        ``pleth``, ``abp``, …
    unit : str
        ``NU`` (no unit) or ``mmHg``, as `stream.wire.wave_message.WAVE_UNIT` gives it.
    fs : float
        Sampling rate, Hz. Sample k is at sample ``360 * k / fs`` of the ECG.
    gain, zero : float, int
        adu per unit and the adu of 0.
    adu : ndarray of int16, shape (n,)
        Read-only; −32768 is invalid.
    """

    signal: Signal
    unit: Unit
    fs: float
    gain: float
    zero: int
    adu: npt.NDArray[np.int16]

    def within(self, first: int, stop: int) -> tuple[float, npt.NDArray[np.int16]]:
        """Return the samples in an interval of the ECG.

        Parameters
        ----------
        first, stop : int
            First sample of the ECG's interval and the one after its last, at 360 Hz.

        Returns
        -------
        float
            Time of the first sample, in samples at 360 Hz.
        ndarray of int16, shape (k,)
            ADC values; possibly none.
        """
        begin = math.ceil(first * self.fs / FS)
        return begin * FS / self.fs, self.adu[begin : math.ceil(stop * self.fs / FS)]

    def values(self, adu: npt.NDArray[np.int16]) -> Samples:
        """Return ADC values of this wave in its unit, float64; NaN where invalid."""
        values = (adu - np.float64(self.zero)) / np.float64(self.gain)
        values[adu == INVALID] = np.nan
        return values


@dataclass(frozen=True)
class RecordedNumeric:
    """A numeric of a recording, as the device showed it, or as a simulation gives it.

    Attributes
    ----------
    name : str
    unit : str
        That of `stream.wire.numerics_message.UNIT_OF`.
    fs : float
        Sampling rate, Hz. Sample k holds from sample ``360 * k / fs`` of the ECG on, until the next one.
    values : ndarray of float64, shape (n,)
        Read-only; NaN is missing.
    """

    name: NumericName
    unit: NumericUnit
    fs: float
    values: Samples

    def at(self, position: float) -> tuple[float | None, float]:
        """Return the value that holds at a sample of the ECG, and its age.

        Parameters
        ----------
        position : float
            At 360 Hz, 0 or more.

        Returns
        -------
        float or None
            None if it is missing.
        float
            Seconds since its sample; if it is missing, since the last one that was there, or since the start of the
            record.
        """
        place = math.floor(position * self.fs / FS + _SHARE_ROUNDING)
        if place < self.values.size and not np.isnan(self.values[place]):
            return float(self.values[place]), max(position / FS - place / self.fs, 0.0)
        present = np.flatnonzero(~np.isnan(self.values[: place + 1]))
        last = float(present[-1]) / self.fs if present.size else 0.0
        return None, max(position / FS - last, 0.0)


@dataclass(frozen=True)
class Record:
    """A recording at 360 Hz.

    Attributes
    ----------
    name : str
        ``mitdb/208``, ``excerpt``, ``synthetic``, or the base name of a file; it never contains a local folder.
    leads : tuple of str
        Up to twelve lead names, first the two that are analysed; none in a record of numerics alone.
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    adu : ndarray of int16, shape (n, leads)
        Read-only; −32768 is invalid. Without leads it has no values, and its length is the duration.
    synthetic : bool
        True if the samples are generated, not recorded from a patient.
    source : str
        Description of the source: ``local folder``, ``cache``, ``PhysioNet``, …
    annotations : Annotations or None
        None if the record has no ``.atr`` file.
    waves : tuple of RecordedWave
        At most one of each signal.
    numerics : tuple of RecordedNumeric
        At most one of each name.
    """

    name: str
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    adu: npt.NDArray[np.int16]
    synthetic: bool
    source: str
    annotations: Annotations | None = None
    waves: tuple[RecordedWave, ...] = ()
    numerics: tuple[RecordedNumeric, ...] = ()

    @property
    def n(self) -> int:
        """Samples per lead."""
        return int(self.adu.shape[0])

    @property
    def alone(self) -> bool:
        """Whether the record has numerics alone: neither ECG nor other waves."""
        return not self.leads

    def mv(self) -> Samples:
        """Return the samples in mV, shape (n, leads), float64; NaN where invalid."""
        mv = (self.adu - np.asarray(self.zero, np.float64)) / np.asarray(self.gain, np.float64)
        mv[self.adu == INVALID] = np.nan
        return mv

    def ecg(self, first: int, stop: int) -> npt.NDArray[np.int16]:
        """Return some samples of the ECG, shape (n, leads)."""
        return self.adu[first:stop]

    def numerics_at(self, position: int) -> tuple[Numeric, ...]:
        """Return the numerics, as messages contain them, that hold at a sample of the ECG."""
        source: NumericSource = "simulated" if self.synthetic else "recorded"
        found = ((one, *one.at(position)) for one in self.numerics)
        return tuple(
            Numeric(name=one.name, value=value, unit=one.unit, source=source, age_s=round(age_s, 3))
            for one, value, age_s in found
        )

    def numerics_positions(self) -> Iterator[int]:
        """Yield the samples of the ECG at which numerics are new, with at most `MAX_NUMERICS_FS`."""
        number = 0
        while self.numerics and (position := self._numerics_position(number)) < self.n:
            yield position
            number += 1

    def latest_numerics(self, last: int) -> int:
        """Return the latest of these samples up to a sample; there must be numerics."""
        return self._numerics_position(math.floor(last * self._numerics_fs / FS + _SHARE_ROUNDING))

    def next_numerics(self, first: int) -> int:
        """Return the earliest of these samples from a sample on, or the end of the record; there must be numerics."""
        return min(self._numerics_position(math.ceil(first * self._numerics_fs / FS - _SHARE_ROUNDING)), self.n)

    @property
    def numerics_interval_s(self) -> float:
        """Time between two of these samples, s; there must be numerics."""
        return 1 / self._numerics_fs

    @property
    def _numerics_fs(self) -> float:
        return min(max(one.fs for one in self.numerics), MAX_NUMERICS_FS)

    def _numerics_position(self, number: int) -> int:
        return math.ceil(number * FS / self._numerics_fs - _ROUNDING)

    def first_leads(self, count: int) -> Record:
        """Return the record with at most ``count`` leads; it shares the samples."""
        if count >= len(self.leads):
            return self
        leads, gain, zero = self.leads[:count], self.gain[:count], self.zero[:count]
        return replace(self, leads=leads, gain=gain, zero=zero, adu=self.adu[:, :count])

    def analysed(self) -> Record:
        """Return the record with the leads that forecast and alarms use."""
        return self.first_leads(ANALYSED_LEADS)

    def until(self, stop: int) -> Record:
        """Return the first ``stop`` samples of the ECG, waves and numerics up to there; annotations are kept."""
        waves = tuple(replace(wave, adu=wave.within(0, stop)[1]) for wave in self.waves)
        numerics = tuple(
            replace(one, values=one.values[: math.ceil(stop * one.fs / FS - _ROUNDING)]) for one in self.numerics
        )
        return replace(self, adu=self.adu[:stop], waves=waves, numerics=numerics)


def of_numerics(
    name: str, numerics: tuple[RecordedNumeric, ...], seconds: float, source: str, *, synthetic: bool = False
) -> Record:
    """Return a record of numerics alone.

    Parameters
    ----------
    name : str
    numerics : tuple of RecordedNumeric
        At least one.
    seconds : float
        Duration.
    source : str
    synthetic : bool

    Raises
    ------
    RecordError
        There are no numerics.
    """
    if not numerics:
        raise RecordError(f"record {name} has neither ECG nor a numeric: choose another one")
    adu = np.empty((round(seconds * FS), 0), np.int16)  # takes no memory
    return Record(name, (), (), (), adu, synthetic, source, numerics=numerics)
