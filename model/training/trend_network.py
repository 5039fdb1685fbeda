"""Training of one network that forecasts vitals hours ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from model.console.progress import stderr
from model.trends import targets, vital_inputs
from model.trends.quantiles import OUTPUTS, QUANTILES, VALUES
from model.trends.vital_inputs import FORECAST, MEAN_PRESSURE, SCALE, Floats

Float32s = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

HIDDEN, EPOCHS, BATCH = 64, 8, 96
RATE, DECAY, NOISE = 4e-3, 1e-3, 0.15
"""Highest learning rate, weight decay, standard deviation of the noise on the inputs (in scales)."""
DROPOUT = 0.4
"""Share of hidden units that are left out of the outputs in training."""

RISK_WEIGHTS = (1.0, 1.0, 1.0, 4.0)


@dataclass(frozen=True, eq=False)
class Hours:
    """All hours of some patients, padded; NaN is missing.

    Attributes
    ----------
    features : ndarray of float32, shape (patients, hours, FEATURES)
    level : ndarray of float32, shape (patients, hours, vitals)
        Carried values, in scales from the centre.
    later : ndarray of float32, shape (patients, hours, vitals, horizons)
        Measured later, in scales from the centre.
    risks : ndarray of float32, shape (patients, hours, risks)
    lengths : ndarray of int64, shape (patients,)
    """

    features: Float32s
    level: Float32s
    later: Float32s
    risks: Float32s
    lengths: Ints

    def of(self, chosen: npt.NDArray[np.bool_] | Ints) -> Hours:
        """Return some of the patients."""
        features, level, later, risks = (part[chosen] for part in (self.features, self.level, self.later, self.risks))
        return Hours(features, level, later, risks, self.lengths[chosen])


class Network(torch.nn.Module):
    """A GRU from hour to hour, and a linear layer to the outputs."""

    def __init__(self, features: int = vital_inputs.FEATURES) -> None:
        super().__init__()
        self.gru = torch.nn.GRU(features, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, OUTPUTS)
        self.direct = torch.nn.Linear(features, OUTPUTS, bias=False)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.direct.weight.mul_(0.1)
            self.head.bias.zero_()
            spread = torch.tensor([-0.5, 0.0, 0.5]).repeat(VALUES // len(QUANTILES))
            self.head.bias[:VALUES] = spread
            self.head.bias[VALUES:] = -2.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of each hour, shape (patients, hours, OUTPUTS)."""
        out: torch.Tensor = self.head(
            torch.nn.functional.dropout(self.gru(x)[0], DROPOUT, self.training)
        ) + self.direct(x)
        return out


def prepare(values: Floats, lengths: Ints, sepsis: Floats) -> Hours:
    """Return features and targets of patients.

    Parameters
    ----------
    values : ndarray, shape (patients, hours, 7)
    lengths : ndarray of int64, shape (patients,)
    sepsis : ndarray, shape (patients, hours)
        Label of the Challenge; NaN where there is none.
    """
    state, features, level = vital_inputs.begin(len(values)), [], []
    for hour in range(values.shape[1]):
        own, state = vital_inputs.step(state, values[:, hour])
        features.append(own.astype(np.float32))
        level.append(state.level[:, : len(FORECAST)].astype(np.float32))
    scaled = (values - vital_inputs.CENTRE) / SCALE
    later = np.clip(targets.values_ahead(scaled), -6, 6).astype(np.float32)
    levels = np.stack(level, axis=1)
    low = targets.hypotension(values)
    pressure = vital_inputs.CENTRE[MEAN_PRESSURE] + SCALE[MEAN_PRESSURE] * levels[..., MEAN_PRESSURE]
    low[pressure < vital_inputs.LOW_MMHG] = np.nan
    risks = np.concatenate([low, sepsis[..., None]], axis=-1).astype(np.float32)
    return Hours(np.stack(features, axis=1), levels, later, risks, lengths)


def fit(hours: Hours, seed: int, epochs: int = EPOCHS) -> Network:
    """Train one network on patients."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Network(hours.features.shape[-1])
    decayed = [p for name, p in net.named_parameters() if "bias" not in name]
    rest = [p for name, p in net.named_parameters() if "bias" in name]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}], lr=RATE
    )
    batches = -(-len(hours.lengths) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=epochs * batches, pct_start=0.2)
    for epoch in range(epochs):
        total = 0.0
        # Patients of similar length together: little padding; batches in random order.
        order = np.argsort(hours.lengths + rng.uniform(0, 6, len(hours.lengths)), kind="stable")
        for k in rng.permutation(batches):
            chosen = order[k * BATCH : (k + 1) * BATCH]
            n = int(min(hours.lengths[chosen].max(), hours.features.shape[1]))
            loss = _loss(net, hours, chosen, n)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        stderr().print(f"network {seed}, epoch {epoch + 1} of {epochs}: loss {total / batches:.4f}")
    return net.eval()


def _loss(net: Network, hours: Hours, chosen: Ints, n: int) -> torch.Tensor:
    x = torch.from_numpy(hours.features[chosen, :n])
    out = net(x + NOISE * torch.randn_like(x))
    values = out[..., :VALUES].reshape(*out.shape[:2], len(FORECAST), len(targets.HORIZONS_H), len(QUANTILES))
    change = torch.from_numpy(hours.later[chosen, :n] - hours.level[chosen, :n, :, None])
    known = ~torch.isnan(change)
    error = torch.nan_to_num(change)[..., None] - values
    q = torch.tensor(QUANTILES)
    pinball = torch.maximum(q * error, (q - 1) * error).sum(-1)
    loss = (pinball * known).sum() / known.sum().clamp(min=1)
    risks = torch.from_numpy(hours.risks[chosen, :n])
    asked = ~torch.isnan(risks)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(
        out[..., VALUES:], torch.nan_to_num(risks), reduction="none"
    )
    for k, weight in enumerate(RISK_WEIGHTS):
        loss = loss + weight * (entropy[..., k] * asked[..., k]).sum() / asked[..., k].sum().clamp(min=1)
    return loss
