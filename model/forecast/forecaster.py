"""Streaming forecasts: state and strides in, forecasts and state out; all beds share one call of the network.

A stride is a whole number of patches, and a forecast is made at the end of each patch. No forecast depends on later
samples. The network always runs on one thread: a step of a few beds is too small to share between threads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from model.forecast import checkpoint
from model.forecast import interval_calibration as calibration
from model.forecast import normalization as scaling
from model.forecast.checkpoint import Checkpoint
from model.forecast.interval_calibration import CalibrationState
from model.forecast.network import InferenceNetwork, Network
from model.forecast.normalization import ScalingState
from model.forecast.torch_runtime import denormals_flushed, one_thread
from model.signal.arrays import Float32Array, FloatArray
from model.signal.intake import Strides

STREAM_AXIS = {"calibration.log_factor": 1, "calibration.pending": 4}
"""Axis of the streams in the arrays of `Streams`, where it is not the first."""


@dataclass(frozen=True, slots=True)
class Streams:
    """State of streams that step together; a stream is one lead of one bed.

    The arrays are never written to, so beds share one instance: while the same beds step together, nothing is copied. A
    bed that stops sending keeps the arrays of the beds it last stepped with in memory.

    Attributes
    ----------
    history : ndarray of float64, shape (streams, window - patch)
        The last whole patches in mV; NaN before the first one.
    scaling : ScalingState
    calibration : CalibrationState
    lstm : tuple of ndarray of float32, shape (streams, hidden)
        h of the first layer, c of the first layer, h of the second, …
    """

    history: FloatArray
    scaling: ScalingState
    calibration: CalibrationState
    lstm: tuple[Float32Array, ...]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Streams:
        """Return streams from their arrays by name; the inverse of `arrays`."""
        parts: dict[str, dict[str, npt.NDArray[Any]]] = {"": {}, "scaling": {}, "calibration": {}, "lstm": {}}
        for name, value in arrays.items():
            part, _, field = name.rpartition(".")
            parts[part][field] = value
        return cls(
            history=parts[""]["history"],
            scaling=ScalingState(**parts["scaling"]),
            calibration=CalibrationState(**parts["calibration"]),
            lstm=tuple(parts["lstm"][str(i)] for i in range(len(parts["lstm"]))),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays by name."""
        return {
            "history": self.history,
            **{f"scaling.{name}": value for name, value in vars(self.scaling).items()},
            **{f"calibration.{name}": value for name, value in vars(self.calibration).items()},
            **{f"lstm.{i}": value for i, value in enumerate(self.lstm)},
        }

    def select(self, first: int, end: int) -> Streams:
        """Return the streams from `first` up to, not including, `end`, as views."""
        selected = slice(first, end)
        return Streams.from_arrays(
            {
                name: value[(*[slice(None)] * STREAM_AXIS.get(name, 0), selected)]
                for name, value in self.arrays().items()
            }
        )


def concatenate(parts: Sequence[Streams]) -> Streams:
    """Return all streams of all parts, in order."""
    arrays = [part.arrays() for part in parts]
    return Streams.from_arrays(
        {name: np.concatenate([part[name] for part in arrays], STREAM_AXIS.get(name, 0)) for name in arrays[0]}
    )


class ForecasterState(NamedTuple):
    """State of the forecaster for one bed.

    Attributes
    ----------
    streams : Streams
        The leads of all beds that stepped together last.
    first, leads : int
        Index of the bed's first stream, and number of its leads.
    """

    streams: Streams
    first: int
    leads: int

    def detached(self) -> ForecasterState:
        """Return the state without the streams of other beds, for saving."""
        return ForecasterState(self.streams.select(self.first, self.first + self.leads), 0, self.leads)


class Forecasts(NamedTuple):
    """Forecasts of one bed in one step, from k origins; k may be 0.

    Attributes
    ----------
    origin : ndarray of int64, shape (k,)
        Index of the last observed sample; ``mean[j, i]`` is for sample ``origin[j] + 1 + i``.
    mean, scale : ndarray of float32, shape (k, horizon, leads)
        mV; `scale` is the predicted standard deviation.
    observed : ndarray of float64, shape (k, patch, leads)
        The patch that ends at each origin, in mV; an invalid sample repeats the value before it.
    """

    origin: npt.NDArray[np.int64]
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray


def load_forecaster(path: Path | None = None) -> Checkpoint:
    """Load weights, by default the shipped ones.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or not a forecaster of this format.
    """
    return checkpoint.load(path)


def begin(forecaster: Checkpoint, leads: int) -> ForecasterState:
    """Return the state of a bed before the first stride of an epoch."""
    config = forecaster.network.config
    streams = Streams(
        history=np.full((leads, config.window - config.patch), np.nan),
        scaling=scaling.begin(leads, forecaster.scaling),
        calibration=calibration.begin(leads, config.horizon, config.patch),
        lstm=tuple(np.zeros((leads, config.hidden), np.float32) for _ in range(2 * config.layers)),
    )
    return ForecasterState(streams, 0, leads)


def after_gap(forecaster: Checkpoint, state: ForecasterState) -> ForecasterState:
    """Return the state after lost samples: the patient's baseline, scale and calibration are kept."""
    learned, fresh = state.detached().streams, begin(forecaster, state.leads).streams
    calibrated = calibration.after_gap(learned.calibration, fresh.calibration)
    streams = Streams(fresh.history, learned.scaling, calibrated, fresh.lstm)
    return ForecasterState(streams, 0, state.leads)


def step(
    forecaster: Checkpoint, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Push the next strides of each bed; beds with equal numbers of strides share one call of the network.

    Parameters
    ----------
    forecaster : Checkpoint
    states : sequence of ForecasterState
    strides : sequence of Strides
        Forecasts of n samples need 190 n bytes per lead, so push long records in parts.

    Returns
    -------
    list of (Forecasts, ForecasterState)
        In the order of `states`.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for i, bed_strides in enumerate(strides):
        groups[len(bed_strides.mv)].append(i)
    results: dict[int, tuple[Forecasts, ForecasterState]] = {}
    for members in groups.values():
        stepped = _step_together(forecaster, [states[i] for i in members], [strides[i] for i in members])
        results |= zip(members, stepped, strict=True)
    return [results[i] for i in range(len(states))]


def _step_together(
    forecaster: Checkpoint, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Step beds with equal numbers of strides."""
    samples = strides[0].mv if len(strides) == 1 else np.concatenate([part.mv for part in strides], axis=1)
    forecasts, streams = advance(forecaster, gather(states), samples)
    k, patch = forecasts.patches.shape[1:]
    ends = patch * np.arange(1, k + 1) - 1
    origins = np.array([part.start for part in strides])[:, None] + ends
    leads = [state.leads for state in states]
    streams_last = (
        forecasts.mean.transpose(0, 2, 1),
        forecasts.scale.transpose(0, 2, 1),
        forecasts.patches.transpose(1, 2, 0),
    )
    by_bed = zip(origins, *(_split_beds(array, leads) for array in streams_last), strict=True)
    firsts = accumulate(leads[:-1], initial=0)
    return [
        (Forecasts(*arrays), ForecasterState(streams, first, n))
        for arrays, first, n in zip(by_bed, firsts, leads, strict=True)
    ]


def _split_beds(array: npt.NDArray[Any], leads: Sequence[int]) -> Iterable[npt.NDArray[Any]]:
    """Split an array along its last axis, the streams, into views for beds with given numbers of leads."""
    if len(set(leads)) == 1:
        return array.reshape(*array.shape[:2], len(leads), leads[0]).transpose(2, 0, 1, 3)
    return [array[:, :, end - n : end] for n, end in zip(leads, accumulate(leads), strict=True)]


def gather(states: Sequence[ForecasterState]) -> Streams:
    """Return the streams of some beds in order; without a copy where they are adjacent already."""
    runs: list[tuple[Streams, int]] = []
    ends: list[int] = []
    for streams, first, leads in states:
        if ends and ends[-1] == first and runs[-1][0] is streams:
            ends[-1] += leads
        else:
            runs.append((streams, first))
            ends.append(first + leads)
    parts = [
        streams if (first, end) == (0, len(streams.history)) else streams.select(first, end)
        for (streams, first), end in zip(runs, ends, strict=True)
    ]
    return parts[0] if len(parts) == 1 else concatenate(parts)


@dataclass(frozen=True, slots=True)
class StreamForecasts:
    """Forecasts of several streams at the end of each of k patches.

    Attributes
    ----------
    patches : ndarray of float64, shape (streams, k, patch)
        Observed samples in mV.
    mean, scale : ndarray of float32, shape (k, streams, horizon)
        mV.
    """

    patches: FloatArray
    mean: Float32Array
    scale: Float32Array


def advance(forecaster: Checkpoint, streams: Streams, samples: FloatArray) -> tuple[StreamForecasts, Streams]:
    """Push whole patches of several streams.

    Parameters
    ----------
    forecaster : Checkpoint
    streams : Streams
    samples : ndarray of float64, shape (k * patch, streams)
        Finite samples in mV.

    Returns
    -------
    StreamForecasts, Streams
    """
    network = inference_network(forecaster.network)
    patch, window, horizon = network.config.patch, network.config.window, network.config.horizon
    n, k = samples.shape[1], len(samples) // patch
    patches = samples.T.reshape(n, k, patch)
    if not k:
        empty = np.zeros((0, n, horizon), np.float32)
        return StreamForecasts(patches, empty, empty), streams
    baseline, unit, scaled = scaling.advance(streams.scaling, patches, forecaster.scaling)
    past = np.concatenate([streams.history, patches.reshape(n, k * patch)], axis=1)
    new = np.isnan(past[:, 0])
    if new.any():
        past[new, : window - patch] = scaling.initial_history(patches[new, 0, 0], window - patch)
    # Relative to the last baseline, float32 has enough precision at any offset.
    near = np.subtract(past, baseline[:, -1:], out=np.empty(past.shape, np.float32), casting="same_kind")
    drift = (baseline - baseline[:, -1:]).astype(np.float32).T[:, :, None]  # time first, as in the network
    level, unit32 = baseline.astype(np.float32).T[:, :, None], unit.astype(np.float32).T[:, :, None]
    x = np.empty((k, n, window), np.float32)
    np.subtract(scaling.windows(near, window, patch).transpose(1, 0, 2), drift, out=x)
    x /= unit32
    with torch.inference_mode(), one_thread(), denormals_flushed():
        y, lstm = network(torch.from_numpy(x), [torch.from_numpy(part) for part in streams.lstm])
        y *= torch.from_numpy(unit32[..., None])
        y[:, :, 0] += torch.from_numpy(level)
        factor, calibrated = calibration.advance(streams.calibration, patches, y.numpy())
        y[:, :, 1] *= torch.from_numpy(factor)
    mean, scale = y.numpy().transpose(2, 0, 1, 3)
    history = past[:, k * patch :].copy()
    next_lstm = tuple(part.numpy() for part in lstm)
    return StreamForecasts(patches, mean, scale), Streams(history, scaled, calibrated, next_lstm)


@lru_cache(maxsize=4)
def inference_network(network: Network) -> InferenceNetwork:
    """Return the network for inference; built once per network."""
    return InferenceNetwork(network)
