"""The network: shapes, state, causality."""

from __future__ import annotations

import pytest
import torch

from model.forecast.config import NetworkConfig
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed

SMALL = NetworkConfig(hidden=8, horizon=12)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(SMALL).eval()


@torch.inference_mode()
def test_steps_with_carried_state_equal_one_call(network: Network) -> None:
    x = torch.randn(3, 20, SMALL.window)
    whole, (h, c) = network(x)
    assert whole.shape == (3, 20, 12, 2)
    assert h.shape == c.shape == (2, 3, 8)
    first, state = network(x[:, :7])
    second, (h2, _) = network(x[:, 7:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(h2, h)


@torch.inference_mode()
def test_output_depends_on_no_later_step_and_no_other_stream(network: Network) -> None:
    x = torch.randn(3, 20, SMALL.window)
    changed = x.clone()
    changed[0, 10:] += 1
    before, after = network(x)[0], network(changed)[0]
    torch.testing.assert_close(after[0, :10], before[0, :10])
    torch.testing.assert_close(after[1:], before[1:])
    assert not torch.allclose(after[0, 10], before[0, 10])


@torch.inference_mode()
def test_scale_has_a_floor(network: Network) -> None:
    y, _ = network(100 * torch.randn(2, 5, SMALL.window))
    assert torch.isfinite(y).all()
    assert (y[..., 1] >= SMALL.scale_floor).all()


def test_every_weight_has_a_gradient(network: Network) -> None:
    y, _ = network(torch.randn(2, 5, SMALL.window))
    y.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def keeps_denormals() -> bool:
    return (torch.tensor(1e-40) * 1.0).item() > 0


def test_denormals_are_flushed_inside_the_context_only() -> None:
    assert keeps_denormals()
    with denormals_flushed():
        assert not keeps_denormals()
        with denormals_flushed():
            assert not keeps_denormals()
        assert not keeps_denormals()
    assert keeps_denormals()
