"""Runs the analysis once before a worker serves: no bed waits for what is loaded on first use."""

from __future__ import annotations

from typing import Final

from model.pipeline.analysis import Models
from model.serving.analyzer import Analyzer
from stream.records.synthetic import synthetic_patient
from stream.timebase import FS

SECONDS: Final = 14
"""Signal that is analysed, in s: the anomaly score is first computed after 12 s."""


def warm_up(models: Models) -> None:
    """Analyse the first seconds of the synthetic patient, which has two leads."""
    patient = synthetic_patient()
    Analyzer(patient.leads, models).push(patient.mv()[: SECONDS * FS])
