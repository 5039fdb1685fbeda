"""The compiled network gives the outputs of the network that is trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.inference import BLOCK, Weights, pack_weights, rows_for, step
from model.forecast.matrix_product import ROWS
from model.forecast.network import Network

STEPS = 20


def network_of(config: NetworkConfig) -> tuple[Network, Weights]:
    torch.manual_seed(0)
    network = Network(config).eval()
    return network, pack_weights(config, network.checkpoint(ScalingConfig(), {}).weights)


def run(config: NetworkConfig, weights: Weights, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and scale, shape (streams, steps, horizon, 2), and the state after windows (streams, steps, window).

    State: h and c, each of shape (layers, streams, hidden).
    """
    streams, window = len(x), config.window
    rows = rows_for(streams)
    inputs = np.zeros((2 * window + config.layers * config.hidden, rows), np.float32)
    cell = np.zeros((config.layers, rows, config.hidden), np.float32)
    gates, out = (np.empty((rows, len(bias)), np.float32) for bias in (weights.lstm_bias[0], weights.head_bias))
    y = []
    for t in range(x.shape[1]):
        inputs[:window, :streams] = x[:, t].T
        step(weights, inputs, cell, gates, out)
        y.append(out[:streams, : 2 * config.horizon].reshape(streams, 2, -1).transpose(0, 2, 1).copy())
    h = inputs[window:-window].reshape(config.layers, config.hidden, rows).transpose(0, 2, 1)
    return np.stack(y, axis=1), h[:, :streams], cell[:, :streams]


@pytest.mark.parametrize(
    "config", [NetworkConfig(), NetworkConfig(hidden=8, horizon=12, layers=1), NetworkConfig(hidden=20, layers=3)]
)
@pytest.mark.parametrize("streams", [1, 2, 5, BLOCK])
@torch.inference_mode()
def test_outputs_and_state_equal_those_of_the_network(config: NetworkConfig, streams: int) -> None:
    network, weights = network_of(config)
    x = torch.randn(streams, STEPS, config.window)
    expected, (h, c) = network(x)
    y, own_h, own_c = run(config, weights, x.numpy())
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-6)
    np.testing.assert_allclose(own_h, h, rtol=0, atol=2e-6)
    np.testing.assert_allclose(own_c, c, rtol=0, atol=4e-6)


def test_other_streams_of_the_block_do_not_change_a_bit() -> None:
    config = NetworkConfig()
    weights = network_of(config)[1]
    x = np.random.default_rng(0).standard_normal((BLOCK, STEPS, config.window)).astype(np.float32)
    together = run(config, weights, x)[0]
    for streams in range(1, BLOCK):
        np.testing.assert_array_equal(run(config, weights, x[:streams])[0], together[:streams])


@torch.inference_mode()
def test_extreme_inputs() -> None:
    config = NetworkConfig(hidden=8, horizon=12)
    network, weights = network_of(config)
    x = 1e4 * torch.randn(3, 5, config.window)
    y, h, c = run(config, weights, x.numpy())
    np.testing.assert_allclose(y[..., 1], network(x)[0][..., 1], rtol=1e-5, atol=1e-5)
    assert np.isfinite(y).all()
    assert np.isfinite(h).all()
    assert np.isfinite(c).all()


def test_states_that_fade_become_zero_not_denormal() -> None:
    """Denormal numbers would slow the network down many times."""
    config = NetworkConfig(hidden=8, horizon=12)
    weights = network_of(config)[1]
    weights.lstm[:] = 0
    weights.lstm_bias[:] = 0
    rows = rows_for(1)
    inputs = np.zeros((2 * config.window + 16, rows), np.float32)
    cell = np.ones((2, rows, 8), np.float32)
    gates, out = (np.empty((rows, len(bias)), np.float32) for bias in (weights.lstm_bias[0], weights.head_bias))
    for _ in range(100):
        step(weights, inputs, cell, gates, out)
    assert (cell == 0).all()
    assert (inputs == 0).all()


def test_blocks_hold_the_streams() -> None:
    assert [rows_for(n) for n in ROWS] == list(ROWS)
    assert all(rows_for(n) >= n for n in range(1, BLOCK + 1))
