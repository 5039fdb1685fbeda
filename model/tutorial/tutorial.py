"""``bedside evaluate --tutorial``: a lecture's LSTM by its own protocol, beside what the lecture left out.

The lecture takes the first 2,000 samples of SciPy's ``electrocardiogram``, normalises them by the minimum and maximum
of their first 70 %, and trains ``LSTM(1, 50)`` with ``Linear(50, 1)`` to say the next sample from the 50 before it.
Its forecast follows the trace so closely that it looks learnt. A straight line through the last two samples does
better: one step ahead at 360 Hz is easy, and a small error there proves nothing without a baseline beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor, nn

from model.forecast.config import NetworkConfig
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed, one_thread
from model.signal.arrays import FloatArray
from model.tutorial.lecture_model import (
    EPOCHS,
    SAMPLES,
    SEED,
    TRAINING,
    WINDOW,
    Trace,
    ar50,
    column,
    fit_ar50,
    linear,
    normalise,
    pairs,
    persistence,
    train_lecture,
)
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load

BEDSIDE = NetworkConfig(patch=1, window=32, horizon=1, hidden=32, layers=1, dropout=0.3)
"""Our network, small enough for seven beats. This and what follows was chosen by leaving out one fifth of the
training span at a time; the test span chose nothing."""

BEDSIDE_EPOCHS, BEDSIDE_LR, RISE, CLIP = 300, 5e-3, 20, 1.0
"""Steps of Adam, its highest learning rate, steps over which that rises, largest norm of the gradient."""

LINEAR_LR = 0.1
"""Learning rate of the linear skip, as a share of the LSTM's: it starts at its least-squares solution."""

UNIT = 0.1
"""What the network calls 1, in normalised units."""

RIDGE = 0.1
"""Added to the squares of the linear skip's inputs, in the network's units."""

SCORED, WARM = 64, 48
"""Steps of a training row, and the unscored steps before them that warm up the state."""

GAIN = 0.6
"""Each row is amplified by exp(GAIN * a standard Gaussian): few beats, so let at least their size vary."""

METHODS = ("lecture", "persistence", "linear", "ar50", "bedside")


@dataclass(frozen=True)
class Result:
    """What one method says of the test span.

    Attributes
    ----------
    forecast : ndarray of float64, shape (550,)
        Of the test span's samples from number WINDOW on, normalised.
    test_mse : float
        Mean squared error, normalised.
    train_s : float
        Seconds that the training took; 0 where there is nothing to train.
    """

    forecast: FloatArray
    test_mse: float
    train_s: float


@dataclass(frozen=True)
class Tutorial:
    """The lecture and what it is measured against.

    Attributes
    ----------
    trace : Trace
    results : dict of str to Result
        By `METHODS`.
    loss_log : dict of int to float
        The lecture's training loss at every tenth epoch.
    carried_mse : float
        Test error of our network when its state comes from the training span, as it does live; in `results` it
        starts at the test span's first sample, so that it knows no more than the lecture's.
    """

    trace: Trace
    results: dict[str, Result]
    loss_log: dict[int, float]
    carried_mse: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, all under the key ``tutorial``."""
        return {
            "tutorial": {
                **{
                    name: {"test_mse": result.test_mse, "train_s": round(result.train_s, 4)}
                    for name, result in self.results.items()
                },
                "bedside_carried": {"test_mse": self.carried_mse},
                "loss_log": {str(epoch): round(loss, 5) for epoch, loss in self.loss_log.items()},
                "pairs": {"training": TRAINING - WINDOW, "test": SAMPLES - TRAINING - WINDOW},
            }
        }


def tutorial(catalog: Catalog | None = None, console: Console | None = None) -> Tutorial:
    """Train and score everything anew, on one thread, with a progress bar; about half a minute.

    Parameters
    ----------
    catalog : Catalog, optional
        Where the record ``excerpt`` comes from.
    console : Console, optional
        For the progress bar; standard error by default.

    Raises
    ------
    SourceError
        The record could not be had.
    """
    trace = normalise(load("excerpt", catalog).mv()[:SAMPLES, 0])
    windows, truth = pairs(trace.test)

    def result(forecast: FloatArray, train_s: float = 0.0) -> Result:
        return Result(forecast, float(((forecast - truth) ** 2).mean()), train_s)

    with one_thread(), Progress(console=console or Console(stderr=True), transient=True) as progress:
        began = time.perf_counter()
        weights = fit_ar50(trace.training)
        ar_s = time.perf_counter() - began
        with _seconds() as lecture_s:
            lecture, losses = train_lecture(trace.training, progress=_ticker(progress, "the lecture's LSTM", EPOCHS))
        with _seconds() as bedside_s:
            network = train_bedside(trace.training, progress=_ticker(progress, "our network", BEDSIDE_EPOCHS))
        with torch.inference_mode():
            said = lecture(column(windows))[:, 0].numpy().astype(np.float64)
        results = {
            "lecture": result(said, lecture_s[0]),
            "persistence": result(persistence(windows)),
            "linear": result(linear(windows)),
            "ar50": result(ar50(weights, windows), ar_s),
            "bedside": result(stream(network, trace.test)[-len(truth) :], bedside_s[0]),
        }
        carried = result(stream(network, trace.x)[-len(truth) :]).test_mse
    log = {epoch: loss for epoch, loss in enumerate(losses, 1) if epoch % 10 == 0}
    return Tutorial(trace, {name: results[name] for name in METHODS}, log, carried)


# --- our network ----------------------------------------------------------------------------------------------------


def inputs(x: FloatArray) -> tuple[Tensor, Tensor]:
    """Return what our network sees and should say, both relative to the last sample, in its units.

    Returns
    -------
    seen : Tensor, shape (n - 32, 32)
    target : Tensor, shape (n - 32,)
    """
    rows = (sliding_window_view(x, BEDSIDE.window + 1) - x[BEDSIDE.window - 1 : -1, None]) / UNIT
    rows = rows.astype(np.float32)
    return torch.from_numpy(rows[:, :-1].copy()), torch.from_numpy(rows[:, -1].copy())


def train_bedside(
    training: FloatArray, epochs: int = BEDSIDE_EPOCHS, progress: Callable[[], None] = lambda: None
) -> Network:
    """Train our network on the same 1,350 targets: first its linear skip alone, in closed form, then all of it.

    Parameters
    ----------
    training : ndarray of float64, shape (TRAINING,)
        Normalised.
    epochs : int
        Steps of Adam, each over all of the span.
    progress : callable
        Called after each.
    """
    seen, target = inputs(training)
    first = WINDOW - BEDSIDE.window
    rng = np.random.default_rng(SEED)
    with torch.random.fork_rng(devices=[]), denormals_flushed():
        torch.manual_seed(SEED)
        network = Network(BEDSIDE).train()
        start_linear(network, seen[first:], target[first:])
        rest = [weight for name, weight in network.named_parameters() if name != "linear.weight"]
        groups: list[dict[str, Any]] = [{"params": rest}, {"params": [network.linear.weight]}]
        optimiser = torch.optim.Adam(groups)
        for epoch in range(epochs):
            lr = BEDSIDE_LR * min(1, (epoch + 1) / RISE) * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
            optimiser.param_groups[0]["lr"], optimiser.param_groups[1]["lr"] = lr, LINEAR_LR * lr
            steps, scored = (torch.from_numpy(a) for a in rows_of(first, len(target), rng))
            gain = torch.exp(GAIN * torch.randn(len(steps), 1))
            y, _ = network(seen[steps] * gain[:, :, None])
            error = y[:, :, 0, 0] - target[steps] * gain
            loss = error[scored].square().mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            progress()
    return network.eval()


@torch.no_grad()
def start_linear(network: Network, seen: Tensor, target: Tensor) -> None:
    """Set the linear skip to its ridge regression, and the LSTM's say to nothing."""
    a, b = seen.double(), target.double()
    weights = torch.linalg.solve(a.T @ a + RIDGE * torch.eye(a.shape[1]), a.T @ b)
    network.linear.weight.copy_(weights[None])
    nn.init.zeros_(network.head.weight)
    nn.init.zeros_(network.head.bias)


def rows_of(first: int, n: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Cut steps 0 … n - 1 into rows at a random place, each with steps before it that warm up the state.

    Returns
    -------
    steps : ndarray of int64, shape (rows, WARM + SCORED)
    scored : ndarray of bool, the same shape
        Each step from `first` on once.
    """
    start = np.arange(rng.integers(SCORED) - SCORED, n, SCORED)
    steps = start[:, None] + np.arange(-WARM, SCORED)
    scored = (steps >= first) & (steps < n)
    scored[:, :WARM] = False
    return steps.clip(0, n - 1), scored


@torch.inference_mode()
def stream(network: Network, x: FloatArray) -> FloatArray:
    """Forecast each sample from the 33rd on, one after the other, with carried state."""
    with denormals_flushed():
        y, _ = network(inputs(x)[0][None])
    return np.asarray(x[BEDSIDE.window - 1 : -1] + UNIT * y[0, :, 0, 0].numpy().astype(np.float64))


# --- shown ----------------------------------------------------------------------------------------------------------


def print_tutorial(report: Tutorial, console: Console | None = None) -> None:
    """Print the lecture's log and the table of test errors."""
    console = console or Console()
    console.print("The lecture's loss log: " + "  ".join(f"{e}: {loss:.5f}" for e, loss in report.loss_log.items()))
    table = Table(title=f"Next sample, {SAMPLES - TRAINING - WINDOW} test pairs, training on {TRAINING:,} samples")
    table.add_column("")
    for heading in ("test MSE", "of the straight line's", "training"):
        table.add_column(heading, justify="right")
    names = {
        "lecture": "the lecture's LSTM",
        "persistence": "persistence",
        "linear": "straight line",
        "ar50": "AR(50)",
        "bedside": "our network",
    }
    line = report.results["linear"].test_mse
    for name, result in report.results.items():
        seconds = f"{result.train_s:.3g} s" if result.train_s else "none"
        table.add_row(names[name], f"{result.test_mse:.2e}", f"{result.test_mse / line:.2f}", seconds)
    console.print(table)
    console.print(f"Our network with its state carried over from the training span: {report.carried_mse:.2e}.")


def _ticker(progress: Progress, text: str, total: int) -> Callable[[], None]:
    task = progress.add_task(text, total=total)
    return lambda: progress.advance(task)


@contextmanager
def _seconds() -> Iterator[list[float]]:
    """Provide a list that holds the seconds inside, once outside."""
    took: list[float] = []
    began = time.perf_counter()
    yield took
    took.append(time.perf_counter() - began)
