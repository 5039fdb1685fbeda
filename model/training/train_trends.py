"""Training of the forecast of vitals hours ahead: five networks, each without one fifth of the patients.

Each patient is scored by the network that has not seen them: calibration, settings and figures come from these scores.
The five networks together are the shipped forecaster.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from model.console.progress import stderr, track
from model.evaluation.trend_courses import patient_of
from model.evaluation.trend_scores import TrendScores, score
from model.forecast.torch_runtime import one_thread
from model.training import trend_calibration
from model.training.provenance import date_and_commit, versions
from model.training.trend_network import BATCH, DECAY, EPOCHS, HIDDEN, NOISE, RATE, Hours, Network, fit, prepare
from model.trends import network
from model.trends.forecaster import TrendForecaster
from model.trends.network import Weights
from model.trends.quantiles import RISKS, VALUES
from model.trends.targets import HORIZONS_H, padded
from model.trends.vital_inputs import FORECAST
from stream.errors import RecordError
from stream.records.challenge2019 import DATABASE, read_patients

FOLDS: Final = 5
LONGEST: Final = 168
"""Hours of a patient that are trained on; the rest of the longest stays is only scored."""

EVERY: Final = 4
"""Of which patients, every so many, the logistic regression is made."""


def train_trends(database: Path, out: Path, seed: int | None = None, epochs: int = EPOCHS) -> dict[str, Any]:
    """Train on all patients of a folder or archive, and write the weights.

    Parameters
    ----------
    database, out : Path
    seed : int, optional
        Of the first network; the others use the following ones. By default that of the shipped weights.
    epochs : int

    Returns
    -------
    dict
        Scores of patients left out, as `TrendScores.to_dict`; ``folds`` has those of each fifth.

    Raises
    ------
    RecordError
        The folder has no patients.
    """
    patients = [patient_of(record) for record in read_patients(database, _skip)]
    if len(patients) < 10 * FOLDS:
        raise RecordError(f"{database} has {len(patients)} patients: training needs at least {10 * FOLDS}")
    fold = np.arange(len(patients)) % FOLDS
    first = 1 if seed is None else seed
    with one_thread():
        values, lengths = padded([patient.values[:LONGEST] for patient in patients])
        sepsis, _ = padded([patient.sepsis[:LONGEST, None] for patient in patients])
        hours = prepare(values, lengths, sepsis[..., 0])
        networks = [fit(hours.of(fold != k), first + k, epochs) for k in range(FOLDS)]
        left_out = [hours.of(fold == k) for k in range(FOLDS)]
        log_odds = np.concatenate([_log_odds(net, own) for net, own in zip(networks, left_out, strict=True)])
        risks = np.concatenate([_flat(own.risks, own) for own in left_out])
        scale, offset = trend_calibration.platt(log_odds, risks)
        singles = [
            weights_of([net], scale, offset, trend_calibration.logistic(hours.of((fold != k) & _some(fold))))
            for k, net in enumerate(networks)
        ]
        parts = [[patient for patient, own in zip(patients, fold, strict=True) if own == k] for k in range(FOLDS)]
        shared, tried = trend_calibration.shared_settings(singles, parts)
        everyone = trend_calibration.logistic(hours.of(_some(fold)))
    scores = [
        score(TrendForecaster(replace(own, **shared)), part, track_scored)
        for own, part in zip(singles, parts, strict=True)
    ]
    report = {**merged(scores).to_dict(), "folds": [_short(own.to_dict()) for own in scores], "personal": tried}
    shipped = replace(weights_of(networks, scale, offset, everyone), **shared)
    network.save(out, replace(shipped, provenance=provenance(database, len(patients), first, epochs, report)))
    stderr().print(f"weights written to {out}")
    return report


def weights_of(
    networks: Sequence[Network], scale: npt.NDArray[Any], offset: npt.NDArray[Any], logistic: npt.NDArray[Any]
) -> Weights:
    """Return networks side by side as weights; their outputs are averaged, widths and settings neutral."""
    own = [{name: value.numpy() for name, value in net.state_dict().items()} for net in networks]
    m = len(own)
    outer = [part["head.weight"].T / m for part in own] + [sum(part["direct.weight"].T for part in own) / m]
    return Weights(
        inner=np.concatenate([part["gru.weight_ih_l0"].T for part in own], axis=1),
        inner_bias=np.concatenate([part["gru.bias_ih_l0"] for part in own]),
        recurrent=np.stack([part["gru.weight_hh_l0"].T for part in own]),
        recurrent_bias=np.stack([part["gru.bias_hh_l0"] for part in own]),
        outer=np.concatenate(outer),
        outer_bias=np.mean([part["head.bias"] for part in own], axis=0),
        widths=np.ones((len(FORECAST), len(HORIZONS_H), 2), np.float32),
        scale=scale.astype(np.float32),
        offset=offset.astype(np.float32),
        logistic=logistic.astype(np.float32),
        settings=trend_calibration.NEUTRAL,
        provenance={},
    )


def provenance(database: Path, patients: int, seed: int, epochs: int, report: dict[str, Any]) -> dict[str, Any]:
    """Return the header of the weights' file."""
    return {
        "database": f"{DATABASE}, {database.name}: {patients} patients",
        "command": f"bedside train --what trends --database {database.name}",
        "seed": seed,
        "network": {"kind": "GRU", "hidden": HIDDEN, "networks": FOLDS},
        "training": {"epochs": epochs, "batch": BATCH, "rate": RATE, "decay": DECAY, "noise": NOISE},
        **date_and_commit(),
        "cross_validation": {**_short(report), "personal": report["personal"]},
        "versions": versions("torch", "numpy", "safetensors"),
    }


def merged(scores: Sequence[TrendScores]) -> TrendScores:
    """Return the scores of all folds together."""
    total = TrendScores()
    for own in scores:
        total.merge(own)
    return total


def track_scored(groups: list[Any]) -> Any:
    """Show the progress of a scoring."""
    return track(groups, "scoring patients left out")


def _short(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {f"hypotension_{h}h_auroc": own["auroc"] for h, own in report["hypotension"].items()}
    found |= {f"sepsis_{key}": report["sepsis"][key] for key in ("auroc", "utility")}
    found |= {
        "map_6h_mae": report["mae"]["map"]["6"],
        "coverage80": report["coverage80"],
    }
    return json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 4))  # type: ignore[no-any-return]


def _log_odds(net: Network, hours: Hours) -> npt.NDArray[np.float32]:
    found = []
    with torch.no_grad():
        for i in range(0, len(hours.lengths), 256):
            found.append(net(torch.from_numpy(hours.features[i : i + 256]))[..., VALUES:].numpy())
    return _flat(np.concatenate(found), hours)


def _flat(values: npt.NDArray[np.float32], hours: Hours) -> npt.NDArray[np.float32]:
    inside = np.arange(values.shape[1])[None] < hours.lengths[:, None]
    return values[inside].reshape(-1, len(RISKS))


def _some(fold: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    chosen: npt.NDArray[np.bool_] = np.arange(len(fold)) // FOLDS % EVERY == 0
    return chosen


def _skip(error: RecordError) -> None:
    stderr().print(f"left out: {error}")
