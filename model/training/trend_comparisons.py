"""What other models reach on the fifth of patients that the first network has not seen, and what is left out of it.

Run it as ``python -m model.training.trend_comparisons FOLDER``. Gradient boosting needs scikit-learn, the extra
``comparisons``, and sees the same inputs of one hour. A second network also sees what tells what the staff expects:
which vitals were measured, how long ago, hours in intensive care and before it, age, and laboratory values.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from model.console.progress import stderr
from model.evaluation.detection_metrics import auroc, average_precision, count
from model.evaluation.trend_courses import patient_of
from model.forecast.torch_runtime import one_thread
from model.training import trend_calibration
from model.training.train_trends import FOLDS, LONGEST
from model.training.trend_network import Hours, fit, prepare
from model.trends.quantiles import RISKS, VALUES
from model.trends.targets import FROM_MMHG, padded
from model.trends.vital_inputs import CENTRE, MEAN_PRESSURE, SCALE
from stream.records.challenge2019 import read_patients
from stream.records.hourly_record import HourlyRecord

LABORATORY = ("Lactate", "WBC", "Creatinine", "BUN", "Platelets", "Glucose", "pH", "PaCO2", "HCO3", "Bilirubin_total")
OTHERS = (*LABORATORY, "Age", "HospAdmTime")

Array = npt.NDArray[Any]


def care_process(records: Sequence[HourlyRecord], values: Array) -> Array:
    """Return the inputs that are left out of the forecast, shape (patients, hours, inputs), float32.

    Parameters
    ----------
    records : sequence of HourlyRecord
    values : ndarray, shape (patients, hours, 7)
    """
    tables = []
    for own in records:
        nothing = np.full(own.n, np.nan)
        tables.append(np.stack([*(own.others.get(name, nothing) for name in OTHERS), own.hours], axis=1))
    other, _ = padded([table[:LONGEST] for table in tables])
    measured = ~np.isnan(np.concatenate([values, other[..., : len(LABORATORY)]], axis=-1))
    since = np.zeros(measured.shape, np.float32)
    for hour in range(1, measured.shape[1]):
        since[:, hour] = np.where(measured[:, hour], 0, np.minimum(since[:, hour - 1] + 1, 48))
        other[:, hour] = np.where(np.isnan(other[:, hour]), other[:, hour - 1], other[:, hour])
    centre, spread = np.nanmedian(other, axis=(0, 1)), np.nanstd(other, axis=(0, 1)) + 1e-6
    other = np.nan_to_num(np.clip((other - centre) / spread, -4, 4))
    return np.concatenate([other, measured, since / 12], axis=-1).astype(np.float32)


def scores(log_odds: Array, hours: Hours) -> dict[str, tuple[float, float]]:
    """Return AUROC and average precision of each risk."""
    pressure = CENTRE[MEAN_PRESSURE] + SCALE[MEAN_PRESSURE] * hours.level[..., MEAN_PRESSURE]
    found = {}
    for k, risk in enumerate(RISKS):
        asked = _asked(hours, pressure, k)
        counts = count(log_odds[..., k][asked].astype(np.float64), hours.risks[..., k][asked] == 1)
        found[risk] = auroc(counts), average_precision(counts)
    return found


def _asked(hours: Hours, pressure: Array, k: int) -> npt.NDArray[np.bool_]:
    asked: npt.NDArray[np.bool_] = ~np.isnan(hours.risks[..., k])
    return asked & (pressure >= FROM_MMHG) if RISKS[k].startswith("hypotension") else asked


def boosted(train: Hours, test: Hours) -> Array | None:
    """Return the log-odds of gradient boosting, shape (patients, hours, risks); None without scikit-learn."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError:
        stderr().print("no gradient boosting: install scikit-learn, the extra 'comparisons'")
        return None
    found = np.zeros((*test.features.shape[:2], len(RISKS)))
    pressure = CENTRE[MEAN_PRESSURE] + SCALE[MEAN_PRESSURE] * train.level[..., MEAN_PRESSURE]
    for k in range(len(RISKS)):
        asked = _asked(train, pressure, k)
        model = HistGradientBoostingClassifier(
            max_iter=120, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=200
        )
        model.fit(train.features[asked], train.risks[..., k][asked])
        inside = ~np.isnan(test.risks[..., k])
        found[inside, k] = model.decision_function(test.features[inside])
    return found


def network_scores(train: Hours, test: Hours) -> dict[str, tuple[float, float]]:
    """Return the scores of a network of the forecaster's kind."""
    net = fit(train, seed=1)
    with torch.no_grad():
        parts = [net(torch.from_numpy(part))[..., VALUES:] for part in np.array_split(test.features, 16)]
    return scores(torch.cat(parts).numpy(), test)


def logistic_scores(train: Hours, test: Hours) -> dict[str, tuple[float, float]]:
    """Return the scores of a logistic regression on the inputs of one hour, made of every fourth patient."""
    coefficients = trend_calibration.logistic(train.of(np.arange(len(train.lengths)) % 4 == 0))
    return scores(test.features @ coefficients[:-1] + coefficients[-1], test)


def compare(database: Path) -> Iterator[tuple[str, dict[str, tuple[float, float]]]]:
    """Yield each model and its scores on the first fifth of the patients, the quickest first."""
    records = list(read_patients(database, lambda error: stderr().print(f"left out: {error}")))
    patients = [patient_of(record) for record in records]
    values, lengths = padded([patient.values[:LONGEST] for patient in patients])
    sepsis, _ = padded([patient.sepsis[:LONGEST, None] for patient in patients])
    hours = prepare(values, lengths, sepsis[..., 0])
    extra = care_process(records, values)
    unseen = np.arange(len(patients)) % FOLDS == 0
    train, test = hours.of(~unseen), hours.of(unseen)
    seeing, seeing_test = (
        Hours(np.concatenate([own.features, extra[chosen]], axis=-1), own.level, own.later, own.risks, own.lengths)
        for own, chosen in ((train, ~unseen), (test, unseen))
    )
    yield "logistic regression", logistic_scores(train, test)
    yield "logistic regression with care process and laboratory", logistic_scores(seeing, seeing_test)
    if (log_odds := boosted(train, test)) is not None:
        yield "gradient boosting", scores(log_odds, test)
    yield "network", network_scores(train, test)
    yield "network with care process and laboratory", network_scores(seeing, seeing_test)


def main() -> None:
    """Print the table."""
    with one_thread():
        for name, own in compare(Path(sys.argv[1])):
            shown = (f"{risk}: {area:.3f} / {precision:.3f}" for risk, (area, precision) in own.items())
            print(name, *shown, sep="  ", flush=True)


if __name__ == "__main__":
    main()
