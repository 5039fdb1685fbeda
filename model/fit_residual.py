"""Fit the weights of the residual score, and score them on patients that were left out.

The examples are stretches of 400 ms: one for each reference beat, and one behind each beat, where no alarm belongs
either. A stretch counts by (nearly) the highest departure in it, since one high second is enough for an alarm. Each
record weighs as the root of its number of examples. Noise on the levels, one number for all delays of a level, stands
for patients who differ more than those at hand.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from model import evaluate_residual, residual, residual_weights
from model import forecaster as forecasting
from model.by_time import BEFORE_R
from model.checkpoint import Checkpoint
from model.config import PATCH
from model.dataset import TRAIN
from model.evaluate_residual import CHUNK, VEB
from model.pipeline import RESIDUAL
from model.residual_features import FEATURES, LEVELS, TAPS
from model.residual_weights import Weights
from stream import records as wfdb_records
from stream.catalog import Catalog
from stream.messages import FS

FIT_FROM = 60 * FS
SUPRAVENTRICULAR = frozenset("AaJSejn")
"""Beats that are easily taken for ventricular ones: all are examples, as all VEB are. Of the others every third is."""

KEPT = 3
STRETCH, STRIDE = 36, 4
"""Patches of an example, of which every fourth is looked at."""

QUIET_BEFORE, QUIET_AFTER = 450, 250
"""Samples around an example behind a beat in which no VEB may lie."""

HIDDEN, SEEDS = 12, (1, 2, 3)
"""Units of one network; networks whose outputs are averaged, side by side in one hidden layer."""

STEPS, RATE, DECAY, NOISE, SHARPNESS = 120, 0.02, 1e-3, 0.3, 3.0

GROUP = np.concatenate([TAPS[:, 0], LEVELS + np.arange(2 * LEVELS)])
"""Features of one group get the same noise."""

Array = npt.NDArray[np.float64]
Array32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """Stretches of one record: features of shape (n, STRETCH / STRIDE, FEATURES), which are VEB, and weights."""

    features: Array32
    veb: npt.NDArray[np.bool_]
    weight: Array32


def features_of(name: str, forecaster: Checkpoint, catalog: Catalog | None = None) -> Array32:
    """Return the features of a whole record, shape (patches, FEATURES), as they would be live."""
    signals, _ = evaluate_residual.load([name], catalog)
    mv = signals[name]
    forecast, surprise = forecasting.begin(forecaster, mv.shape[1], 0, 0), residual.begin(RESIDUAL, 0, mv.shape[1])
    found = []
    for i in range(0, len(mv), CHUNK):
        [(made, forecast)] = forecasting.step(forecaster, [forecast], [mv[i : i + CHUNK]])
        seen, surprise = residual.observe(RESIDUAL, surprise, made.mean, made.scale, made.observed)
        found.append(seen.features.astype(np.float32))
    return np.concatenate(found)


def examples_of(name: str, features: Array32, catalog: Catalog | None = None) -> Examples:
    """Cut a record's features into examples."""
    record = wfdb_records.load(f"mitdb/{name}", catalog)
    if record.annotations is None:
        raise ValueError(f"record {name} has no reference beats")
    order = np.argsort(record.annotations.sample, kind="stable")
    sample, kinds = record.annotations.sample[order], [record.annotations.symbol[i] for i in order]
    excusing = sample[[kind in evaluate_residual.EXCUSING for kind in kinds]]
    beat = np.array([kind in evaluate_residual.BEATS and kind != "F" for kind in kinds])
    beat &= (sample > FIT_FROM) & (sample < len(features) * PATCH - FS)
    at = sample[beat]
    kinds = [kind for kind, chosen in zip(kinds, beat, strict=True) if chosen]
    veb = np.array([kind in VEB for kind in kinds])
    rare = veb | np.array([kind in SUPRAVENTRICULAR for kind in kinds])
    common = np.arange(len(at)) % KEPT == 0
    behind = at + STRETCH * PATCH - BEFORE_R
    alone = np.searchsorted(excusing, behind - QUIET_BEFORE) == np.searchsorted(excusing, behind + QUIET_AFTER)

    chosen, gaps = rare | common, common & alone
    begins = np.concatenate([at[chosen] - BEFORE_R, behind[gaps]])
    # A patch is known at its last sample.
    first = -(-(begins - (PATCH - 1)) // PATCH)
    stretches = features[first[:, None] + np.arange(0, STRETCH, STRIDE)]
    weight = np.concatenate([np.where(rare[chosen], 1.0, KEPT), np.full(int(gaps.sum()), float(KEPT))])
    usable = np.isfinite(stretches).all(axis=(1, 2))
    return Examples(
        stretches[usable],
        np.concatenate([veb[chosen], np.zeros(int(gaps.sum()), bool)])[usable],
        (weight / weight.sum() ** 0.5).astype(np.float32)[usable],
    )


class _Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.direct = torch.nn.Linear(FEATURES, 1)
        self.inner = torch.nn.Linear(FEATURES, HIDDEN)
        self.outer = torch.nn.Linear(HIDDEN, 1, bias=False)
        torch.nn.init.zeros_(self.direct.weight)
        torch.nn.init.constant_(self.direct.bias, -3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.direct(x) + self.outer(torch.tanh(self.inner(x)))
        return out[..., 0]


def fit(examples: Sequence[Examples], seeds: Sequence[int] = SEEDS) -> Weights:
    """Fit networks from several seeds and put them side by side."""
    x = torch.from_numpy(np.concatenate([part.features for part in examples]))
    veb = torch.from_numpy(np.concatenate([part.veb for part in examples]).astype(np.float32))
    weight = torch.from_numpy(np.concatenate([part.weight for part in examples]))
    centre, width = x.mean(dim=(0, 1)), x.std(dim=(0, 1)) + 1e-3
    nets = [_fit_one((x - centre) / width, veb, weight, seed) for seed in seeds]

    def gathered(name: str) -> Array:
        return np.stack([net.state_dict()[name].double().numpy() for net in nets])

    # The normalisation goes into the weights.
    unit, middle = width.double().numpy(), centre.double().numpy()
    inner = np.concatenate(gathered("inner.weight")) / unit
    direct = gathered("direct.weight")[:, 0].mean(axis=0) / unit
    return Weights(
        inner=inner.T,
        inner_bias=np.concatenate(gathered("inner.bias")) - inner @ middle,
        outer=np.concatenate(gathered("outer.weight")[:, 0]) / len(nets),
        direct=direct,
        bias=gathered("direct.bias").mean(axis=0) - direct @ middle,
    )


def _fit_one(x: torch.Tensor, veb: torch.Tensor, weight: torch.Tensor, seed: int) -> _Net:
    torch.manual_seed(seed)
    net, group = _Net(), torch.from_numpy(GROUP)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=STEPS)
    for _ in range(STEPS):
        rows = torch.randperm(len(x))[: len(x) // 4]
        noise = NOISE * torch.randn(len(rows), 1, int(group.max()) + 1)[..., group]
        highest = torch.logsumexp(net(x[rows] + noise) * SHARPNESS, 1) / SHARPNESS - np.log(x.shape[1]) / SHARPNESS
        loss = torch.nn.functional.binary_cross_entropy_with_logits(highest, veb[rows], reduction="none")
        loss = (weight[rows] * loss).sum() / weight[rows].sum()
        loss = loss + DECAY * sum((p**2).sum() for name, p in net.named_parameters() if "weight" in name)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return net.eval()


def left_out(examples: Mapping[str, Examples], features: Mapping[str, Array32]) -> dict[str, Array]:
    """Return the departures of each record, shape (patches,), by weights fitted to all the others."""
    departures = {}
    for name, seen in features.items():
        weights = fit([part for other, part in examples.items() if other != name])
        departures[name] = residual_weights.weigh(weights, seen.astype(np.float64))
    return departures


def main(out: Path = residual_weights.SHIPPED) -> None:
    """Fit to MIT-BIH DS1 without 201 and 208, in about two minutes on one core."""
    torch.set_num_threads(1)
    forecaster = forecasting.load_forecaster()
    examples = [examples_of(name, features_of(name, forecaster)) for name in TRAIN]
    residual_weights.save(
        out, fit(examples), {"records": TRAIN, "seeds": SEEDS, "forecaster": forecaster.provenance, "steps": STEPS}
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
