"""The network: shapes, state, causality, and its inference back ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from model.forecast.config import NetworkConfig
from model.forecast.network import LARGE_BATCH, Backend, InferenceNetwork, Network
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


@pytest.mark.parametrize("has_onednn", [True, False])
@pytest.mark.parametrize("backend", [0, 1])
@torch.inference_mode()
def test_the_inference_network_equals_the_network(
    network: Network, has_onednn: bool, backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any number of streams and steps, with carried state, with and without oneDNN, and with each back end."""
    monkeypatch.setattr("model.forecast.network._fastest", lambda backends, *_: backends[backend])
    if not has_onednn:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    inference = InferenceNetwork(network)
    for batch in (1, 2, 130):
        x = torch.randn(batch, 20, SMALL.window)
        y, (h, c) = network(x)
        state = [torch.zeros(batch, SMALL.hidden)] * 4
        parts = []
        for first, last in ((0, 1), (1, 10), (10, 20)):
            part, state = inference(x[:, first:last].transpose(0, 1).contiguous(), state)
            parts.append(part)
        torch.testing.assert_close(torch.cat(parts).permute(1, 0, 3, 2), y)
        torch.testing.assert_close(torch.stack(list(state)), torch.stack([h[0], c[0], h[1], c[1]]))


@torch.inference_mode()
def test_a_large_batch_keeps_the_fastest_back_end(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("model.forecast.network.CPU_CLOCK", lambda: clock[0])
    inference = InferenceNetwork(network)
    calls = []

    def backend(name: str, seconds: float) -> Backend:
        def run(x: torch.Tensor, state: Sequence[torch.Tensor]) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
            clock[0] += seconds
            calls.append(name)
            return x, state

        return run

    monkeypatch.setattr(inference, "_large_batch", [backend("slow", 3), backend("fast", 1), backend("slower", 5)])
    x, state = torch.zeros(9, LARGE_BATCH, SMALL.window), [torch.zeros(LARGE_BATCH, SMALL.hidden)] * 4
    inference(x, state)
    assert {"slow", "fast", "slower"} == set(calls)
    calls.clear()
    inference(x, state)
    assert calls == ["fast"]


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
