"""What the residual score carries from chunk to chunk, and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from model.config import DAMAGED_STATE
from model.episodes import Stretch
from model.familiar import Familiar
from stream.errors import StorageError

LOOK = 36
"""Patches, 400 ms, among which the surprising ones are looked for when a score is high."""

Array = npt.NDArray[np.float64]
Array32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ResidualConfig:
    """When surprise becomes an alarm; durations are counted in patches of 4 samples (11 ms).

    Attributes
    ----------
    block : int
        The patient's past is remembered as one peak per block; 90 patches are one second, the unit of the chance.
    memory : int
        Blocks remembered, of levels.
    long_memory : int
        Blocks remembered, of departures.
    warm : int
        Blocks needed before the first score.
    threshold : float
        Score at which an alarm is raised.
    release : float
        The alarm lasts while the score reaches this.
    hold : int
        Patches below ``release`` after which the alarm is cleared.
    """

    block: int = 90
    memory: int = 120
    long_memory: int = 300
    warm: int = 12
    threshold: float = 3.0
    release: float = 1.5
    hold: int = 90


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for this patient, one peak per block, oldest first.

    Attributes
    ----------
    peaks : ndarray, shape (n, LEVELS)
    quantiles : ndarray, shape (len(QUANTILES), LEVELS)
        Of the peaks; NaN while learning.
    departures : ndarray, shape (m,)
    shift : float
        By how much the law is moved up.
    """

    peaks: Array
    quantiles: Array
    departures: Array
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class ResidualState:
    """All that is carried from chunk to chunk.

    Attributes
    ----------
    start : int
        Index of the first sample of the epoch.
    patches : int
        Patches seen in this epoch.
    mean, scale : ndarray, shape (LOOK + max(LAGS), len(LAGS), patch, leads), float32, mV
        What the last origins forecast for the patches that vote; NaN before the epoch.
    observed : ndarray, shape (LOOK, patch, leads), mV
        The last patches.
    channels : ndarray, shape (RAW_KEPT, leads, CHANNELS)
        Of the last patches.
    levels : ndarray, shape (LEVELS_KEPT, LEVELS)
        Of the last patches.
    votes : ndarray, shape (LOOK,)
        Mean votes of the last patches.
    block_peaks : ndarray, shape (LEVELS,)
    block_departure : float
        The block that is being filled.
    usual : Usual
    shapes : Familiar
    stretch : Stretch or None
    """

    start: int
    patches: int
    mean: Array32
    scale: Array32
    observed: Array
    channels: Array
    levels: Array
    votes: Array
    block_peaks: Array
    block_departure: float
    usual: Usual
    shapes: Familiar
    stretch: Stretch | None = None

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return msgspec.msgpack.encode(self, enc_hook=_pack_array)

    @classmethod
    def from_bytes(cls, data: bytes) -> ResidualState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            return msgspec.msgpack.decode(data, type=cls, dec_hook=_unpack_array)
        except (msgspec.DecodeError, TypeError, ValueError) as error:
            raise StorageError(DAMAGED_STATE) from error


def _pack_array(value: object) -> object:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is no part of the state")
    kind = "<f4" if value.dtype == np.float32 else "<f8"
    return kind, value.shape, np.ascontiguousarray(value, kind).tobytes()


def _unpack_array(_: type, packed: tuple[str, Sequence[int], bytes]) -> npt.NDArray[np.floating]:
    kind, shape, data = packed
    if kind not in ("<f4", "<f8"):
        raise ValueError(f"arrays of {kind!r} are no part of the state")
    return np.frombuffer(data, kind).reshape(shape).astype(np.float32 if kind == "<f4" else np.float64)
