"""What the residual score carries from chunk to chunk, and its settings."""

from __future__ import annotations

from dataclasses import dataclass

from model.anomaly.episodes import Stretch
from model.anomaly.template_memory import Familiar
from model.signal import state_codec
from model.signal.arrays import Float32Array, FloatArray

LOOK = 36
"""Patches, 400 ms, among which the surprising ones are looked for when a score is high."""


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

    peaks: FloatArray
    quantiles: FloatArray
    departures: FloatArray
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
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray
    channels: FloatArray
    levels: FloatArray
    votes: FloatArray
    block_peaks: FloatArray
    block_departure: float
    usual: Usual
    shapes: Familiar
    stretch: Stretch | None = None

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return state_codec.pack(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> ResidualState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        return state_codec.unpack(data, cls)
