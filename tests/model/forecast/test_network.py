"""The network's shapes, state and causality."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from model.forecast.config import NetworkConfig
from model.forecast.network import MANY, LiveNetwork, Network, Way
from model.forecast.torch_runtime import denormals_flushed

SMALL = NetworkConfig(hidden=8, horizon=12)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(SMALL).eval()


@torch.inference_mode()
def test_state_carried_equals_one_call(network: Network) -> None:
    x = torch.randn(3, 20, SMALL.window)
    whole, (h, c) = network(x)
    assert whole.shape == (3, 20, 12, 2)
    assert h.shape == c.shape == (2, 3, 8)
    first, state = network(x[:, :7])
    second, (h2, _) = network(x[:, 7:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(h2, h)


@torch.inference_mode()
def test_looks_at_no_later_step_and_no_other_row(network: Network) -> None:
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


def test_every_weight_learns(network: Network) -> None:
    y, _ = network(torch.randn(2, 5, SMALL.window))
    y.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("has_onednn", [True, False])
@pytest.mark.parametrize("way", [0, 1])
@torch.inference_mode()
def test_the_live_network_gives_the_same(
    network: Network, has_onednn: bool, way: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any number of streams and steps, with its state carried, and where torch lacks the calls for packing.

    With many streams, whichever back end is the faster.
    """
    monkeypatch.setattr("model.forecast.network._fastest", lambda ways, *_: ways[way])
    if not has_onednn:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    live = LiveNetwork(network)
    for batch in (1, 2, 130):
        x = torch.randn(batch, 20, SMALL.window)
        y, (h, c) = network(x)
        state = [torch.zeros(batch, SMALL.hidden)] * 4
        parts = []
        for first, last in ((0, 1), (1, 10), (10, 20)):
            part, state = live(x[:, first:last].transpose(0, 1).contiguous(), state)
            parts.append(part)
        torch.testing.assert_close(torch.cat(parts).permute(1, 0, 3, 2), y)
        torch.testing.assert_close(torch.stack(list(state)), torch.stack([h[0], c[0], h[1], c[1]]))


@torch.inference_mode()
def test_many_streams_take_the_way_that_was_sooner_and_keep_to_it(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("model.forecast.network.CLOCK", lambda: clock[0])
    live = LiveNetwork(network)
    taken = []

    def way(name: str, seconds: float) -> Way:
        def run(x: torch.Tensor, state: Sequence[torch.Tensor]) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
            clock[0] += seconds
            taken.append(name)
            return x, state

        return run

    monkeypatch.setattr(live, "_for_many", [way("slow", 3), way("soon", 1), way("slower", 5)])
    x, state = torch.zeros(9, MANY, SMALL.window), [torch.zeros(MANY, SMALL.hidden)] * 4
    live(x, state)
    assert {"slow", "soon", "slower"} == set(taken)
    taken.clear()
    live(x, state)
    assert taken == ["soon"]


def keeps_denormals() -> bool:
    return (torch.tensor(1e-40) * 1.0).item() > 0


def test_denormals_are_flushed_inside_only() -> None:
    assert keeps_denormals()
    with denormals_flushed():
        assert not keeps_denormals()
        with denormals_flushed():
            assert not keeps_denormals()
        assert not keeps_denormals()
    assert keeps_denormals()
