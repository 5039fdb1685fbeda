"""What each stage of the analysis costs, while many beds are analysed together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from model.anomaly import anomaly_detector, frequent_episodes
from model.beats import beat_detector, repetition
from model.benchmarks.jobs import whole_job
from model.forecast import forecaster, personal_forecast
from model.forecast.torch_runtime import CPU_CLOCK
from model.pipeline import vitals_output
from model.pipeline.analysis import Models
from model.rhythm import rhythm_detector, signal_status, ventricular_fibrillation
from model.signal import blocks, fibrillation_waveform, intake, mains, pulses, signal_quality

STAGES: dict[str, ModuleType] = {
    "intake": intake,
    "mains": mains,
    "forecast": forecaster,
    "personal forecast": personal_forecast,
    "anomaly score": anomaly_detector,
    "frequent episodes": frequent_episodes,
    "beats": beat_detector,
    "repetition": repetition,
    "blocks": blocks,
    "fibrillation waveform": fibrillation_waveform,
    "ventricular fibrillation": ventricular_fibrillation,
    "signal quality": signal_quality,
    "pulse": pulses,
    "status of the signal": signal_status,
    "rhythm": rhythm_detector,
    "vital signs": vitals_output,
}
"""The module of each stage; what is timed is its ``advance``."""


def stage_costs(models: Models, beds: int, rounds: int) -> dict[str, float]:
    """Return what each stage costs with one lead, in µs per bed and second; ``rest`` is all between the stages.

    Parameters
    ----------
    models : Models
    beds : int
        Beds that step together.
    rounds : int
        Seconds of signal that are timed; of each stage the median counts.
    """
    job = whole_job(models, beds)
    job()
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        spent = dict.fromkeys(STAGES, 0.0)
        with _timed(spent):
            began = CPU_CLOCK()
            job()
            spent["rest"] = CPU_CLOCK() - began - sum(spent.values())
        for name, seconds in spent.items():
            times[name].append(seconds)
    return {name: round(1e6 * float(np.median(taken)) / beds, 1) for name, taken in times.items()}


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    """Add the time of each call of a stage to ``spent``."""
    originals = {name: getattr(module, "advance") for name, module in STAGES.items()}  # noqa: B009
    try:
        for name, module in STAGES.items():
            setattr(module, "advance", _timing(originals[name], name, spent))  # noqa: B010
        yield
    finally:
        for name, module in STAGES.items():
            setattr(module, "advance", originals[name])  # noqa: B010


def _timing(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        began = CPU_CLOCK()
        result = function(*args)
        spent[name] += CPU_CLOCK() - began
        return result

    return timed
