"""A recording in memory: one or two ECG leads, int16, 360 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.wire.messages import INVALID

Samples = npt.NDArray[np.float64]


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
class Record:
    """A recording at 360 Hz.

    Attributes
    ----------
    name : str
        ``mitdb/208``, ``excerpt``, ``synthetic``, or the base name of a file; it never contains a local folder.
    leads : tuple of str
        One or two lead names; MLII first if present.
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    adu : ndarray of int16, shape (n, leads)
        Read-only; −32768 is invalid.
    synthetic : bool
        True if the samples are generated, not recorded from a patient.
    source : str
        Description of the source: ``local folder``, ``cache``, ``PhysioNet``, …
    annotations : Annotations or None
        None if the record has no ``.atr`` file.
    """

    name: str
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    adu: npt.NDArray[np.int16]
    synthetic: bool
    source: str
    annotations: Annotations | None = None

    @property
    def n(self) -> int:
        """Samples per lead."""
        return int(self.adu.shape[0])

    def mv(self) -> Samples:
        """Return the samples in mV, shape (n, leads), float64; NaN where invalid."""
        mv = (self.adu - np.asarray(self.zero, np.float64)) / np.asarray(self.gain, np.float64)
        mv[self.adu == INVALID] = np.nan
        return mv
