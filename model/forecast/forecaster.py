"""Streaming forecasts: state and strides in, forecasts and state out.

A stride is a whole number of patches, and a forecast is made at the end of each patch. No forecast depends on later
samples. The streams of all beds that are pushed together share one call of the compiled function; the result of a
stream does not depend on the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model.forecast import checkpoint, inference
from model.forecast import interval_calibration as calibration
from model.forecast import normalization as scaling
from model.forecast.checkpoint import Checkpoint
from model.forecast.inference import BLOCK, Precision, Weights
from model.forecast.interval_calibration import CalibrationState
from model.forecast.normalization import Fading, ScalingState
from model.signal.arrays import Float32Array, FloatArray
from model.signal.compiled import compiled
from model.signal.intake import Strides


class Streams(NamedTuple):
    """State of streams that step together, columns over streams; a stream is one lead of one bed.

    The arrays are never written to, so beds share one instance: while the same beds step together, nothing is gathered.
    A bed that stops sending keeps the arrays of the beds it last stepped with in memory.

    Attributes
    ----------
    history : ndarray of float64, shape (streams, window - patch)
        The last whole patches in mV; NaN before the first one.
    scaling : ScalingState
    calibration : CalibrationState
    h, c : ndarray of float32, shape (streams, layers, hidden)
        State of the LSTM.
    """

    history: FloatArray
    scaling: ScalingState
    calibration: CalibrationState
    h: Float32Array
    c: Float32Array

    @classmethod
    def from_columns(cls, columns: Sequence[npt.NDArray[Any]]) -> Streams:
        """Return streams from all their columns; the inverse of `columns`."""
        history, total, weight, power, power_weight, log_factor, pending, h, c = columns
        scaled, calibrated = ScalingState(total, weight, power, power_weight), CalibrationState(log_factor, pending)
        return cls(history, scaled, calibrated, h, c)

    def columns(self) -> list[npt.NDArray[Any]]:
        """Return all columns in one list."""
        return [self.history, *self.scaling, *self.calibration, self.h, self.c]

    def select(self, first: int, end: int) -> Streams:
        """Return the streams from `first` up to, not including, `end`, as views."""
        return Streams.from_columns([column[first:end] for column in self.columns()])


def concatenate(parts: Sequence[Streams]) -> Streams:
    """Return all streams of all parts, in order."""
    columns = zip(*(part.columns() for part in parts), strict=True)
    return Streams.from_columns([np.concatenate(column) for column in columns])


class ForecasterState(NamedTuple):
    """State of the forecaster for one bed.

    Attributes
    ----------
    streams : Streams
        The leads of all beds that stepped together last.
    first, leads : int
        Index of the bed's first stream, and number of its leads.
    precision : Precision
        Of the network; a bed keeps it for a whole epoch, whichever process continues it.
    """

    streams: Streams
    first: int
    leads: int
    precision: Precision

    def detached(self) -> ForecasterState:
        """Return the state without the streams of other beds, for saving."""
        return ForecasterState(self.streams.select(self.first, self.first + self.leads), 0, self.leads, self.precision)


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


def begin(forecaster: Checkpoint, leads: int, precision: Precision = "float32") -> ForecasterState:
    """Return the state of a bed before the first stride of an epoch."""
    config = forecaster.config
    streams = Streams(
        np.full((leads, config.window - config.patch), np.nan),
        scaling.begin(leads, forecaster.scaling),
        calibration.begin(leads, config.horizon, config.patch),
        h=np.zeros((leads, config.layers, config.hidden), np.float32),
        c=np.zeros((leads, config.layers, config.hidden), np.float32),
    )
    return ForecasterState(streams, 0, leads, precision)


def after_gap(forecaster: Checkpoint, state: ForecasterState) -> ForecasterState:
    """Return the state after lost samples: the patient's baseline, scale and calibration are kept."""
    learned, fresh = state.detached().streams, begin(forecaster, state.leads).streams
    calibrated = calibration.after_gap(learned.calibration, fresh.calibration)
    streams = Streams(fresh.history, learned.scaling, calibrated, fresh.h, fresh.c)
    return ForecasterState(streams, 0, state.leads, state.precision)


def step(
    forecaster: Checkpoint, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Push the next strides of each bed; beds with equal numbers of strides, and of one precision, share one call.

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
    groups: dict[tuple[int, Precision], list[int]] = defaultdict(list)
    for i, (state, bed_strides) in enumerate(zip(states, strides, strict=True)):
        groups[len(bed_strides.mv), state.precision].append(i)
    results: dict[int, tuple[Forecasts, ForecasterState]] = {}
    for members in groups.values():
        stepped = _step_together(forecaster, [states[i] for i in members], [strides[i] for i in members])
        results |= zip(members, stepped, strict=True)
    return [results[i] for i in range(len(states))]


def _step_together(
    forecaster: Checkpoint, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Step beds with equal numbers of strides, and of one precision."""
    samples = np.ascontiguousarray(np.concatenate([part.mv for part in strides], axis=1))
    mean, scale, streams = advance(forecaster, gather(states), samples, states[0].precision)
    patch, k = forecaster.config.patch, mean.shape[1]
    ends = patch * np.arange(1, k + 1) - 1
    results = []
    for state, part, end in zip(states, strides, accumulate(state.leads for state in states), strict=True):
        own = slice(end - state.leads, end)
        forecasts = Forecasts(
            part.start + ends,
            mean[own].transpose(1, 2, 0),
            scale[own].transpose(1, 2, 0),
            part.mv.reshape(k, patch, state.leads),
        )
        results.append((forecasts, ForecasterState(streams, own.start, state.leads, state.precision)))
    return results


def gather(states: Sequence[ForecasterState]) -> Streams:
    """Return the streams of some beds in order; without a copy where they are adjacent already."""
    runs: list[tuple[Streams, int]] = []
    ends: list[int] = []
    for streams, first, leads, _ in states:
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


class Parameters(NamedTuple):
    """What the compiled function needs of a forecaster.

    Attributes
    ----------
    network : Weights
    fading : Fading
    interpolation : ndarray of float32, shape (bands, horizon)
        Of `interval_calibration.interpolation_weights`.
    """

    network: Weights
    fading: Fading
    interpolation: Float32Array


@lru_cache(maxsize=4)
def parameters(forecaster: Checkpoint, precision: Precision = "float32") -> Parameters:
    """Return the parameters of a forecaster; built once per forecaster and precision."""
    config = forecaster.config
    return Parameters(
        inference.pack_weights(forecaster, precision),
        scaling.fading(forecaster.scaling, config.patch),
        calibration.interpolation_weights(config.horizon, config.patch),
    )


def advance(
    forecaster: Checkpoint, streams: Streams, samples: FloatArray, precision: Precision
) -> tuple[Float32Array, Float32Array, Streams]:
    """Push whole patches of several streams.

    Parameters
    ----------
    forecaster : Checkpoint
    streams : Streams
    samples : ndarray of float64, shape (k * patch, streams)
        Finite samples in mV.
    precision : Precision

    Returns
    -------
    mean, scale : ndarray of float32, shape (streams, k, horizon)
        Forecasts at the end of each patch, in mV.
    streams : Streams

    Raises
    ------
    ValueError
        The state is of another number of streams, or of a network of another size.
    """
    config = forecaster.config
    expected = (samples.shape[1], config.layers, config.hidden), (samples.shape[1], config.window - config.patch)
    if (streams.h.shape, streams.history.shape) != expected:  # compiled code would read beyond the arrays
        raise ValueError(f"a state of {len(streams.h)} streams, h {streams.h.shape[1:]}; expected {expected[0]}")
    shape = (samples.shape[1], len(samples) // config.patch, config.horizon)
    mean, scale = np.empty(shape, np.float32), np.empty(shape, np.float32)
    if not shape[1]:
        return mean, scale, streams
    streams = Streams.from_columns([column.copy() for column in streams.columns()])
    _advance(parameters(forecaster, precision), streams, samples, mean, scale)
    return mean, scale, streams


@compiled
def _advance(
    forecaster: Parameters, streams: Streams, samples: FloatArray, mean: Float32Array, scale: Float32Array
) -> None:
    """Push whole patches of several streams, in place, one block of streams after the other."""
    network, weights = forecaster.network, forecaster.interpolation
    count, patches, horizon = mean.shape
    window, layers = network.window, streams.h.shape[1]
    patch = len(samples) // patches
    x, scratch = np.empty(window, np.float32), np.empty(horizon, np.float32)
    for first in range(0, count, BLOCK):
        size = min(BLOCK, count - first)
        block = inference.new_block(network, size, layers)
        past = np.empty((size, window))
        level, unit = np.empty(size), np.empty(size)
        for i in range(size):
            past[i, patch:] = streams.history[first + i]
            if np.isnan(past[i, patch]):
                past[i, patch:] = samples[0, first + i]
            for layer in range(layers):
                inference.put_h(network, block, i, layer, streams.h[first + i, layer])
                block.c[layer, i] = streams.c[first + i, layer]
        for t in range(patches):
            for i in range(size):
                for j in range(window - patch):
                    past[i, j] = past[i, j + patch]
                for j in range(patch):
                    past[i, window - patch + j] = samples[t * patch + j, first + i]
                observed = past[i, window - patch :]
                baseline, rms = scaling.push(streams.scaling, first + i, observed, forecaster.fading)
                level[i], unit[i] = baseline, rms
                calibration.compare(streams.calibration, first + i, observed)
                for j in range(window):
                    x[j] = (past[i, j] - baseline) / rms
                inference.put_window(network, block, i, x)
            inference.step(network, block)
            for i in range(size):
                own_mean, own_scale = mean[first + i, t], scale[first + i, t]
                level32, unit32 = np.float32(level[i]), np.float32(unit[i])
                for j in range(horizon):
                    own_mean[j] = block.out[i, j] * unit32 + level32
                    own_scale[j] = block.out[i, horizon + j] * unit32
                calibration.calibrate(streams.calibration, first + i, weights, own_mean, own_scale, scratch)
        for i in range(size):
            streams.history[first + i] = past[i, patch:]
            for layer in range(layers):
                inference.take_h(network, block, i, layer, streams.h[first + i, layer])
                streams.c[first + i, layer] = block.c[layer, i]
