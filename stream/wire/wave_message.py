"""The message of waves other than ECG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from stream.timebase import FS
from stream.wire.fields import (
    MAX_GAIN,
    MAX_INDEX,
    MAX_SPEED,
    MIN_GAIN,
    MIN_SPEED,
    BedName,
    Hex128,
    Index,
    Nanoseconds,
    Text,
)
from stream.wire.messages import INVALID, Message

MIN_WAVE_FS, MAX_WAVE_FS = 1.0, 1000.0
"""Accepted sampling rates of a wave other than ECG, in Hz."""

Signal = Literal["pleth", "abp", "pap", "cvp", "resp", "co2"]
"""Waves other than ECG: plethysmogram, pressures (arterial, pulmonary artery, central venous), respiration (impedance
of the thorax), carbon dioxide in the airway."""

Unit = Literal["NU", "mmHg"]
"""Units of these waves; NU is no unit."""

WAVE_UNIT: Mapping[Signal, Unit] = {
    "pleth": "NU",
    "abp": "mmHg",
    "pap": "mmHg",
    "cvp": "mmHg",
    "resp": "NU",
    "co2": "mmHg",
}
"""The unit of each wave."""

SessionTime = Annotated[float, msgspec.Meta(ge=0, le=MAX_INDEX)]


class Wave(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A chunk of a wave other than ECG, sent just before the chunk of ECG of the same interval.

    It contains the samples of the interval; if there are none, as in an interval shorter than one sample, it is not
    sent.

    Attributes
    ----------
    bed, session, epoch, epoch_start, speed, record, synthetic
        As in `Waveform`.
    seq : int
        Number of the chunk of ECG of the same interval.
    signal : str
        One of `Signal`.
    unit : str
        That of `WAVE_UNIT`: ``NU`` (no unit) or ``mmHg``.
    start : float
        Time of the chunk's first sample on the scale of the session, in samples at 360 Hz. Sample i is at
        ``start + 360 * i / fs``.
    t0_ns : int
        Unix time in ns at which the first sample is due.
    fs : float
        Sampling rate of this wave, 1 to 1000 Hz.
    gain, zero : float, int
        adu per unit and the adu of 0.
    samples : bytes
        Little-endian int16; −32768 is invalid.
    position : float
        Position of the first sample in the recording, in samples at 360 Hz.
    """

    bed: BedName
    session: Hex128
    epoch: Index
    seq: Index
    signal: Signal
    unit: Unit
    start: SessionTime
    epoch_start: Index
    t0_ns: Nanoseconds
    speed: float
    fs: float
    gain: float
    zero: Annotated[int, msgspec.Meta(ge=-32767, le=32767)]
    samples: bytes
    record: Text
    position: SessionTime
    synthetic: bool

    def __post_init__(self) -> None:
        if self.unit != WAVE_UNIT[self.signal]:
            raise ValueError(f"{self.signal} is in {WAVE_UNIT[self.signal]}, not in {self.unit}")
        if not MIN_GAIN <= self.gain <= MAX_GAIN:
            raise ValueError(f"gain {self.gain} is not within {MIN_GAIN} to {MAX_GAIN}")
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise ValueError(f"speed {self.speed} is not within {MIN_SPEED} to {MAX_SPEED}")
        if not MIN_WAVE_FS <= self.fs <= MAX_WAVE_FS:
            raise ValueError(f"sampling rate {self.fs} is not within {MIN_WAVE_FS} to {MAX_WAVE_FS}")
        if not self.samples or len(self.samples) % 2:
            raise ValueError(f"{len(self.samples)} bytes are not a whole number of int16 samples")
        if max(self.start, self.position) + self.n * FS / self.fs > MAX_INDEX:
            raise ValueError(f"sample {max(self.start, self.position)} lies beyond {MAX_INDEX}")
        if self.epoch_start > self.start:
            raise ValueError(f"epoch_start {self.epoch_start} lies after start {self.start}")

    @property
    def n(self) -> int:
        """Samples in this chunk."""
        return len(self.samples) // 2

    @property
    def end(self) -> float:
        """Time at which the next sample follows, in samples at 360 Hz."""
        return self.start + self.n * FS / self.fs

    @property
    def due_ns(self) -> int:
        """Unix time in ns at which the chunk is complete and due to be sent."""
        return self.t0_ns + round(self.n * 1e9 / (self.fs * self.speed))

    def values(self) -> npt.NDArray[np.float64]:
        """Return the samples in the wave's unit, shape (n,), float64; NaN where invalid."""
        adu = np.frombuffer(self.samples, dtype="<i2")
        values = (adu - float(self.zero)) / self.gain
        values[adu == INVALID] = np.nan
        return values
