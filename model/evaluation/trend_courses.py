"""The forecast of vitals run over many patients side by side: its output in each of their hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.trends import news2, vital_inputs
from model.trends.forecaster import TrendForecaster
from model.trends.targets import padded
from model.trends.vital_inputs import VITALS
from stream.records.challenge2019 import LABEL
from stream.records.hourly_record import HourlyRecord

TOGETHER: Final = 1024
"""Patients that are run side by side."""


@dataclass(frozen=True, eq=False)
class Patient:
    """The vitals of a patient and the label of sepsis.

    Attributes
    ----------
    values : ndarray, shape (n, 7)
        Of `VITALS`; NaN is missing.
    sepsis : ndarray, shape (n,)
        1, 0, or NaN without a label.
    """

    values: FloatArray
    sepsis: FloatArray


@dataclass(frozen=True, eq=False)
class Courses:
    """What was forecast for some patients; hours beyond a patient's end are ``~inside``.

    Attributes
    ----------
    values : ndarray, shape (patients, hours, 7)
    sepsis : ndarray, shape (patients, hours)
    inside : ndarray of bool, shape (patients, hours)
    lengths : ndarray of int64, shape (patients,)
    seen : ndarray of bool, shape (patients, hours, 7)
        Measured in this hour or before.
    carried : ndarray, shape (patients, hours, 7)
    features : ndarray of float32, shape (patients, hours, features)
    news2 : ndarray, shape (patients, hours)
    low, median, high, plain_low, plain, plain_high : ndarray of float32, shape (patients, hours, vitals, horizons)
    risk : ndarray, shape (patients, hours, risks)
    raised : ndarray of bool, shape (patients, hours)
    """

    values: FloatArray
    sepsis: FloatArray
    inside: BoolArray
    lengths: IntArray
    seen: BoolArray
    carried: FloatArray
    features: FloatArray
    news2: FloatArray
    low: FloatArray
    median: FloatArray
    high: FloatArray
    plain_low: FloatArray
    plain: FloatArray
    plain_high: FloatArray
    risk: FloatArray
    raised: BoolArray


def patient_of(record: HourlyRecord) -> Patient:
    """Return the vitals and the label of a record."""
    nothing = np.full(record.n, np.nan)
    values = np.stack([record.numerics.get(name, nothing) for name in VITALS], axis=1)
    return Patient(values, record.others.get(LABEL, nothing))


def groups(patients: Sequence[Patient]) -> Iterator[list[int]]:
    """Yield the numbers of patients of similar length, which are run together."""
    order = sorted(range(len(patients)), key=lambda i: len(patients[i].values))
    yield from (order[i : i + TOGETHER] for i in range(0, len(order), TOGETHER))


def run(forecaster: TrendForecaster, patients: Sequence[Patient]) -> Courses:
    """Run the forecast over patients, hour by hour, side by side."""
    values, lengths = padded([patient.values for patient in patients])
    sepsis, _ = padded([patient.sepsis[:, None] for patient in patients])
    state, found = forecaster.initial(len(patients)), []
    for hour in range(values.shape[1]):
        features, _ = vital_inputs.step(state.inputs, values[:, hour])
        state, out = forecaster.step_many(state, values[:, hour])
        carried = vital_inputs.carried(state.inputs)
        parts = news2.part_scores(np.where(state.inputs.seen, carried, np.nan))
        own, plain = (out.low, out.median, out.high), (out.plain_low, out.plain, out.plain_high)
        bounds = (np.asarray(part, np.float32) for part in (*own, *plain))
        score = np.nansum(parts, axis=-1)
        found.append((state.inputs.seen, carried, features.astype(np.float32), score, *bounds, out.risk, out.raised))
    courses = (np.stack(part, axis=1) for part in zip(*found, strict=True))
    inside = np.arange(values.shape[1])[None] < lengths[:, None]
    return Courses(values, sepsis[..., 0], inside, lengths, *courses)
