"""Streaming forecasts: columns of beds and strides in, forecasts out.

A stride is a whole number of patches, and a forecast is made at the end of each patch. No forecast depends on later
samples. A stream is one lead of one bed. The streams of all beds that are pushed together share one call of the
compiled function; the result of a stream does not depend on the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.forecast import forecaster_weights, inference
from model.forecast import interval_calibration as calibration
from model.forecast import normalization as scaling
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.inference import BLOCK, Precision, Weights
from model.forecast.interval_calibration import CalibrationState
from model.forecast.normalization import Fading, ScalingState
from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.signal.batch import Batch, Strides
from model.signal.columns import each, joined, row
from model.signal.compiled import compiled, compiled_part
from model.signal.small_arrays import copy


class ForecasterColumns(NamedTuple):
    """State of the forecaster for all beds of one precision; the first axis is their slots.

    Attributes
    ----------
    history : ndarray of float64, shape (slots, leads, window - patch)
        The last whole patches in mV; NaN before the first one.
    scaling : ScalingState
        Arrays of shape (slots, leads).
    calibration : CalibrationState
        Arrays of shape (slots, leads, ...).
    h, c : ndarray of float32, shape (slots, leads, layers, hidden)
        State of the LSTM.
    """

    history: FloatArray
    scaling: ScalingState
    calibration: CalibrationState
    h: Float32Array
    c: Float32Array


class ForecasterState(NamedTuple):
    """State of the forecaster for one bed.

    Attributes
    ----------
    columns : ForecasterColumns
        Of one slot.
    precision : Precision
        Of the network; a bed keeps it for a whole epoch, whichever process continues it.
    """

    columns: ForecasterColumns
    precision: Precision


class Forecasts(NamedTuple):
    """Forecasts of one bed, or of the beds of a batch, in one step, from k origins; k may be 0.

    Attributes
    ----------
    origin : ndarray of int64, shape ([beds,] k)
        Index of the last observed sample; ``mean[j, i]`` is for sample ``origin[j] + 1 + i``.
    mean, scale : ndarray of float32, shape ([beds,] k, horizon, leads)
        mV; `scale` is the predicted standard deviation.
    observed : ndarray of float64, shape ([beds,] k, patch, leads)
        The patch that ends at each origin, in mV; an invalid sample repeats the value before it.
    """

    origin: IntArray
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray


def load_forecaster(path: Path | None = None) -> TrainedForecaster:
    """Load weights, by default the shipped ones.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or not a forecaster of this format.
    """
    return forecaster_weights.load(path)


def begin(forecaster: TrainedForecaster, leads: int, precision: Precision = "float32") -> ForecasterState:
    """Return the state of a bed before the first stride of an epoch."""
    config = forecaster.config
    streams = ForecasterColumns(
        np.full((leads, config.window - config.patch), np.nan),
        scaling.begin(leads, forecaster.scaling),
        calibration.begin(leads, config.horizon, config.patch),
        h=np.zeros((leads, config.layers, config.hidden), np.float32),
        c=np.zeros((leads, config.layers, config.hidden), np.float32),
    )
    return ForecasterState(each(lambda column: column[None], streams), precision)


def after_gap(forecaster: TrainedForecaster, state: ForecasterState) -> ForecasterState:
    """Return the state after lost samples: the patient's baseline, scale and calibration are kept."""
    learned, precision = state
    fresh = begin(forecaster, learned.h.shape[1]).columns
    calibrated = calibration.after_gap(learned.calibration, fresh.calibration)
    return ForecasterState(fresh._replace(scaling=learned.scaling, calibration=calibrated), precision)


def step(
    forecaster: TrainedForecaster, states: Sequence[ForecasterState], strides: Sequence[Strides]
) -> list[tuple[Forecasts, ForecasterState]]:
    """Push the next strides of some beds with states of their own, as `advance` does for columns.

    Parameters
    ----------
    forecaster : TrainedForecaster
    states : sequence of ForecasterState
        They are not changed.
    strides : sequence of Strides
        Any number of each bed. Forecasts of n samples need 190 n bytes per lead, so push long records in parts.

    Returns
    -------
    list of (Forecasts, ForecasterState)
        In the order of `states`.
    """
    groups: dict[tuple[Precision, int, tuple[int, ...]], list[int]] = defaultdict(list)
    for i, (state, bed_strides) in enumerate(zip(states, strides, strict=True)):
        groups[state.precision, state.columns.h.shape[1], bed_strides.mv.shape].append(i)
    results: dict[int, tuple[Forecasts, ForecasterState]] = {}
    for (precision, _, _), members in groups.items():
        columns = joined([states[i].columns for i in members])
        start, mv, invalid = (
            np.array([getattr(strides[i], name) for i in members]) for name in ("start", "mv", "invalid")
        )
        forecasts = advance(forecaster, columns, Batch(np.arange(len(members)), start, mv, invalid), precision)
        for bed, i in enumerate(members):
            of_bed = Forecasts(*(values[bed] for values in forecasts))
            results[i] = of_bed, ForecasterState(row(columns, bed), precision)
    return [results[i] for i in range(len(states))]


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
def parameters(forecaster: TrainedForecaster, precision: Precision = "float32") -> Parameters:
    """Return the parameters of a forecaster; built once per forecaster and precision."""
    config = forecaster.config
    return Parameters(
        inference.pack_weights(forecaster, precision),
        scaling.fading(forecaster.scaling, config.patch),
        calibration.interpolation_weights(config.horizon, config.patch),
    )


def advance(forecaster: TrainedForecaster, columns: ForecasterColumns, batch: Batch, precision: Precision) -> Forecasts:
    """Push strides of the beds of a batch; ``columns`` change in place at their slots.

    Parameters
    ----------
    forecaster : TrainedForecaster
    columns : ForecasterColumns
        Contiguous.
    batch : Batch
    precision : Precision
        Of all beds whose state is in these columns.

    Returns
    -------
    Forecasts
        Of all beds of the batch.

    Raises
    ------
    ValueError
        The state is of another number of leads, or of a network of another size.
    """
    config = forecaster.config
    beds, samples, leads = batch.mv.shape
    expected = (leads, config.layers, config.hidden), (leads, config.window - config.patch)
    if (columns.h.shape[1:], columns.history.shape[1:]) != expected:  # compiled code would read beyond the arrays
        raise ValueError(
            f"a state of {columns.h.shape[1]} streams a bed, h {columns.h.shape[2:]}; expected {expected[0]}"
        )
    k = samples // config.patch
    mean, scale = (np.empty((beds, k, config.horizon, leads), np.float32) for _ in range(2))
    if beds * k:
        _advance(parameters(forecaster, precision), columns, batch.slots, batch.mv, mean, scale)
    origin = batch.start[:, None] + np.arange(config.patch - 1, samples, config.patch)
    return Forecasts(origin, mean, scale, batch.mv.reshape(beds, k, config.patch, leads))


@compiled
def _advance(
    forecaster: Parameters,
    columns: ForecasterColumns,
    slots: IntArray,
    samples: FloatArray,
    mean: Float32Array,
    scale: Float32Array,
) -> None:
    """Push whole patches of several beds, in place, one block of streams after the other."""
    network, weights = forecaster.network, forecaster.interpolation
    beds, patches, horizon, leads = mean.shape
    state, layers = _by_stream(columns), columns.h.shape[2]
    window, patch = network.window, samples.shape[1] // patches
    x, scratch = np.empty((BLOCK, window), np.float32), np.empty(horizon, np.float32)
    new_mean, new_scale = np.empty(horizon, np.float32), np.empty(horizon, np.float32)
    past = np.empty((BLOCK, window))
    level, unit = np.empty(BLOCK), np.empty(BLOCK)
    bed, lead, stream = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for first in range(0, beds * leads, BLOCK):
        size = min(BLOCK, beds * leads - first)
        block = inference.new_block(network, size, layers)
        for i in range(size):
            bed[i], lead[i] = (first + i) // leads, (first + i) % leads
            stream[i] = slots[bed[i]] * leads + lead[i]
            copy(state.history[stream[i]], past[i, patch:])
            if np.isnan(past[i, patch]):
                for j in range(patch, window):
                    past[i, j] = samples[bed[i], 0, lead[i]]
            for layer in range(layers):
                inference.put_h(network, block, i, layer, state.h[stream[i], layer])
                copy(state.c[stream[i], layer], block.c[layer, i])
        for t in range(patches):
            for i in range(size):
                for j in range(window - patch):
                    past[i, j] = past[i, j + patch]
                for j in range(patch):
                    past[i, window - patch + j] = samples[bed[i], t * patch + j, lead[i]]
                observed = past[i, window - patch :]
                baseline, rms = scaling.push(state.scaling, stream[i], observed, forecaster.fading)
                level[i], unit[i] = baseline, rms
                calibration.compare(state.calibration, stream[i], observed)
                for j in range(window):
                    x[i, j] = (past[i, j] - baseline) / rms
            inference.put_windows(network, block, x[:size])
            inference.step(network, block)
            for i in range(size):
                level32, unit32 = np.float32(level[i]), np.float32(unit[i])
                for j in range(horizon):
                    new_mean[j] = block.out[i, j] * unit32 + level32
                    new_scale[j] = block.out[i, horizon + j] * unit32
                calibration.calibrate(state.calibration, stream[i], weights, new_mean, new_scale, scratch)
                for j in range(horizon):
                    mean[bed[i], t, j, lead[i]] = new_mean[j]
                    scale[bed[i], t, j, lead[i]] = new_scale[j]
        for i in range(size):
            copy(past[i, patch:], state.history[stream[i]])
            for layer in range(layers):
                inference.take_h(network, block, i, layer, state.h[stream[i], layer])
                copy(block.c[layer, i], state.c[stream[i], layer])


@compiled_part
def _by_stream(columns: ForecasterColumns) -> ForecasterColumns:
    """Return the same memory with one axis for the streams in place of slots and leads."""
    history, scaled, calibrated, h, c = columns
    streams = h.shape[0] * h.shape[1]
    return ForecasterColumns(
        history.reshape(streams, history.shape[2]),
        ScalingState(
            scaled.sum.reshape(streams),
            scaled.weight.reshape(streams),
            scaled.power.reshape(streams),
            scaled.power_weight.reshape(streams),
        ),
        CalibrationState(
            calibrated.log_factor.reshape(streams, calibrated.log_factor.shape[2]),
            calibrated.patches.reshape(streams),
            calibrated.pending.reshape((streams, *calibrated.pending.shape[2:])),
        ),
        h.reshape((streams, *h.shape[2:])),
        c.reshape((streams, *c.shape[2:])),
    )
