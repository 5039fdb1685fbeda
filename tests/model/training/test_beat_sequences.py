"""Training along the beats, and its networks as the analysis uses them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from model.beats import beat_network
from model.beats.beat_network import BINS, MEMBERS
from model.training.beat_sequences import SequenceConfig, _exported, _Network

FEATURES = 5
CLASS_BIAS = np.array([0.0, -2.0, -1.0])


@pytest.mark.parametrize("leads", [1, 2])
def test_exported_networks_compute_what_those_in_training_do(leads: int) -> None:
    torch.manual_seed(0)
    members = [_Network(SequenceConfig(shape=4, codes=3, hidden=6), FEATURES).eval() for _ in range(MEMBERS)]
    rng, n = np.random.default_rng(1), 20
    features, shapes = rng.normal(size=(n, FEATURES)), np.zeros((n, 2, 2, BINS))
    shapes[:, :leads] = rng.normal(size=(n, leads, 2, BINS))
    inputs = torch.from_numpy(features).float(), torch.from_numpy(shapes.reshape(n, 2, -1)).float()
    with torch.no_grad():
        rows = [
            nn.functional.log_softmax(m(inputs[0][None], inputs[1][None], torch.full((1, n), leads)), -1)[0]
            for m in members
        ]
    expected = torch.stack(rows).mean(dim=0).numpy() + CLASS_BIAS

    network = _exported(members, np.zeros(FEATURES), np.ones(FEATURES), CLASS_BIAS)
    (states,), valid = beat_network.begin(), np.arange(2) < leads
    found = [beat_network.log_probabilities(network, states, *row, valid) for row in zip(features, shapes, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
