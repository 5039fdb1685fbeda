"""From chunks to forecasts, scores and alarms: all beds in one pure step, the same live and offline.

``begin`` gives the state of a bed at the start of an epoch, ``step`` takes one chunk for each bed, ``finish`` ends
what is open when the epoch breaks. Forecasts are made at every patch; those at the ends of strides of 36 samples,
counted from the epoch's first sample, are the ones to publish.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from model.anomaly import anomaly_detector as residual
from model.anomaly.anomaly_detector import Surprises
from model.anomaly.episodes import Event
from model.anomaly.state import ResidualConfig, ResidualState
from model.forecast import forecaster as forecasting
from model.forecast.checkpoint import Checkpoint
from model.signal.arrays import FloatArray
from model.signal.state_codec import DAMAGED_STATE
from stream.errors import StorageError
from stream.timebase import STRIDE

RESIDUAL = ResidualConfig()
"""How surprise is measured, live and offline."""


@dataclass(frozen=True, slots=True)
class BedState:
    """All that is remembered of one bed.

    Attributes
    ----------
    forecaster : model.forecast.forecaster.BedState
    residual : ResidualState
    epoch_start : int
        Index of the epoch's first sample, from which strides count.
    highest : float
        Highest score since the last published forecast; NaN where there was none.
    """

    forecaster: forecasting.BedState
    residual: ResidualState
    epoch_start: int
    highest: float = math.nan

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        parts = (self.forecaster.to_bytes(), self.residual.to_bytes(), self.epoch_start, self.highest)
        return msgspec.msgpack.encode(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> BedState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            forecast, surprise, epoch_start, highest = msgspec.msgpack.decode(
                data, type=tuple[bytes, bytes, int, float]
            )
        except msgspec.DecodeError as error:
            raise StorageError(DAMAGED_STATE) from error
        return cls(forecasting.BedState.from_bytes(forecast), ResidualState.from_bytes(surprise), epoch_start, highest)


@dataclass(frozen=True, slots=True)
class Published:
    """A forecast at the end of a stride.

    Attributes
    ----------
    origin : int
        Index of the last observed sample; ``mean[i]`` is for sample ``origin + 1 + i``.
    mean, scale : ndarray of float32, shape (horizon, leads)
        mV.
    score : float
        The highest since the forecast published before, ``-log10`` of a chance per second; NaN while learning.
    """

    origin: int
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True)
class BedOutput:
    """What one chunk brought; k origins, which may be none.

    Attributes
    ----------
    origin : ndarray of int64, shape (k,)
        Index of the last observed sample of each patch.
    mean, scale : ndarray of float32, shape (k, horizon, leads)
        mV.
    score : ndarray of float64, shape (k,)
        NaN while learning.
    events : tuple of Raised or Cleared
    published : tuple of Published
    """

    origin: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    score: FloatArray
    events: tuple[Event, ...]
    published: tuple[Published, ...]


def begin(forecaster: Checkpoint, leads: int, start: int, epoch_start: int) -> BedState:
    """Return the state of a bed whose first sample will be ``start``, in an epoch that began at ``epoch_start``."""
    state = forecasting.begin(forecaster, leads, start, epoch_start)
    patch = forecaster.network.config.patch
    return BedState(state, residual.begin(RESIDUAL, start + state.skip, leads, patch), epoch_start)


def step(
    forecaster: Checkpoint, states: Sequence[BedState], chunks: Sequence[FloatArray]
) -> list[tuple[BedOutput, BedState]]:
    """Take one chunk for each bed, in as few calls of the network as their lengths allow.

    Parameters
    ----------
    forecaster : Checkpoint
    states : sequence of BedState
    chunks : sequence of ndarray of float64, shape (n, leads)
        mV, NaN where invalid; the samples that follow those seen.

    Returns
    -------
    list of (BedOutput, BedState)
        In the order of ``states``.
    """
    stepped = forecasting.step(forecaster, [state.forecaster for state in states], chunks)
    judged = residual.step_together(
        RESIDUAL,
        [state.residual for state in states],
        [made.mean for made, _ in stepped],
        [made.scale for made, _ in stepped],
        [made.observed for made, _ in stepped],
    )
    return [_joined(state, *ahead, *surprise) for state, ahead, surprise in zip(states, stepped, judged, strict=True)]


def _joined(
    state: BedState,
    made: forecasting.Forecasts,
    forecaster_state: forecasting.BedState,
    surprises: Surprises,
    surprise_state: ResidualState,
) -> tuple[BedOutput, BedState]:
    rows, highest, left = strides(made.origin - state.epoch_start, surprises.score, state.highest)
    published = tuple(
        Published(int(made.origin[row]), made.mean[row], made.scale[row], score)
        for row, score in zip(rows, highest, strict=True)
    )
    output = BedOutput(made.origin, made.mean, made.scale, surprises.score, surprises.events, published)
    return output, BedState(forecaster_state, surprise_state, state.epoch_start, left)


def strides(origin: npt.NDArray[np.int64], score: FloatArray, highest: float) -> tuple[list[int], list[float], float]:
    """Choose the forecasts to publish, with the highest score since the one before.

    Parameters
    ----------
    origin : ndarray of int64, shape (k,)
        Counted from the epoch's first sample.
    score : ndarray, shape (k,)
        NaN where unknown.
    highest : float
        Of the scores before the first origin that belong to its stride; NaN where there was none.

    Returns
    -------
    rows : list of int
    highest : list of float
        One for each row.
    left : float
        The highest score after the last row, to be carried on.
    """
    rows, peaks = [], []
    for row, (place, value) in enumerate(zip(origin.tolist(), score.tolist(), strict=True)):
        if math.isnan(highest) or value > highest:
            highest = value
        if (place + 1) % STRIDE == 0:
            rows.append(row)
            peaks.append(highest)
            highest = math.nan
    return rows, peaks, highest


def finish(state: BedState) -> tuple[Event, ...]:
    """Return the events that end what is open, because the epoch ends and nothing follows it."""
    cleared, _ = residual.finish(RESIDUAL, state.residual)
    return () if cleared is None else (cleared,)
