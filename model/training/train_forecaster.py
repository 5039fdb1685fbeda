"""Training: one plain loop, truncated back-propagation through time.

Rows of contiguous stretches go through the network window by window; the LSTM's state is carried from one window to
the next, gradients are not. The averaged weights that score best on the held-back records are kept, and their first
samples refitted (`model.training.near_horizon_refit`).
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from model.datasets.mitdb import FITTED, HELD_BACK, Signals, load_signals
from model.forecast import checkpoint
from model.forecast.checkpoint import Checkpoint
from model.forecast.config import WARM_S, NetworkConfig, ScalingConfig
from model.forecast.interval_calibration import Z90
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed, one_thread
from model.training.config import TrainConfig
from model.training.near_horizon_refit import refit
from model.training.provenance import made_now, versions
from model.training.stretches import Stretch, random_stretch, steps
from stream.errors import CheckpointError, StorageError
from stream.records.catalog import Catalog
from stream.timebase import FS

CHOOSE_AT = (4, 18, 36, 72)
"""Horizons, in samples, whose mean NRMSE on the held-back records chooses the weights: 11, 50, 100, 200 ms."""

SCORED_AT = (1, *CHOOSE_AT)
"""Horizons, in samples, that are scored."""


@dataclass(frozen=True)
class Score:
    """How a network does on the held-back records.

    Attributes
    ----------
    nrmse : dict of int to float
        By horizon in samples: RMSE / standard deviation of the lead, mean over the leads of the records.
    coverage90 : tuple of float
        Smallest, mean and largest share of samples in the 90 % interval, by lead.
    """

    nrmse: dict[int, float]
    coverage90: tuple[float, float, float]

    @property
    def chosen_by(self) -> float:
        """The one number that training makes small."""
        return sum(self.nrmse[h] for h in CHOOSE_AT) / len(CHOOSE_AT)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for the header of the weights, horizons in ms."""
        return {
            "nrmse": {f"{1000 * h / FS:.0f}": round(value, 4) for h, value in self.nrmse.items()},
            "coverage90": dict(zip(("min", "mean", "max"), (round(c, 4) for c in self.coverage90), strict=True)),
        }


@dataclass
class Run:
    """Everything that changes while training; what a resumed run needs."""

    network: Network
    averaged: Network
    optimiser: torch.optim.AdamW
    step: int = 0
    minutes: float = 0.0
    best: float = math.inf
    best_step: int = 0


def train(config: TrainConfig, catalog: Catalog | None, out: Path, resume: bool = False) -> Score:
    """Train on the fitted part of DS1 and write the best weights to `out`.

    Parameters
    ----------
    config : TrainConfig
    catalog : Catalog or None
        Where the MIT-BIH records come from.
    out : Path
        The checkpoint; ``<out>.resume`` beside it holds what `resume` needs.
    resume : bool
        Go on where the last run with this `out` stopped.

    Returns
    -------
    Score
        Of the written weights on the held-back records.

    Raises
    ------
    RecordError, StorageError, CheckpointError
    """
    fitted, held_back = load_signals(FITTED, catalog), load_signals(HELD_BACK, catalog)
    return fit(config, fitted, held_back, out, resume)


def fit(
    config: TrainConfig,
    fitted: Signals,
    held_back: Signals,
    out: Path,
    resume: bool = False,
    network: NetworkConfig | None = None,
) -> Score:
    """Train on `fitted`, keep what scores best on `held_back`; see `train`."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    network, scaling = network or NetworkConfig(), ScalingConfig()
    run = _fresh(config, network)
    if resume:
        _take_up(run, _resume_file(out))
    trials = validation(held_back, network, scaling, config)
    began = time.monotonic() - run.minutes * 60
    with _bar() as bar, denormals_flushed():
        task = bar.add_task("training", total=config.steps, completed=run.step)
        while run.step < config.steps and run.minutes < config.minutes and not stale(run, config):
            stretch = random_stretch(fitted, config, network, scaling, index=run.step)
            torch.manual_seed(config.seed + run.step)  # dropout: the same in a resumed run
            state = None
            for i in range(config.windows):
                span = slice(i * config.window, (i + 1) * config.window)
                x, target = torch.from_numpy(stretch.x[:, span]), torch.from_numpy(stretch.target[:, span])
                if i < config.unscored:
                    with torch.no_grad():
                        _, state = run.network(x, state)
                    continue
                y, (h, c) = run.network(x, state)
                state = (h.detach(), c.detach())
                loss = weighted_nll(y, target, config.beta)
                run.optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(run.network.parameters(), config.clip)
                run.optimiser.param_groups[0]["lr"] = learning_rate(run, config)
                run.optimiser.step()
                run.step += 1
                average(run, config.ema)
                bar.update(task, completed=run.step)
                run.minutes = (time.monotonic() - began) / 60
                ended = run.step >= config.steps or run.minutes >= config.minutes
                if run.step % config.validate_every == 0 or ended:
                    score = validate(run.averaged, trials)
                    if score.chosen_by < run.best:
                        run.best, run.best_step = score.chosen_by, run.step
                        checkpoint.save(out, run.averaged, scaling, provenance(run, config, score))
                    _put_down(run, _resume_file(out))
                    bar.console.print(_line(run, score, loss.item()), highlight=False)
                if ended:
                    break
    return finish(checkpoint.load(out), fitted, trials, out)


def train_first_samples(weights: Path | None, catalog: Catalog | None, out: Path) -> Score:
    """Take the last stage alone: refit the first samples of trained weights, and write them to `out`.

    Parameters
    ----------
    weights : Path or None
        By default those that come with the package.
    catalog : Catalog or None
    out : Path

    Returns
    -------
    Score
        Of the written weights on the held-back records.

    Raises
    ------
    RecordError, StorageError, CheckpointError
    """
    with one_thread():
        trained = checkpoint.load(weights)
        fitted, held_back = load_signals(FITTED, catalog), load_signals(HELD_BACK, catalog)
        trials = validation(held_back, trained.network.config, trained.scaling, TrainConfig())
        return finish(trained, fitted, trials, out)


def finish(trained: Checkpoint, fitted: Signals, trials: Stretch, out: Path) -> Score:
    """Refit the first samples, and write the weights to `out`: the trained ones if the held-back records gain nothing.

    Weights whose first samples have been refitted before are only written.
    """
    before = validate(trained.network, trials)
    if "first_samples" not in trained.provenance:
        network = refit(trained.network, trained.scaling, fitted)
        after = validate(network, trials)
        if after.chosen_by < before.chosen_by:
            stage = {**made_now(), "held_back_before": before.to_dict()}
            provenance = {**trained.provenance, "held_back": after.to_dict(), "first_samples": stage}
            checkpoint.save(out, network, trained.scaling, provenance)
            return after
    checkpoint.save(out, trained.network, trained.scaling, trained.provenance)
    return before


def weighted_nll(y: Tensor, target: Tensor, beta: float) -> Tensor:
    """Return the beta-weighted Gaussian NLL (Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic …").

    Near horizons weigh more, by one over the root of the horizon: they are what can be learnt, and there are few.

    Parameters
    ----------
    y : Tensor, shape (batch, time, horizon, 2)
        Mean and scale.
    target : Tensor, shape (batch, time, horizon)
        Clipped at ±20 scales: artefacts teach nothing.
    """
    mean, scale = y.unbind(-1)
    z = (target.clamp(-20, 20) - mean) / scale
    nll = (0.5 * z.square() + scale.log()) * scale.detach().pow(2 * beta)
    weight = torch.arange(1, nll.shape[-1] + 1).rsqrt()
    return (nll.mean(dim=(0, 1)) * weight).sum() / weight.sum()


def learning_rate(run: Run, config: TrainConfig) -> float:
    """Return the learning rate: a linear rise, then a cosine down to zero at the last step or the last minute."""
    rise = min(1.0, (run.step + 1) / config.warmup)
    done = min(1.0, max(run.step / config.steps, run.minutes / config.minutes))
    return config.lr * rise * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def average(run: Run, decay: float) -> None:
    """Move the averaged weights a little towards the present ones."""
    decay = min(decay, (1 + run.step) / (10 + run.step))
    for kept, now in zip(run.averaged.parameters(), run.network.parameters(), strict=True):
        kept.lerp_(now, 1 - decay)


def stale(run: Run, config: TrainConfig) -> bool:
    """Return whether the held-back records have not become better for too long."""
    return run.step - run.best_step > config.patience * config.validate_every


def validation(signals: Signals, network: NetworkConfig, scaling: ScalingConfig, config: TrainConfig) -> Stretch:
    """Return a part of the held-back leads, one row each."""
    start, stop = config.validate_from_s * FS, (config.validate_from_s + config.validate_s) * FS
    streams = [mv[start:stop, lead] for mv in signals.values() for lead in range(mv.shape[1])]
    return steps(np.stack(streams), network, scaling)


@torch.inference_mode()
def validate(network: Network, trials: Stretch, chunk: int = 900) -> Score:
    """Score averaged weights on held-back leads, all but the first 20 s."""
    skip = WARM_S * FS // network.config.patch
    at = [h - 1 for h in SCORED_AT]
    rows, n = trials.scale.shape
    square, inside = np.zeros((rows, len(at))), np.zeros(rows)
    _, state = network(torch.from_numpy(trials.x[:, :skip]))
    for i in range(skip, n, chunk):
        span = slice(i, i + chunk)
        y, state = network(torch.from_numpy(trials.x[:, span]), state)
        error = y[..., 0] - torch.from_numpy(trials.target[:, span])
        inside += (error.abs() < Z90 * y[..., 1]).double().mean(dim=-1).sum(dim=1).numpy()
        in_mv = error[..., at] * torch.from_numpy(trials.scale[:, span, None])
        square += in_mv.square().double().sum(dim=1).numpy()
    spread = (trials.target[:, skip:, 0] * trials.scale[:, skip:]).std(axis=1)  # of the lead, but for its baseline
    nrmse = (np.sqrt(square / (n - skip)) / spread[:, None]).mean(axis=0)
    coverage = inside / (n - skip)
    return Score(
        dict(zip(SCORED_AT, map(float, nrmse), strict=True)),
        (float(coverage.min()), float(coverage.mean()), float(coverage.max())),
    )


def provenance(run: Run, config: TrainConfig, score: Score) -> dict[str, Any]:
    """Return where weights come from, for the header of their file."""
    return {
        "database": "MIT-BIH Arrhythmia Database 1.0.0",
        "trained_on": list(FITTED),
        "chosen_on": list(HELD_BACK),
        "config": asdict(config),
        "seed": config.seed,
        "step": run.step,
        "minutes": round((run.minutes), 1),
        **made_now(),
        "held_back": score.to_dict(),
        "versions": versions("torch", "numpy", "scipy", "safetensors"),
    }


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _fresh(config: TrainConfig, network: NetworkConfig) -> Run:
    model, averaged = Network(network), Network(network)
    averaged.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    return Run(model.train(), averaged.eval(), optimiser)


def _resume_file(out: Path) -> Path:
    return out.with_name(out.name + ".resume")


def _put_down(run: Run, path: Path) -> None:
    tensors = {f"network.{k}": v.clone() for k, v in run.network.state_dict().items()}
    tensors |= {f"averaged.{k}": v.clone() for k, v in run.averaged.state_dict().items()}
    for i, slot in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{name}": value.clone() for name, value in slot.items()}
    header = {k: json.dumps(getattr(run, k)) for k in ("step", "minutes", "best", "best_step")}
    part = path.with_name(path.name + ".part")
    try:
        save_file(tensors, part, metadata=header)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot write {path}: {error}") from error


def _take_up(run: Run, path: Path) -> None:
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        for part, target in (("network", run.network), ("averaged", run.averaged)):
            target.load_state_dict(
                {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
            )
        state = run.optimiser.state_dict()
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, i, slot = name.split(".")
                state["state"].setdefault(int(i), {})[slot] = value
        run.optimiser.load_state_dict(state)
        for key in ("step", "minutes", "best", "best_step"):
            setattr(run, key, json.loads(header[key]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())[:120]
        raise CheckpointError(f"cannot resume from {path} ({text}): train without --resume") from error


def _line(run: Run, score: Score, loss: float) -> str:
    nrmse = " ".join(f"{value:.3f}" for value in score.nrmse.values())
    low, mean, high = score.coverage90
    mark = "  kept" if run.best_step == run.step else ""
    return (
        f"step {run.step:5d}  {run.minutes:5.1f} min  loss {loss:.3f}  held back: NRMSE {nrmse}  "
        f"coverage {low:.2f} {mean:.2f} {high:.2f}{mark}"
    )
