"""Forecasts from live chunks: (state, chunk) in, (forecasts, state) out, all beds in one call of the network.

Origins lie on a grid of one patch, counted from the epoch's first sample, and the normalisation moves on that grid
too, so cutting the same signal into any chunks gives the same forecasts. Nothing looks ahead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as bytes_of

from model import calibration, checkpoint, scaling
from model.calibration import CalibrationState
from model.checkpoint import Checkpoint
from model.config import DAMAGED_STATE
from model.network import denormals_flushed
from model.scaling import ScalingState
from stream.errors import StorageError

Array = npt.NDArray[np.float64]
Array32 = npt.NDArray[np.float32]

SCALING = tuple(field.name for field in fields(ScalingState))
CALIBRATION = tuple(field.name for field in fields(CalibrationState))


@dataclass(frozen=True)
class BedState:
    """What the forecaster remembers of one bed.

    Attributes
    ----------
    next : int
        Index of the sample that must come next.
    skip : int
        Samples still to be dropped before the grid begins, when the bed was joined off the grid.
    pending : ndarray of float64, shape (n < patch, leads)
        Samples of the patch that is not yet whole, in mV, finite.
    last : ndarray of float64, shape (leads,)
        The last valid sample, which stands in for invalid ones; 0 before the first.
    history : ndarray of float64, shape (leads, window - patch), or (leads, 0) before the first patch
        The last whole patches.
    scaling : ScalingState
        One stream a lead.
    calibration : CalibrationState
        One stream a lead.
    h, c : ndarray of float32, shape (layers, leads, hidden)
        Of the LSTM.
    """

    next: int
    skip: int
    pending: Array
    last: Array
    history: Array
    scaling: ScalingState
    calibration: CalibrationState
    h: Array32
    c: Array32

    @property
    def leads(self) -> int:
        """Number of leads."""
        return len(self.last)

    def to_bytes(self) -> bytes:
        """Return the state as safetensors."""
        tensors = {
            "count": np.array([self.next, self.skip], dtype=np.int64),
            **{name: getattr(self, name) for name in ("pending", "last", "history", "h", "c")},
            **{f"scaling.{name}": value for name, value in vars(self.scaling).items()},
            **{f"calibration.{name}": value for name, value in vars(self.calibration).items()},
        }
        return bytes(bytes_of({name: np.ascontiguousarray(value) for name, value in tensors.items()}))

    @classmethod
    def from_bytes(cls, data: bytes) -> BedState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            tensors = tensors_of(data)
            following, skip = map(int, tensors.pop("count"))
            scaled = {name: tensors.pop(f"scaling.{name}") for name in SCALING}
            calibrated = {name: tensors.pop(f"calibration.{name}") for name in CALIBRATION}
            return cls(
                next=following,
                skip=skip,
                scaling=ScalingState(**scaled),
                calibration=CalibrationState(**calibrated),
                **tensors,
            )
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise StorageError(DAMAGED_STATE) from error


@dataclass(frozen=True)
class Forecasts:
    """What one chunk brought; k origins, which may be none.

    Attributes
    ----------
    origin : ndarray of int64, shape (k,)
        Index of the last observed sample; ``mean[j, i]`` is for sample ``origin[j] + 1 + i``.
    mean, scale : ndarray of float32, shape (k, horizon, leads)
        mV; `scale` is the predicted standard deviation.
    observed : ndarray of float64, shape (k, patch, leads)
        The samples that led to each origin, in mV; an invalid one holds the value before it.
    """

    origin: npt.NDArray[np.int64]
    mean: Array32
    scale: Array32
    observed: Array


def load_forecaster(path: Path | None = None) -> Checkpoint:
    """Load weights, by default those that come with the package.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or made for another network.
    """
    return checkpoint.load(path)


def begin(forecaster: Checkpoint, leads: int, start: int, epoch_start: int) -> BedState:
    """Return the state of a bed whose first sample will be `start`, in an epoch that began at `epoch_start`."""
    config = forecaster.network.config
    return BedState(
        next=start,
        skip=(epoch_start - start) % config.patch,
        pending=np.zeros((0, leads)),
        last=np.zeros(leads),
        history=np.zeros((leads, 0)),
        scaling=scaling.begin(leads, forecaster.scaling),
        calibration=calibration.begin(leads, config.horizon, config.patch),
        h=np.zeros((config.layers, leads, config.hidden), np.float32),
        c=np.zeros((config.layers, leads, config.hidden), np.float32),
    )


def step(
    forecaster: Checkpoint, states: Sequence[BedState], chunks: Sequence[Array]
) -> list[tuple[Forecasts, BedState]]:
    """Take one chunk for each bed; beds with as many whole patches share one call of the network.

    Parameters
    ----------
    forecaster : Checkpoint
    states : sequence of BedState
    chunks : sequence of ndarray of float64, shape (n, leads)
        mV, NaN where invalid; the samples from ``state.next`` on. n may be anything, but the forecasts of n samples
        take 190 n bytes a lead: hand long records over piece by piece.

    Returns
    -------
    list of (Forecasts, BedState)
        In the order of `states`.
    """
    taken = [_take(state, chunk, forecaster) for state, chunk in zip(states, chunks, strict=True)]
    groups: dict[int, list[int]] = defaultdict(list)
    for i, (_, patches) in enumerate(taken):
        groups[patches.shape[1]].append(i)
    results: dict[int, tuple[Forecasts, BedState]] = {}
    for members in groups.values():
        stepped = _forecast(forecaster, [taken[i] for i in members])
        results |= dict(zip(members, stepped, strict=True))
    return [results[i] for i in range(len(taken))]


def _take(state: BedState, chunk: Array, forecaster: Checkpoint) -> tuple[BedState, Array]:
    """Add a chunk to the pending samples; return the whole patches, shape (leads, k, patch)."""
    patch, window = forecaster.network.config.patch, forecaster.network.config.window
    if chunk.ndim != 2 or chunk.shape[1] != state.leads:
        raise ValueError(f"a chunk of shape {chunk.shape} does not fit a bed with {state.leads} leads")
    skip = min(state.skip, len(chunk))
    held, last = scaling.hold(chunk[skip:], state.last)
    samples = np.concatenate([state.pending, held])
    k = len(samples) // patch
    patches = np.ascontiguousarray(samples[: k * patch].T).reshape(state.leads, k, patch)
    history = state.history
    if k and not history.shape[1]:
        history = scaling.history_of(patches[:, 0, 0], window - patch)
    state = replace(
        state,
        next=state.next + len(chunk),
        skip=state.skip - skip,
        pending=samples[k * patch :],
        last=last,
        history=history,
    )
    return state, patches


def _forecast(forecaster: Checkpoint, beds: list[tuple[BedState, Array]]) -> list[tuple[Forecasts, BedState]]:
    """Step beds that all have k whole patches."""
    config = forecaster.network.config
    states = [state for state, _ in beds]
    patches = np.concatenate([patches for _, patches in beds])
    streams, k, patch = patches.shape
    if not k:
        return [(_nothing(state, forecaster), state) for state in states]
    scaled = ScalingState(*(np.concatenate([getattr(s.scaling, name) for s in states]) for name in SCALING))
    calibrated = CalibrationState(
        *(np.concatenate([getattr(s.calibration, name) for s in states]) for name in CALIBRATION)
    )
    baseline, scale, scaled = scaling.advance(scaled, patches, forecaster.scaling)
    past = np.concatenate([np.concatenate([s.history for s in states]), patches.reshape(streams, k * patch)], axis=1)
    x = (scaling.windows(past, config.window, patch) - baseline[:, :, None]) / scale[:, :, None]
    with torch.inference_mode(), denormals_flushed():
        lstm = tuple(torch.from_numpy(np.concatenate([getattr(s, name) for s in states], axis=1)) for name in "hc")
        y, (h, c) = forecaster.network(torch.from_numpy(x.astype(np.float32)), lstm)
    unit = scale[:, :, None].astype(np.float32)
    mean = y[..., 0].numpy() * unit + baseline[:, :, None].astype(np.float32)
    sigma = y[..., 1].numpy() * unit
    factor, calibrated = calibration.advance(calibrated, patches, mean, sigma)
    sigma = sigma * factor.astype(np.float32)
    history = past[:, k * patch :]
    results = []
    first = 0
    for state in states:
        own = slice(first, first + state.leads)
        first += state.leads
        end = state.next - len(state.pending)
        forecasts = Forecasts(
            origin=end - 1 - patch * np.arange(k - 1, -1, -1, dtype=np.int64),
            mean=np.ascontiguousarray(mean[own].transpose(1, 2, 0)),
            scale=np.ascontiguousarray(sigma[own].transpose(1, 2, 0)),
            observed=np.ascontiguousarray(patches[own].transpose(1, 2, 0)),
        )
        state = replace(
            state,
            history=history[own].copy(),
            scaling=ScalingState(*(getattr(scaled, name)[own] for name in SCALING)),
            calibration=CalibrationState(*(getattr(calibrated, name)[own] for name in CALIBRATION)),
            h=h[:, own].numpy().copy(),
            c=c[:, own].numpy().copy(),
        )
        results.append((forecasts, state))
    return results


def _nothing(state: BedState, forecaster: Checkpoint) -> Forecasts:
    config = forecaster.network.config
    none = np.zeros((0, config.horizon, state.leads), np.float32)
    return Forecasts(np.zeros(0, np.int64), none, none, np.zeros((0, config.patch, state.leads)))
