"""Which signals a segment of a recording has, which of them share frames, and which have a record of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from stream.records.appended_record import Column
from stream.timebase import FS
from stream.wire.messages import Waveform
from stream.wire.wave_message import Signal, Unit, Wave

MIN_FRAMES_FS = Fraction(1)
"""Lowest number of frames per second; readers take a record with fewer for none of an ECG."""


@dataclass(frozen=True, slots=True)
class WaveColumn:
    """A wave of a segment: signal, unit, sampling rate in Hz, adu per unit, the adu of 0."""

    signal: Signal
    unit: Unit
    fs: Fraction
    gain: float
    zero: int

    @classmethod
    def of(cls, wave: Wave) -> WaveColumn:
        """Return the column that a chunk belongs to."""
        return cls(wave.signal, wave.unit, Fraction(wave.fs).limit_denominator(1000), wave.gain, wave.zero)


@dataclass(frozen=True, slots=True)
class Layout:
    """The signals of a segment.

    Attributes
    ----------
    leads : tuple of str
    gain, zero : tuple of float, tuple of int
        Of the ECG, as in the chunks.
    waves : tuple of WaveColumn
        At most one of each signal.
    own : tuple of WaveColumn
        Waves whose rate has no frame with that of the others; each has a record of its own.
    fs : Fraction
        Frames per second.
    """

    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    waves: tuple[WaveColumn, ...]
    own: tuple[WaveColumn, ...]
    fs: Fraction

    @property
    def ecg_per_frame(self) -> int:
        """Samples of each lead in a frame."""
        return int(FS / self.fs)

    def columns(self) -> list[Column]:
        """Return the signals in the order of a frame: leads, then waves."""
        leads = zip(self.leads, self.gain, self.zero, strict=True)
        ecg = [Column(name, "mV", gain, zero, self.ecg_per_frame) for name, gain, zero in leads]
        others = [
            Column(wave.signal.upper(), wave.unit, wave.gain, wave.zero, int(wave.fs / self.fs)) for wave in self.waves
        ]
        return ecg + others

    def knows(self, column: WaveColumn) -> bool:
        """Return whether a wave is one of this segment."""
        return column in self.waves or column in self.own


def layout_of(chunk: Waveform, waves: Iterable[Wave]) -> Layout:
    """Return the layout of a segment that begins with some chunks; of each signal the latest wave counts."""
    found = {wave.signal: WaveColumn.of(wave) for wave in waves}
    taken, own, fs = [], [], Fraction(FS)
    for column in (found[signal] for signal in sorted(found)):
        shared = _common_divisor(fs, column.fs)
        if shared >= MIN_FRAMES_FS:
            fs = shared
            taken.append(column)
        else:
            own.append(column)
    return Layout(chunk.leads, chunk.gain, chunk.zero, tuple(taken), tuple(own), fs)


def _common_divisor(one: Fraction, other: Fraction) -> Fraction:
    """Return the greatest rate of which both are multiples."""
    shared = math.gcd(one.numerator * other.denominator, other.numerator * one.denominator)
    return Fraction(shared, one.denominator * other.denominator)
