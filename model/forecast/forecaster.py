"""Streaming forecasts: (state, strides) in, (forecasts, state) out, all beds in one call of the network.

A stride holds a whole number of patches; there is a forecast at the end of each. Nothing looks ahead. The network runs
on one thread, whoever calls: a step of a few beds is too small to share, and more threads only wait for each other.
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
from model.forecast.network import LiveNetwork, Network
from model.forecast.normalization import ScalingState
from model.forecast.torch_runtime import denormals_flushed, one_thread
from model.signal.arrays import Float32Array, FloatArray
from model.signal.intake import Strides

STREAM_AXIS = {"calibration.log_factor": 1, "calibration.waiting": 4}
"""Where the arrays of `Streams` have their streams, if not first."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The state of streams that step together; a stream is one lead of one bed.

    Nothing in it is ever written to, so beds share it: as long as they step together, nothing is taken apart and put
    together again. A bed that falls silent keeps those alive that it stepped with last.

    Attributes
    ----------
    history : ndarray of float64, shape (streams, window - patch)
        The last whole patches; NaN before the first one.
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
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Streams:
        """Return the streams whose `arrays` these are."""
        within: dict[str, dict[str, npt.NDArray[Any]]] = {"": {}, "scaling": {}, "calibration": {}, "lstm": {}}
        for name, value in arrays.items():
            part, _, field = name.rpartition(".")
            within[part][field] = value
        return cls(
            history=within[""]["history"],
            scaling=ScalingState(**within["scaling"]),
            calibration=CalibrationState(**within["calibration"]),
            lstm=tuple(within["lstm"][str(i)] for i in range(len(within["lstm"]))),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all arrays by name."""
        return {
            "history": self.history,
            **{f"scaling.{name}": value for name, value in vars(self.scaling).items()},
            **{f"calibration.{name}": value for name, value in vars(self.calibration).items()},
            **{f"lstm.{i}": value for i, value in enumerate(self.lstm)},
        }

    def part(self, first: int, end: int) -> Streams:
        """Return the streams from `first` up to `end`: views."""
        own = slice(first, end)
        whole = self.arrays()
        return Streams.of(
            {name: value[(*[slice(None)] * STREAM_AXIS.get(name, 0), own)] for name, value in whole.items()}
        )


def beside(parts: Sequence[Streams]) -> Streams:
    """Return streams side by side."""
    arrays = [part.arrays() for part in parts]
    return Streams.of(
        {name: np.concatenate([own[name] for own in arrays], STREAM_AXIS.get(name, 0)) for name in arrays[0]}
    )


class ForecasterState(NamedTuple):
    """The forecaster's state of one bed.

    Attributes
    ----------
    streams : Streams
        Its leads, among those of the beds that it stepped with.
    first, leads : int
        Which of them are its own.
    """

    streams: Streams
    first: int
    leads: int

    def detached(self) -> ForecasterState:
        """Return the state without the streams of other beds, to be saved."""
        return ForecasterState(self.streams.part(self.first, self.first + self.leads), 0, self.leads)


class Forecasts(NamedTuple):
    """The forecasts of one step; k origins, which may be none.

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
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray


def load_forecaster(path: Path | None = None) -> Checkpoint:
    """Load weights, by default those that come with the package.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or made for another network.
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


def step(
    forecaster: Checkpoint, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Push the next strides of each bed; beds with as many strides share one call of the network.

    Parameters
    ----------
    forecaster : Checkpoint
    states : sequence of ForecasterState
    strides : sequence of Strides
        The forecasts of n samples take 190 n bytes a lead: push long records piece by piece.

    Returns
    -------
    list of (Forecasts, ForecasterState)
        In the order of `states`.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for i, own in enumerate(strides):
        groups[len(own.mv)].append(i)
    results: dict[int, tuple[Forecasts, ForecasterState]] = {}
    for members in groups.values():
        stepped = _step_together(forecaster, [states[i] for i in members], [strides[i] for i in members])
        results |= zip(members, stepped, strict=True)
    return [results[i] for i in range(len(states))]


def _step_together(
    forecaster: Checkpoint, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Step beds with as many strides each."""
    samples = strides[0].mv if len(strides) == 1 else np.concatenate([own.mv for own in strides], axis=1)
    made, streams = advance(forecaster, gathered(states), samples)
    patch = made.patches.shape[2]
    ends = patch * np.arange(1, made.patches.shape[1] + 1) - 1
    origins = np.array([own.start for own in strides])[:, None] + ends
    leads = [state.leads for state in states]
    by_stream = (made.mean.transpose(0, 2, 1), made.scale.transpose(0, 2, 1), made.patches.transpose(1, 2, 0))
    parts = zip(origins, *(_by_bed(part, leads) for part in by_stream), strict=True)
    firsts = accumulate(leads[:-1], initial=0)
    return [
        (Forecasts(*own), ForecasterState(streams, first, n))
        for own, first, n in zip(parts, firsts, leads, strict=True)
    ]


def _by_bed(whole: npt.NDArray[Any], leads: Sequence[int]) -> Iterable[npt.NDArray[Any]]:
    """Return the parts, views, of beds with so many leads of what has its streams last."""
    if len(set(leads)) == 1:
        return whole.reshape(*whole.shape[:2], len(leads), leads[0]).transpose(2, 0, 1, 3)
    return [whole[:, :, end - n : end] for n, end in zip(leads, accumulate(leads), strict=True)]


def gathered(states: Sequence[ForecasterState]) -> Streams:
    """Return the streams of some beds in their order, without a copy where they lie side by side already."""
    runs: list[tuple[Streams, int]] = []
    ends: list[int] = []
    for streams, first, leads in states:
        if ends and ends[-1] == first and runs[-1][0] is streams:
            ends[-1] += leads
        else:
            runs.append((streams, first))
            ends.append(first + leads)
    parts = [
        streams if (first, end) == (0, len(streams.history)) else streams.part(first, end)
        for (streams, first), end in zip(runs, ends, strict=True)
    ]
    return parts[0] if len(parts) == 1 else beside(parts)


@dataclass(frozen=True, slots=True)
class Made:
    """Forecasts of streams side by side, made at the end of each of k patches.

    Attributes
    ----------
    patches : ndarray of float64, shape (streams, k, patch)
        Observed, in mV.
    mean, scale : ndarray of float32, shape (k, streams, horizon)
        mV.
    """

    patches: FloatArray
    mean: Float32Array
    scale: Float32Array


def advance(forecaster: Checkpoint, streams: Streams, samples: FloatArray) -> tuple[Made, Streams]:
    """Push whole patches, shape (k * patch, streams), mV, finite, for streams side by side."""
    network = live(forecaster.network)
    patch, window, horizon = network.config.patch, network.config.window, network.config.horizon
    n, k = samples.shape[1], len(samples) // patch
    patches = samples.T.reshape(n, k, patch)
    if not k:
        none = np.zeros((0, n, horizon), np.float32)
        return Made(patches, none, none), streams
    baseline, unit, scaled = scaling.advance(streams.scaling, patches, forecaster.scaling)
    past = np.concatenate([streams.history, patches.reshape(n, k * patch)], axis=1)
    new = np.isnan(past[:, 0])
    if new.any():
        past[new, : window - patch] = scaling.history_of(patches[new, 0, 0], window - patch)
    # About the last baseline float32 is fine enough, wherever that lies.
    near = np.subtract(past, baseline[:, -1:], out=np.empty(past.shape, np.float32), casting="same_kind")
    drift = (baseline - baseline[:, -1:]).astype(np.float32).T[:, :, None]  # time first, as the network has it
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
    remembered = tuple(part.numpy() for part in lstm)
    return Made(patches, mean, scale), Streams(history, scaled, calibrated, remembered)


@lru_cache(maxsize=4)
def live(network: Network) -> LiveNetwork:
    """Return the network for live use; made once."""
    return LiveNetwork(network)
