"""The compiled network gives the outputs of the network that is trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.forecast import bf16_product
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.inference import (
    BLOCK,
    Precision,
    Weights,
    new_block,
    pack_weights,
    put_h,
    put_windows,
    step,
    take_h,
)
from model.forecast.network import Network

STEPS = 20

each_precision = pytest.mark.parametrize("precision", ["float32", "bfloat16"])


def network_of(config: NetworkConfig) -> tuple[Network, TrainedForecaster]:
    torch.manual_seed(0)
    network = Network(config).eval()
    return network, network.trained(ScalingConfig(), {})


def run(weights: Weights, x: np.ndarray, layers: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and scale, shape (streams, steps, horizon, 2), and the state after windows (streams, steps, window).

    State: h and c, each of shape (layers, streams, hidden). It passes from one block to another before each step.
    """
    streams = len(x)
    h, c = np.zeros((2, layers, streams, weights.hidden), np.float32)
    y = []
    for t in range(x.shape[1]):
        block = new_block(weights, streams, layers)
        put_windows(weights, block, x[:, t].copy())
        for i in range(streams):
            for layer in range(layers):
                put_h(weights, block, i, layer, h[layer, i])
        block.c[:, :streams] = c
        step(weights, block)
        for i in range(streams):
            for layer in range(layers):
                take_h(weights, block, i, layer, h[layer, i])
        c = block.c[:, :streams].copy()
        y.append(block.out[:streams, : 2 * weights.horizon].reshape(streams, 2, -1).transpose(0, 2, 1).copy())
    return np.stack(y, axis=1), h, c


@pytest.mark.parametrize(
    "config", [NetworkConfig(), NetworkConfig(hidden=8, horizon=12, layers=1), NetworkConfig(hidden=20, layers=3)]
)
@pytest.mark.parametrize("streams", [1, 2, 5, BLOCK])
@torch.inference_mode()
def test_outputs_and_state_equal_those_of_the_network(config: NetworkConfig, streams: int) -> None:
    network, trained = network_of(config)
    x = torch.randn(streams, STEPS, config.window)
    expected, (h, c) = network(x)
    y, own_h, own_c = run(pack_weights(trained), x.numpy(), config.layers)
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=2e-6)
    np.testing.assert_allclose(own_h, h, rtol=0, atol=2e-6)
    np.testing.assert_allclose(own_c, c, rtol=0, atol=4e-6)


@pytest.mark.parametrize("config", [NetworkConfig(), NetworkConfig(hidden=8, horizon=12)])
@torch.inference_mode()
def test_bfloat16_is_near_float32_with_and_without_instructions_for_it(
    config: NetworkConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, trained = network_of(config)
    x = torch.randn(3, STEPS, config.window)
    expected = network(x)[0]
    here, _, _ = run(pack_weights(trained, "bfloat16"), x.numpy())
    monkeypatch.setattr(bf16_product, "available", lambda: False)
    elsewhere, _, _ = run(pack_weights(trained, "bfloat16"), x.numpy())
    np.testing.assert_allclose(here, expected, rtol=0, atol=0.02)
    assert np.abs(here - expected.numpy()).max() > 1e-5
    np.testing.assert_allclose(elsewhere, here, rtol=0, atol=0.005)


@each_precision
def test_other_streams_of_the_block_do_not_change_a_bit(precision: Precision) -> None:
    config = NetworkConfig()
    weights = pack_weights(network_of(config)[1], precision)
    x = np.random.default_rng(0).standard_normal((BLOCK, STEPS, config.window)).astype(np.float32)
    together = run(weights, x)[0]
    for streams in range(1, BLOCK):
        np.testing.assert_array_equal(run(weights, x[:streams])[0], together[:streams])


@each_precision
@torch.inference_mode()
def test_extreme_inputs(precision: Precision) -> None:
    config = NetworkConfig(hidden=32, horizon=12)
    network, trained = network_of(config)
    x = 1e4 * torch.randn(3, 5, config.window)
    y, h, c = run(pack_weights(trained, precision), x.numpy())
    np.testing.assert_allclose(y[..., 1], network(x)[0][..., 1], rtol=0.01)
    assert np.isfinite(y).all()
    assert np.isfinite(h).all()
    assert np.isfinite(c).all()


@each_precision
def test_states_that_fade_become_zero_not_denormal(precision: Precision) -> None:
    """Denormal numbers would slow the network down many times."""
    config = NetworkConfig(hidden=32, horizon=12)
    _, trained = network_of(config)
    for value in trained.weights.values():
        value[:] = 0
    weights = pack_weights(trained, precision)
    block = new_block(weights, 1, 2)
    block.c[:] = 1
    put_windows(weights, block, np.full((1, config.window), 1e-40, np.float32))
    for _ in range(100):
        step(weights, block)
    assert (block.c == 0).all()
    assert (block.inputs == 0).all()
    assert (block.halves == 0).all()
