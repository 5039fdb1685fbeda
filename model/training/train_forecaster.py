"""Training of the forecaster with truncated back-propagation through time.

Sequences pass through the network window by window. The state of the LSTM is carried from one window to the next;
gradients are not. The averaged weights with the lowest validation error are kept, and their nearest horizons refitted
(`model.training.near_horizon_refit`).
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from model.console.progress import progress, stderr
from model.datasets.mitdb import FIT_RECORDS, VALIDATION_RECORDS, Signals, load_signals
from model.forecast import forecaster_weights
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed, one_thread
from model.training.config import TrainConfig
from model.training.near_horizon_refit import refit
from model.training.provenance import date_and_commit, versions
from model.training.sequences import Sequences, random_sequences
from model.training.training_run import Run, load_run, new_run, resume_file, save_run
from model.training.validation import Score, validate, validation_sequences
from stream.records.catalog import Catalog


def train(
    config: TrainConfig,
    catalog: Catalog | None,
    out: Path,
    resume: bool = False,
    network: NetworkConfig | None = None,
) -> Score:
    """Train on the training part of DS1 and write the best weights to `out`, with progress on standard error.

    Parameters
    ----------
    config : TrainConfig
    catalog : Catalog or None
        Source of the MIT-BIH records.
    out : Path
        The weights file; ``<out>.resume`` beside it holds the state of the run.
    resume : bool
        Continue the last run with this `out`.
    network : NetworkConfig or None
        Dimensions; those of the shipped weights by default.

    Returns
    -------
    Score
        Of the written weights on the validation records.

    Raises
    ------
    RecordError, StorageError, WeightsError
    """
    fitted, held_back = _load_split(catalog)
    return fit(config, fitted, held_back, out, resume, network)


def train_first_samples(weights: Path | None, catalog: Catalog | None, out: Path) -> Score:
    """Run the last stage alone: refit the nearest horizons of trained weights, and write them to `out`.

    Parameters
    ----------
    weights : Path or None
        The shipped weights by default.
    catalog, out, returns, raises
        As in `train`.
    """
    with one_thread():
        trained = forecaster_weights.load(weights)
        fitted, held_back = _load_split(catalog)
        sequences = validation_sequences(held_back, trained.config, trained.scaling, TrainConfig())
        return finish(trained, fitted, sequences, out)


def _load_split(catalog: Catalog | None) -> tuple[Signals, Signals]:
    stderr().print(f"reading {len(FIT_RECORDS) + len(VALIDATION_RECORDS)} records")
    return load_signals(FIT_RECORDS, catalog), load_signals(VALIDATION_RECORDS, catalog)


def fit(
    config: TrainConfig,
    fitted: Signals,
    held_back: Signals,
    out: Path,
    resume: bool = False,
    network: NetworkConfig | None = None,
) -> Score:
    """Train on `fitted`, keep the weights with the lowest error on `held_back`; see `train`."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    network, scaling = network or NetworkConfig(), ScalingConfig()
    run = new_run(config, network)
    if resume:
        load_run(run, resume_file(out))
    sequences = validation_sequences(held_back, network, scaling, config)
    began = time.monotonic() - run.minutes * 60
    console = stderr()
    with progress("training", config.steps, console) as update, denormals_flushed():
        while run.step < config.steps and run.minutes < config.minutes and not stale(run, config):
            batch = random_sequences(fitted, config, network, scaling, index=run.step)
            torch.manual_seed(config.seed + run.step)  # dropout is the same in a resumed run
            state = None
            for i in range(config.windows):
                span = slice(i * config.window, (i + 1) * config.window)
                x, target = torch.from_numpy(batch.x[:, span]), torch.from_numpy(batch.target[:, span])
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
                update(run.step)
                run.minutes = (time.monotonic() - began) / 60
                ended = run.step >= config.steps or run.minutes >= config.minutes
                if run.step % config.validate_every == 0 or ended:
                    _validate_and_save(run, config, scaling, sequences, out, loss.item(), console)
                if ended:
                    break
    return finish(forecaster_weights.load(out), fitted, sequences, out)


def _validate_and_save(
    run: Run,
    config: TrainConfig,
    scaling: ScalingConfig,
    sequences: Sequences,
    out: Path,
    loss: float,
    console: Console,
) -> None:
    """Write the averaged weights if they are the best so far, and the run."""
    score = validate(run.averaged, sequences)
    if score.selection_error < run.best:
        run.best, run.best_step = score.selection_error, run.step
        forecaster_weights.save(out, run.averaged.trained(scaling, provenance(run, config, score)))
    save_run(run, resume_file(out))
    mark = ", saved" if run.best_step == run.step else ""
    console.print(f"step {run.step}, {run.minutes:.1f} min, loss {loss:.3f}{mark}; validation {score}")


def finish(trained: TrainedForecaster, fitted: Signals, sequences: Sequences, out: Path) -> Score:
    """Refit the nearest horizons and write the weights to `out`; without improvement, write the trained weights.

    Weights that were refitted before are written unchanged.

    Parameters
    ----------
    trained : TrainedForecaster
    fitted : Signals
        Records to fit.
    sequences : Sequences
        Validation sequences.
    out : Path

    Returns
    -------
    Score
        Of the written weights on the validation sequences.
    """
    network = Network.of(trained)
    before = validate(network, sequences)
    if "first_samples" not in trained.provenance:
        stderr().print("refitting the nearest horizons")
        refitted = refit(network, trained.scaling, fitted)
        after = validate(refitted, sequences)
        if after.selection_error < before.selection_error:
            stage = {**date_and_commit(), "held_back_before": before.to_dict()}
            header = {**trained.provenance, "held_back": after.to_dict(), "first_samples": stage}
            forecaster_weights.save(out, refitted.trained(trained.scaling, header))
            stderr().print(f"weights written to {out}")
            return after
    forecaster_weights.save(out, trained)
    stderr().print(f"weights written to {out}")
    return before


def weighted_nll(y: Tensor, target: Tensor, beta: float) -> Tensor:
    """Return the beta-weighted Gaussian NLL (Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic …").

    Horizons are weighted by the inverse square root of their distance: near horizons are predictable and few.

    Parameters
    ----------
    y : Tensor, shape (batch, time, horizon, 2)
        Mean and scale.
    target : Tensor, shape (batch, time, horizon)
        Clipped at ±20 scales, which limits the influence of artefacts.
    beta : float
    """
    mean, scale = y.unbind(-1)
    z = (target.clamp(-20, 20) - mean) / scale
    nll = (0.5 * z.square() + scale.log()) * scale.detach().pow(2 * beta)
    weight = torch.arange(1, nll.shape[-1] + 1).rsqrt()
    return (nll.mean(dim=(0, 1)) * weight).sum() / weight.sum()


def learning_rate(run: Run, config: TrainConfig) -> float:
    """Return the learning rate: linear warm-up, then cosine decay to zero at the last step or the last minute."""
    rise = min(1.0, (run.step + 1) / config.warmup)
    done = min(1.0, max(run.step / config.steps, run.minutes / config.minutes))
    return config.lr * rise * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def average(run: Run, decay: float) -> None:
    """Update the exponential moving average of the weights."""
    decay = min(decay, (1 + run.step) / (10 + run.step))
    for averaged, current in zip(run.averaged.parameters(), run.network.parameters(), strict=True):
        averaged.lerp_(current, 1 - decay)


def stale(run: Run, config: TrainConfig) -> bool:
    """Return whether the validation error has not improved for `TrainConfig.patience` validations."""
    return run.step - run.best_step > config.patience * config.validate_every


def provenance(run: Run, config: TrainConfig, score: Score) -> dict[str, Any]:
    """Return the header of the weights' file."""
    return {
        "database": "MIT-BIH Arrhythmia Database 1.0.0",
        "trained_on": list(FIT_RECORDS),
        "chosen_on": list(VALIDATION_RECORDS),
        "config": asdict(config),
        "seed": config.seed,
        "step": run.step,
        "minutes": round((run.minutes), 1),
        **date_and_commit(),
        "held_back": score.to_dict(),
        "versions": versions("torch", "numpy", "scipy", "safetensors"),
    }
