"""Each back end gives the result of `nn.LSTM`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from model.forecast import lstm_inference
from model.forecast.lstm_inference import LSTMBackend

BACKENDS = [lstm_inference.torch_backend, lstm_inference.exp2_backend]
if lstm_inference.has_onednn():
    BACKENDS.append(lstm_inference.onednn_backend)


@pytest.fixture(params=[1, 2])
def lstm(request: pytest.FixtureRequest) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(6, 8, request.param, batch_first=True).eval()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("streams", [1, 3, 130])
@torch.inference_mode()
def test_result_equals_that_of_torch(lstm: nn.LSTM, backend: Callable[[nn.LSTM], LSTMBackend], streams: int) -> None:
    x = torch.randn(streams, 20, 6)
    hidden, (h, c) = lstm(x)
    run = backend(lstm)
    state = [torch.zeros(streams, 8)] * (2 * lstm.num_layers)
    parts = []
    for first, last in ((0, 1), (1, 20)):
        part, state = run(x[:, first:last].transpose(0, 1).contiguous(), state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts).transpose(0, 1), hidden)
    torch.testing.assert_close(torch.stack(state[::2]), h)
    torch.testing.assert_close(torch.stack(state[1::2]), c)


@torch.inference_mode()
def test_exp2_saturates_as_the_sigmoid_does(lstm: nn.LSTM) -> None:
    x = 1e4 * torch.randn(5, 3, 6)
    state = [torch.zeros(3, 8)] * (2 * lstm.num_layers)
    hidden, after = lstm_inference.exp2_backend(lstm)(x, state)
    expected, _ = lstm(x.transpose(0, 1))
    torch.testing.assert_close(hidden.transpose(0, 1), expected)
    assert all(torch.isfinite(part).all() for part in after)


@torch.inference_mode()
def test_exp2_does_not_modify_its_inputs(lstm: nn.LSTM) -> None:
    x, state = torch.randn(5, 3, 6), [torch.randn(3, 8) for _ in range(2 * lstm.num_layers)]
    before = [part.clone() for part in (x, *state)]
    lstm_inference.exp2_backend(lstm)(x, state)
    torch.testing.assert_close([x, *state], before, rtol=0, atol=0)
