"""Compiles stages of the analysis: the child process of `model.serving.compile_ahead`.

Prints the name of each function of the analysis that it has compiled. Exits when its standard input ends.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import numpy as np
from numba.core import event

from model.anomaly import anomaly_detector
from model.anomaly.state import DEFAULT_CONFIG
from model.beats.beat import to_rows
from model.forecast import forecaster, personal_forecast
from model.forecast.inference import fastest_precision
from model.pipeline import bed_state
from model.pipeline.analysis import load_models
from model.pipeline.beds import Beds
from model.rhythm import ventricular_fibrillation
from model.serving.warm_up import first_seconds, warm_up
from model.signal import blocks, fibrillation_waveform, intake, pulse_detector, pulses
from model.signal.machine_code import mark_complete

PRECISIONS = sorted({"float32", fastest_precision()})
"""Of recorded and of live signals."""


def compile_beats() -> None:
    """Compile all but the forecast and the anomaly score."""
    models, (leads, mv) = load_models(), first_seconds()
    beds = Beds(models, forecast=False)
    beds.step([beds.begin(leads, 0, 0)], [mv], [models.alarms.limits])


def compile_forecast() -> None:
    """Compile the stages that need no beats, in about half of the time of all: first those that only these need."""
    slots, (leads, mv) = np.zeros(1, np.int64), first_seconds()
    for precision in PRECISIONS:
        models = load_models(precision=precision)
        bed = bed_state.begin(models, leads, 0, 0)
        [(_, batch)] = intake.advance(bed.columns.intake, slots, [mv])
        made = forecaster.advance(models.forecaster, bed.columns.forecaster, batch, precision)
        personal_forecast.advance(models.forecaster, bed.columns.personal, batch, made.mean, made.scale)
        forecasts = made.mean, made.scale, made.observed
        anomaly_detector.advance(DEFAULT_CONFIG, bed.columns.anomaly, [bed.notes.anomaly], slots, *forecasts)
    pulses.advance(pulse_detector.begin(1), slots, batch.last_samples, [()])
    whole = blocks.advance(bed.columns.blocks, batch)
    waveform = fibrillation_waveform.advance(bed.columns.waveform, whole, slots)
    ventricular_fibrillation.advance(bed.columns.fibrillation, slots, whole, waveform, to_rows([()]))


def compile_all() -> None:
    """Compile the whole analysis, or what is left of it, and note that this has been done."""
    for precision in PRECISIONS:
        warm_up(load_models(precision=precision))
    mark_complete()


class _Printer(event.Listener):
    """Prints the functions of the analysis that numba has compiled."""

    def on_start(self, event: event.Event) -> None:
        """Wait for its end."""

    def on_end(self, event: event.Event) -> None:
        """Print the function."""
        function = event.data["dispatcher"].py_func
        if function.__module__.startswith("model."):
            print(f"{function.__module__}.{function.__qualname__}", flush=True)


def run(compile_stages: Callable[[], None]) -> None:
    """Compile, and print what is compiled; exit when the parent does."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    event.register("numba:compile", _Printer())  # type: ignore[no-untyped-call]
    compile_stages()


def _exit_with_parent() -> None:
    while os.read(0, 1024):  # not sys.stdin: at the end Python waits for its lock
        pass
    os._exit(1)


if __name__ == "__main__":
    run({"beats": compile_beats, "forecast": compile_forecast, "all": compile_all}[sys.argv[1]])
