"""Compiles and loads what the analysis needs before the first sample comes: no bed waits for it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from model.forecast.inference import Precision
from model.pipeline.analysis import Models, load_models
from model.serving.analyzer import Analyzer
from model.serving.compile_ahead import compile_ahead
from model.signal.arrays import FloatArray
from model.signal.machine_code import is_complete
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Patient

log = logging.getLogger("bedside")


SECONDS: Final = 14
"""Signal that is analysed, in s: the anomaly score is first computed after 12 s."""


def first_seconds() -> tuple[tuple[str, ...], FloatArray]:
    """Return the leads of a synthetic patient, two, and its first seconds, shape (n, leads), mV."""
    record = generate(Patient(), SECONDS, seed=1)
    return record.leads, record.mv()


def warm_up(models: Models) -> None:
    """Analyse the first seconds of a synthetic patient."""
    leads, mv = first_seconds()
    Analyzer(leads, models).push(mv)


def compiled_models(
    weights: Path | None = None, alarms: Path | None = None, precision: Precision = "float32"
) -> Models:
    """Load the models as `load_models` does; before, with lines of the log, compile what is not compiled yet."""
    compile_ahead()
    if not is_complete():  # no folder can keep it
        log.info("compiling the analysis: about a minute and a half")
    return load_models(weights, alarms, precision)
