"""Training of the recurrent network along the beats (`model.beats.beat_network`), on pieces of recorded beats.

A piece is drawn as often as its beats are wanted, and each beat in it is weighted so: rare types are seen often, and
their share in a patient matters less. The recurrent state begins at zero in each piece; the first beats, as many as
those of the learning period, are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from model.beats.beat_network import BINS, MEMBERS, UNITS, BeatNetwork, Layer
from model.beats.classifier import LEARNING_BEATS, TYPES
from model.beats.layers import MAX_DEVIATION
from model.signal.arrays import FloatArray
from model.training.beat_examples import Examples

LEADS = 2
"""Leads of a training sequence; the second one of a record with one lead is left out."""

MIRRORED, GAIN, SHAPE_NOISE = 0.3, 0.2, 0.03
"""Share of leads that are mirrored, standard deviation of the logarithm of their gain, and largest noise: the encoder
learns differences from the narrow beat, not the shapes of the training patients."""


@dataclass(frozen=True)
class SequenceConfig:
    """Configuration of a training run.

    Attributes
    ----------
    shape, codes, hidden : int
        Outputs of the first layer and of the encoder, and of the hidden layer.
    steps, sequences, beats : int
        Optimiser steps, pieces in a batch, and beats in a piece.
    lr, weight_decay : float
        Parameters of AdamW; the learning rate follows one cycle.
    dropout, code_dropout, noise, blank : float
        Dropout of the hidden layer and the state, and in the encoder; standard deviation of the noise added to
        normalised features; share of features set to 0.
    smoothing : float
        Label smoothing.
    lean : tuple of float
        Added to the log probabilities of N, S and V; chosen by cross-validation.
    seed : int
    """

    shape: int = 24
    codes: int = 16
    hidden: int = 48
    steps: int = 700
    sequences: int = 32
    beats: int = 96
    lr: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    code_dropout: float = 0.2
    noise: float = 0.4
    blank: float = 0.05
    smoothing: float = 0.02
    lean: tuple[float, float, float] = (0.0, -2.5, -1.5)
    seed: int = 42


@dataclass(frozen=True)
class _Beats:
    """All training beats, set by set, and the pieces of them.

    Attributes
    ----------
    features : Tensor, shape (beats, features)
        Normalised.
    shapes : Tensor of float16, shape (beats, LEADS, 2 * BINS)
    leads : Tensor, shape (beats,)
        Number of leads in use, the first ones.
    types : Tensor, shape (beats,)
    weight : Tensor, shape (beats,)
        How often each beat is wanted; 0 for those without a label.
    first : ndarray of int64, shape (pieces,)
        First beat of each piece.
    total : ndarray, shape (pieces,)
        Sum of the weights of its scored beats, above 0.
    """

    features: torch.Tensor
    shapes: torch.Tensor
    leads: torch.Tensor
    types: torch.Tensor
    weight: torch.Tensor
    first: FloatArray
    total: FloatArray


class _Network(nn.Module):
    """One member, in training.

    Its first layer also reads the difference of the shapes, which is learnt better than by the weights of both; the
    exported layer has them added to those of the shapes.
    """

    def __init__(self, config: SequenceConfig, features: int) -> None:
        super().__init__()
        self.shape = nn.Linear(3 * BINS, config.shape)
        self.encoder = nn.Linear(config.shape, config.codes)
        self.hidden = nn.Linear(features + 2 * config.codes, config.hidden)
        self.recurrent = nn.GRU(config.hidden, UNITS, batch_first=True)
        self.output = nn.Linear(config.hidden + UNITS, len(TYPES))
        self.dropout, self.code_dropout = nn.Dropout(config.dropout), nn.Dropout(config.code_dropout)

    def forward(self, features: torch.Tensor, shapes: torch.Tensor, leads: torch.Tensor) -> torch.Tensor:
        """Return the log odds; all arguments begin with the axes of sequences and beats."""
        difference = shapes[..., :BINS] - shapes[..., BINS:]
        codes = torch.relu(self.shape(torch.cat((shapes, difference), dim=-1)))
        codes = torch.relu(self.encoder(self.code_dropout(codes)))
        codes = codes * (torch.arange(LEADS) < leads[..., None])[..., None]
        inputs = (features, codes.amax(dim=-2), codes.sum(dim=-2) / leads[..., None])
        hidden = self.dropout(torch.relu(self.hidden(torch.cat(inputs, dim=-1))))
        states, _ = self.recurrent(hidden)
        result: torch.Tensor = self.output(torch.cat((hidden, self.dropout(states)), dim=-1))
        return result


def fit_network(config: SequenceConfig, sets: Sequence[Examples], weight: FloatArray) -> BeatNetwork:
    """Train all members on sets of consecutive beats.

    Parameters
    ----------
    config : SequenceConfig
    sets : sequence of Examples
    weight : ndarray, shape (beats of all sets,)
        How often each beat is wanted.
    """
    features = np.concatenate([examples.features for examples in sets])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    normalised = np.clip((features - mean) / scale, -MAX_DEVIATION, MAX_DEVIATION)
    beats = _beats(config, sets, normalised, weight)
    members = [_fit_one(config, config.seed + i, beats) for i in range(MEMBERS)]
    return _exported(members, mean.astype(np.float64), scale.astype(np.float64), np.array(config.lean))


def _exported(members: Sequence[_Network], mean: FloatArray, scale: FloatArray, class_bias: FloatArray) -> BeatNetwork:
    """Return trained members as the analysis uses them."""

    def layer(name: str, suffix: str = "") -> Layer:
        parts = [getattr(member, name) for member in members]
        weights = [getattr(part, f"weight{suffix}").detach().double().numpy().T for part in parts]
        biases = [getattr(part, f"bias{suffix}").detach().double().numpy() for part in parts]
        return Layer(np.ascontiguousarray(np.stack(weights)), np.stack(biases))

    shape = layer("shape")
    own, narrow, difference = np.split(shape.weight, 3, axis=1)
    shape = shape._replace(weight=np.concatenate((own + difference, narrow - difference), axis=1))
    gates = (layer("recurrent", "_ih_l0"), layer("recurrent", "_hh_l0"))
    return BeatNetwork(mean, scale, shape, layer("encoder"), layer("hidden"), *gates, layer("output"), class_bias)


def _beats(config: SequenceConfig, sets: Sequence[Examples], features: FloatArray, weight: FloatArray) -> _Beats:
    shapes, leads, first, begin = [], [], [], 0
    for examples in sets:
        n, own_leads = examples.shapes.shape[:2]
        padded = np.zeros((n, LEADS, 2 * BINS), np.float16)
        padded[:, :own_leads] = examples.shapes.reshape(n, own_leads, -1)[:, :LEADS]
        shapes.append(padded)
        leads.append(np.full(n, min(own_leads, LEADS)))
        first.append(np.arange(begin, begin + n - config.beats + 1, config.beats // 2))
        begin += n
    starts, before = np.concatenate(first), np.concatenate(([0.0], np.cumsum(weight)))
    total = before[starts + config.beats] - before[starts + LEARNING_BEATS]
    useful = total > 0
    return _Beats(
        torch.from_numpy(features),
        torch.from_numpy(np.concatenate(shapes)),
        torch.from_numpy(np.concatenate(leads)),
        torch.from_numpy(np.concatenate([examples.type for examples in sets])),
        torch.from_numpy(weight),
        starts[useful],
        total[useful],
    )


def _fit_one(config: SequenceConfig, seed: int, beats: _Beats) -> _Network:
    """Train one network."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = _Network(config, beats.features.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, config.steps)
    chance = beats.total / beats.total.sum()
    for _ in range(config.steps):
        pieces = rng.choice(len(beats.first), config.sequences, p=chance)
        rows = torch.from_numpy(beats.first[pieces][:, None] + np.arange(config.beats))
        weight = beats.weight[rows] / torch.from_numpy(beats.total[pieces])[:, None]
        weight[:, :LEARNING_BEATS] = 0
        types = beats.types[rows].clamp(min=0)  # UNLABELLED has the weight 0
        logits = net(_blurred(config, beats.features[rows]), _changed(beats.shapes[rows].float()), beats.leads[rows])
        losses = nn.functional.cross_entropy(
            logits.flatten(0, 1), types.flatten(), reduction="none", label_smoothing=config.smoothing
        )
        loss = (losses * weight.flatten().float()).sum() / config.sequences
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        cycle.step()
    return net.eval()


def _blurred(config: SequenceConfig, features: torch.Tensor) -> torch.Tensor:
    """Return features with noise, some of them 0."""
    noisy = features + config.noise * torch.randn_like(features)
    return noisy * (torch.rand_like(noisy) > config.blank)


def _changed(shapes: torch.Tensor) -> torch.Tensor:
    """Return shapes of each sequence and lead mirrored or not, with another gain, and the same noise in both."""
    sequences, beats, leads, _ = shapes.shape
    each = (sequences, 1, leads, 1)
    gain = torch.where(torch.rand(each) < MIRRORED, -1.0, 1.0) * torch.exp(GAIN * torch.randn(each))
    noise = SHAPE_NOISE * torch.rand(each) * torch.randn(sequences, beats, leads, BINS)
    return shapes * gain + torch.cat((noise, noise), dim=-1)
