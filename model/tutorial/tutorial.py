"""``bedside evaluate --tutorial``: a lecture's LSTM with its own protocol, and the baselines that the lecture omits.

The lecture takes the first 2,000 samples of SciPy's ``electrocardiogram``, normalises them by the minimum and maximum
of their first 70 %, and trains ``LSTM(1, 50)`` with ``Linear(50, 1)`` to predict the next sample from the 50 before it.
Its forecast follows the trace closely. Linear extrapolation of the last two samples is more accurate: one step ahead at
360 Hz is easy, and a small error is meaningless without a baseline.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from model.console.progress import progress
from model.forecast.torch_runtime import one_thread
from model.signal.arrays import FloatArray
from model.tutorial import bedside_network
from model.tutorial.lecture_model import (
    EPOCHS,
    SAMPLES,
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

LABELS = {
    "lecture": "lecture's LSTM",
    "persistence": "persistence",
    "linear": "linear extrapolation",
    "ar50": "AR(50)",
    "bedside": "bedside network",
}
METHODS = tuple(LABELS)


@dataclass(frozen=True)
class Result:
    """Forecast of one method on the test span.

    Attributes
    ----------
    forecast : ndarray of float64, shape (550,)
        Of the samples of the test span from number WINDOW on, normalised.
    test_mse : float
        Mean squared error, normalised.
    train_s : float
        Duration of the training in seconds; 0 without training.
    """

    forecast: FloatArray
    test_mse: float
    train_s: float


@dataclass(frozen=True)
class Tutorial:
    """Results of the lecture's model and of all others.

    Attributes
    ----------
    trace : Trace
    results : dict of str to Result
        By `METHODS`.
    loss_log : dict of int to float
        The lecture's training loss at every tenth epoch.
    carried_mse : float
        Test error of the bedside network with its state carried over from the training span, as in live operation. In
        `results` it starts at the first sample of the test span, with the same information as the lecture's model.
    """

    trace: Trace
    results: dict[str, Result]
    loss_log: dict[int, float]
    carried_mse: float

    def to_dict(self) -> dict[str, Any]:
        """Return the results for JSON, all under the key ``tutorial``."""
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
    """Train and score all methods on one thread, with progress; about half a minute.

    Parameters
    ----------
    catalog : Catalog, optional
        Source of the record ``excerpt``.
    console : Console, optional
        For the progress; standard error by default.

    Raises
    ------
    SourceError
        The record cannot be obtained.
    """
    trace = normalise(load("excerpt", catalog).mv()[:SAMPLES, 0])
    windows, truth = pairs(trace.test)

    def result(forecast: FloatArray, train_s: float = 0.0) -> Result:
        return Result(forecast, float(((forecast - truth) ** 2).mean()), train_s)

    with one_thread():
        began = time.perf_counter()
        weights = fit_ar50(trace.training)
        ar_s = time.perf_counter() - began
        with progress("training the lecture's LSTM, epochs", EPOCHS, console) as update:
            began = time.perf_counter()
            lecture, losses = train_lecture(trace.training, update=update)
            lecture_s = time.perf_counter() - began
        with progress("training the bedside network, epochs", bedside_network.EPOCHS, console) as update:
            began = time.perf_counter()
            network = bedside_network.train(trace.training, update=update)
            bedside_s = time.perf_counter() - began
        with torch.inference_mode():
            lecture_forecast = lecture(column(windows))[:, 0].numpy().astype(np.float64)
        results = {
            "lecture": result(lecture_forecast, lecture_s),
            "persistence": result(persistence(windows)),
            "linear": result(linear(windows)),
            "ar50": result(ar50(weights, windows), ar_s),
            "bedside": result(bedside_network.stream(network, trace.test)[-len(truth) :], bedside_s),
        }
        carried = result(bedside_network.stream(network, trace.x)[-len(truth) :]).test_mse
    log = {epoch: loss for epoch, loss in enumerate(losses, 1) if epoch % 10 == 0}
    return Tutorial(trace, {name: results[name] for name in METHODS}, log, carried)


def print_tutorial(report: Tutorial, console: Console | None = None) -> None:
    """Print the lecture's loss log and the table of test errors."""
    console = console or Console()
    losses = "  ".join(f"{epoch}: {loss:.5f}" for epoch, loss in report.loss_log.items())
    console.print(f"Loss of the lecture's LSTM by epoch: {losses}")
    table = Table(
        title=f"Next sample, {SAMPLES - TRAINING - WINDOW} test pairs, {TRAINING:,} training samples",
        caption="relative: test MSE / that of linear extrapolation",
    )
    table.add_column("")
    for heading in ("test MSE", "relative", "training time"):
        table.add_column(heading, justify="right")
    line = report.results["linear"].test_mse
    for name, result in report.results.items():
        seconds = f"{result.train_s:.3g} s" if result.train_s else "none"
        table.add_row(LABELS[name], f"{result.test_mse:.2e}", f"{result.test_mse / line:.2f}", seconds)
    console.print(table)
    console.print(f"Bedside network with state carried over from the training span: test MSE {report.carried_mse:.2e}")
