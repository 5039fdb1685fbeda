"""Compiles and loads what the analysis needs before the first sample comes: no bed waits for it.

``python -m model.serving.warm_up`` compiles it ahead of time, for live and for recorded signals.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from model.forecast.inference import Precision, fastest_precision
from model.pipeline.analysis import Models, load_models
from model.serving.analyzer import Analyzer
from model.signal.machine_code import is_complete, mark_complete
from stream.records.synthetic import synthetic_patient
from stream.timebase import FS

log = logging.getLogger("bedside")


SECONDS: Final = 14
"""Signal that is analysed, in s: the anomaly score is first computed after 12 s."""


def warm_up(models: Models) -> None:
    """Analyse the first seconds of the synthetic patient, which has two leads."""
    patient = synthetic_patient()
    Analyzer(patient.leads, models).push(patient.mv()[: SECONDS * FS])


def compile_all() -> None:
    """Compile the analysis for live and for recorded signals, and note that this has been done."""
    for precision in {"float32", fastest_precision()}:
        warm_up(load_models(precision=precision))
    mark_complete()


def compiled_models(
    weights: Path | None = None, alarms: Path | None = None, precision: Precision = "float32"
) -> Models:
    """Load the models as `load_models` does; before, with a line of the log, compile what is not compiled yet."""
    if not is_complete():
        log.info("compiling the analysis: about a minute, once")
        compile_all()
    return load_models(weights, alarms, precision)


if __name__ == "__main__":
    compile_all()
