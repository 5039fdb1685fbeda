"""The ECG around the onset of an alarm, as the alarm store keeps it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.timebase import FS
from stream.wire.messages import INVALID

MARGIN_SAMPLES = 10 * FS
"""Samples before and after the onset."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The samples around the onset of an alarm.

    Attributes
    ----------
    alarm_id, bed, session, priority : str
        As in the alarm.
    start : int
        Index of the first sample since the start of the session.
    leads : tuple of str
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    samples : bytes
        Little-endian int16 of shape (n, leads) at 360 Hz, C order; −32768 is invalid or missing.
    complete : bool
        False if samples of the stream are missing.
    """

    alarm_id: str
    bed: str
    session: str
    priority: str
    start: int
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    samples: bytes
    complete: bool

    @property
    def stop(self) -> int:
        """Index after the last sample."""
        return self.start + len(self.samples) // (2 * len(self.leads))

    def adu(self) -> npt.NDArray[np.int16]:
        """Return the samples, shape (n, leads), read-only."""
        return np.frombuffer(self.samples, "<i2").reshape(-1, len(self.leads))

    def mv(self) -> npt.NDArray[np.float32]:
        """Return the samples in mV, shape (n, leads), NaN where invalid or missing."""
        adu = self.adu()
        mv = (adu - np.array(self.zero)) / np.array(self.gain)
        return np.where(adu == INVALID, np.nan, mv).astype(np.float32)


def strip_range(onset: int) -> tuple[int, int]:
    """Return the first sample of a strip and the index after its last; a session begins at sample 0."""
    return max(onset - MARGIN_SAMPLES, 0), onset + MARGIN_SAMPLES
