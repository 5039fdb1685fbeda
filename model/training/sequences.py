"""Sequences of network inputs and targets, cut from signals, with augmentation for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from model.datasets.mitdb import Signals
from model.forecast import normalization
from model.forecast.config import NetworkConfig, ScalingConfig
from model.signal.arrays import Float32Array, FloatArray
from model.training.config import TrainConfig
from stream.timebase import FS


@dataclass(frozen=True)
class Sequences:
    """Contiguous streams of samples, cut into steps of the network.

    Attributes
    ----------
    x : ndarray of float32, shape (rows, k, window)
        Input windows, normalised at each origin.
    target : ndarray of float32, shape (rows, k, horizon)
        The samples after each origin, normalised at that origin.
    scale : ndarray of float32, shape (rows, k)
        mV per normalised unit.
    """

    x: Float32Array
    target: Float32Array
    scale: Float32Array


def to_sequences(streams: FloatArray, network: NetworkConfig, config: ScalingConfig) -> Sequences:
    """Cut streams into inputs and targets.

    Parameters
    ----------
    streams : ndarray of float64, shape (rows, n)
        mV. The last ``horizon`` samples are only used as targets.
    """
    patch, window, horizon = network.patch, network.window, network.horizon
    k = (streams.shape[1] - horizon) // patch
    observed = streams[:, : k * patch]
    baseline, scale, _ = normalization.advance(
        normalization.begin(len(streams), config), observed.reshape(len(streams), k, patch), config
    )
    past = np.concatenate([normalization.initial_history(observed[:, 0], window - patch), observed], axis=1)
    ahead = np.lib.stride_tricks.sliding_window_view(streams[:, patch:], horizon, axis=1)[:, ::patch][:, :k]
    baseline, scale = baseline[:, :, None], scale[:, :, None]
    return Sequences(
        ((normalization.windows(past, window, patch) - baseline) / scale).astype(np.float32),
        ((ahead - baseline) / scale).astype(np.float32),
        scale[:, :, 0].astype(np.float32),
    )


def random_streams(signals: Signals, rows: int, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw augmented streams at random positions of random records.

    A stream is one lead or a random mixture of both (another projection of the cardiac vector), with random sign and
    gain, resampled to 0.75 to 1.35 times the speed, with baseline wander, noise and a slow drift of gain.

    Returns
    -------
    ndarray of float64, shape (rows, n)
        mV.
    """
    names = sorted(signals)
    return np.stack([_random_stream(signals[names[rng.integers(len(names))]], n, rng) for _ in range(rows)])


def _random_stream(record: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    speed = np.exp(rng.uniform(np.log(0.75), np.log(1.35))) if rng.random() < 0.7 else 1.0
    length = int(np.ceil(n * speed)) + 8
    start = rng.integers(0, len(record) - length)
    piece = record[start : start + length]
    if piece.shape[1] == 1 or rng.random() < 0.5:
        lead = piece[:, rng.integers(piece.shape[1])]
    else:
        angle = rng.uniform(0, np.pi)
        lead = np.cos(angle) * piece[:, 0] + np.sin(angle) * piece[:, 1]
    if speed != 1.0:
        lead = map_coordinates(lead, [4 + speed * np.arange(n)], order=3, mode="nearest")
    lead = lead[:n] * np.exp(rng.normal(0, 0.3)) * rng.choice([-1.0, 1.0], p=[0.3, 0.7])
    time = np.arange(n) / FS
    if rng.random() < 0.5:
        wander = rng.uniform(0, 0.15) * np.sin(2 * np.pi * (rng.uniform(0.05, 0.5) * time + rng.random()))
        gain = 1 + rng.uniform(0, 0.15) * np.sin(2 * np.pi * (rng.uniform(0.1, 0.4) * time + rng.random()))
        lead = lead * gain + wander
    if rng.random() < 0.3:
        lead = lead + rng.normal(0, rng.uniform(0, 0.03), n)
    return np.asarray(lead)


def random_sequences(
    signals: Signals, train: TrainConfig, network: NetworkConfig, config: ScalingConfig, index: int
) -> Sequences:
    """Return the training sequences with an index; the same index gives the same sequences.

    Returns
    -------
    Sequences
        ``rows`` rows of ``windows * window`` steps.
    """
    rng = np.random.default_rng([train.seed, index])
    n = train.windows * train.window * network.patch + network.horizon
    return to_sequences(random_streams(signals, train.rows, n, rng), network, config)
