"""Runs the analysis once before a worker serves: no bed waits for what is loaded or compiled on first use.

``python -m model.serving.warm_up`` compiles it ahead of time, for live and for recorded signals.
"""

from __future__ import annotations

from typing import Final

from model.forecast.inference import fastest_precision
from model.pipeline.analysis import Models, load_models
from model.serving.analyzer import Analyzer
from stream.records.synthetic import synthetic_patient
from stream.timebase import FS

SECONDS: Final = 14
"""Signal that is analysed, in s: the anomaly score is first computed after 12 s."""


def warm_up(models: Models) -> None:
    """Analyse the first seconds of the synthetic patient, which has two leads."""
    patient = synthetic_patient()
    Analyzer(patient.leads, models).push(patient.mv()[: SECONDS * FS])


if __name__ == "__main__":
    for precision in {"float32", fastest_precision()}:
        warm_up(load_models(precision=precision))
