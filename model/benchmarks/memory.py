"""Growth of the process's memory while the streaming step runs with changing batches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from model.benchmarks.config import BenchConfig
from model.benchmarks.jobs import CHUNK
from model.console.progress import progress
from model.forecast.forecaster import advance, begin
from model.forecast.forecaster_weights import TrainedForecaster
from model.signal.batch import Batch
from model.signal.columns import joined


def memory_growth(forecaster: TrainedForecaster, config: BenchConfig, console: Console | None = None) -> dict[str, Any]:
    """Run the streaming step on random subsets of beds, one stride each, and measure the resident memory.

    Parameters
    ----------
    forecaster : TrainedForecaster
    config : BenchConfig
    console : Console, optional
        For the progress; standard error by default.

    Returns
    -------
    dict
        ``steps`` that were run, of ``steps_wanted``; ``largest_batch``; ``growth_mb`` after the first tenth of the
        steps, and ``warm_up_mb`` during it. Both are None if the system does not report memory.
    """
    rng = np.random.default_rng(0)
    columns = joined([begin(forecaster, 1).columns] * config.memory_beds)
    mv = 0.3 * rng.standard_normal((config.memory_beds, CHUNK, 1))
    start, invalid = np.zeros(len(mv), np.int64), np.zeros(mv.shape, bool)
    began, resident = time.perf_counter(), [resident_mb()]
    done, share = 0, 0.0
    with progress("memory test, %", 100, console) as update:
        while share < 1:
            some = rng.permutation(config.memory_beds)[: rng.integers(1, config.memory_beds + 1)]
            advance(forecaster, columns, Batch(some, start[some], mv[some], invalid[some]), "float32")
            done += 1
            share = min(1.0, max(done / config.memory_steps, (time.perf_counter() - began) / config.memory_s))
            if share >= len(resident) / 10:
                resident.append(resident_mb())
                update(int(100 * share))
    first, warm, end = resident[0], resident[1], resident[-1]
    return {
        "steps": done,
        "steps_wanted": config.memory_steps,
        "largest_batch": config.memory_beds,
        "growth_mb": _difference(end, warm),
        "warm_up_mb": _difference(warm, first),
    }


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else round(after - before, 2)


def resident_mb() -> float | None:
    """Return the resident memory of this process in MB, or None without /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    resident = next(line for line in lines if line.startswith("VmRSS:"))
    return int(resident.split()[1]) / 1024
