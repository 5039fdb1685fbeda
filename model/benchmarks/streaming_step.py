"""``bedside bench model``: speed of the streaming step, compared with the peak rate of this processor.

All jobs run on one thread with denormals flushed. Times are medians over calls, and beside them the least, in seconds
of the thread's own processor time, which excludes waiting for other programs, but not the effects of shared caches. The
least is the first percentile: where a virtual machine reports the time that its host took away, the kernel subtracts
it from whatever runs at that moment, and one call in some hundred thousand seems to take no time at all.
Products of square matrices are timed in the same rounds, with ``torch.mm`` and with oneDNN. The faster one is the peak:
on some processors the library behind ``torch.mm`` reaches only half of it, which would overstate the network's share.

FLOP are two per multiply-add, of matrix products only. A step of one stream (`flop_per_step`) takes
``2 * (sum over layers of 4 * hidden * (inputs + hidden) + hidden * 2 * horizon + window * horizon)``: the four gates of
the LSTM, mean and scale of the head, and the linear skip. Sigmoids, normalisation, calibration and the arrhythmia
analysis are not counted; their time is.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from model.beats.classifier import load_classifier
from model.benchmarks.config import BenchConfig
from model.benchmarks.jobs import (
    CHUNK,
    SECOND,
    Job,
    lecture_carried_job,
    lecture_job,
    mm_job,
    network_job,
    onednn_job,
    step_job,
    whole_job,
)
from model.benchmarks.memory import memory_growth
from model.benchmarks.stage_costs import stage_costs
from model.conditions import settings
from model.console.progress import progress
from model.forecast.config import NetworkConfig
from model.forecast.forecaster import load_forecaster
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.inference import Precision
from model.forecast.torch_runtime import CPU_CLOCK, denormals_flushed, one_thread
from model.pipeline.analysis import Models
from model.pipeline.bed_state import begin
from stream.timebase import FS

LABELS = {"network": "network", "step": "forecaster", "whole": "full analysis"}
KINDS = tuple(LABELS)
"""Timed stages: the bare network, the forecaster, and the full analysis of a bed (`model.pipeline.analysis`)."""


def bench_model(
    forecaster: TrainedForecaster | None = None, config: BenchConfig | None = None, console: Console | None = None
) -> dict[str, Any]:
    """Time the streaming step, with progress; three to five minutes, mostly for the memory test.

    Parameters
    ----------
    forecaster : TrainedForecaster, optional
        The shipped weights by default.
    config : BenchConfig, optional
    console : Console, optional
        For the progress; standard error by default.

    Returns
    -------
    dict
        ``flop_per_step``; ``gemm_gflops``, the peak, and ``mm_gflops``, that of ``torch.mm``; ``network`` (the bare
        network), ``step`` (with normalisation, calibration and the states of the beds) and ``whole`` (with anomaly
        score, beats and rhythm), by number of beds: ``ms_per_chunk``, ``least_ms``, ``gflops``, ``gemm_ratio``,
        ``least_ratio`` (least time relative to the least of the product), ``mm_ratio``, ``beds_real_time`` (per
        core), ``window_over_this`` (time of the lecture's method relative to this); ``one_bed_ms``, ``two_leads_ms``,
        ``one_bed_least_ms`` and ``two_leads_least_ms`` (per chunk of 100 ms of one bed); ``lecture``: time per sample
        of the lecture's LSTM over a window of 50, of the same LSTM with carried state, of ours, and their ratios;
        ``us_per_bed_s``: the full analysis by precision and number of beds, in µs per bed and second; ``stages``: of
        that, what each stage costs (`model.benchmarks.stage_costs`), with ``beds``; ``state_bytes`` of a bed with one
        and with two leads; ``memory``: see `model.benchmarks.memory.memory_growth`.
    """
    forecaster, config = forecaster or load_forecaster(), config or BenchConfig()
    all_beds = sorted({1, *config.beds})
    with one_thread(), torch.inference_mode(), denormals_flushed():
        jobs = _jobs(forecaster, config, all_beds)
        seconds = timed(jobs, config.rounds, config.seconds, console)
        stages = {"beds": config.stage_beds, **stage_costs(_models(forecaster), config.stage_beds, config.rounds)}
        memory = memory_growth(forecaster, config, console)
    calls = {name: SECOND if name.startswith(("whole", "bfloat16")) else 1 for name in jobs}
    median = {name: float(np.median(took)) / calls[name] for name, took in seconds.items()}
    least = {name: float(np.percentile(took, 1, method="nearest")) / calls[name] for name, took in seconds.items()}
    flop = flop_per_step(forecaster.config)
    per_chunk = flop * CHUNK / forecaster.config.patch

    def of_one_bed(took: dict[str, float], which: str) -> dict[str, float]:
        return {kind: round(1e3 * took[f"{kind} {which}"], 4) for kind in KINDS}

    return {
        "flop_per_step": flop,
        "gemm_gflops": round(_peak(median, ("mm", "onednn")) / 1e9, 1),
        "mm_gflops": round(_peak(median, ("mm",)) / 1e9, 1),
        **{kind: _by_beds(kind, all_beds, per_chunk, median, least) for kind in KINDS},
        "one_bed_ms": of_one_bed(median, "1"),
        "one_bed_least_ms": of_one_bed(least, "1"),
        "two_leads_ms": of_one_bed(median, "leads"),
        "two_leads_least_ms": of_one_bed(least, "leads"),
        "us_per_bed_s": {
            precision: {str(n): round(1e6 * SECOND * median[f"{kind} {n}"] / n, 1) for n in all_beds}
            for precision, kind in (("float32", "whole"), ("bfloat16", "bfloat16"))
        },
        "stages": stages,
        "state_bytes": {
            str(leads): len(begin(_models(forecaster), ("MLII", "V1")[:leads], 0, 0).data) for leads in (1, 2)
        },
        "lecture": _against_lecture(median),
        "memory": memory,
        "torch": torch.__version__,
    }


def _jobs(forecaster: TrainedForecaster, config: BenchConfig, all_beds: list[int]) -> dict[str, Job]:
    has_onednn = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    models, rounded = _models(forecaster), _models(forecaster, "bfloat16")
    return {
        **{f"mm {size}": mm_job(size) for size in config.gemm},
        **{f"onednn {size}": onednn_job(size) for size in config.gemm if has_onednn},
        **{f"network {beds}": network_job(forecaster, beds) for beds in all_beds},
        **{f"step {beds}": step_job(forecaster, beds) for beds in all_beds},
        **{f"whole {beds}": whole_job(models, beds) for beds in all_beds},
        **{f"bfloat16 {beds}": whole_job(rounded, beds) for beds in all_beds},
        "network leads": network_job(forecaster, 2),
        "step leads": step_job(forecaster, 1, leads=2),
        "whole leads": whole_job(models, 1, leads=2),
        "lecture": lecture_job(),
        "lecture carried": lecture_carried_job(),
    }


def _models(forecaster: TrainedForecaster, precision: Precision = "float32") -> Models:
    return Models(forecaster, load_classifier(), settings.load(None), precision)


def flop_per_step(config: NetworkConfig) -> int:
    """Return the FLOP of the matrix products in one step of one stream."""
    inputs = [config.window] + [config.hidden] * (config.layers - 1)
    lstm = sum(4 * config.hidden * (n + config.hidden) for n in inputs)
    return 2 * (lstm + config.hidden * 2 * config.horizon + config.window * config.horizon)


def timed(jobs: dict[str, Job], rounds: int, seconds: float, console: Console | None = None) -> dict[str, list[float]]:
    """Return the seconds of each call of each job; all jobs take turns in every round.

    Parameters
    ----------
    jobs : dict of str to callable
    rounds : int
    seconds : float
        Duration of each job over all rounds.
    console : Console, optional
        For the progress.
    """
    took: dict[str, list[float]] = {name: [] for name in jobs}
    with progress("timing, jobs", rounds * len(jobs), console) as update:
        for done in range(rounds):
            for number, (name, job) in enumerate(jobs.items(), 1):
                if not took[name] or min(took[name]) < seconds / rounds:
                    job()  # warms up the caches and the processor clock
                end = time.perf_counter() + seconds / rounds
                while True:
                    began = CPU_CLOCK()
                    job()
                    took[name].append(CPU_CLOCK() - began)
                    if time.perf_counter() >= end:
                        break
                update(done * len(jobs) + number)
    return took


def _by_beds(
    kind: str, all_beds: list[int], flop_per_chunk: float, median: dict[str, float], least: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Return the metrics of one stage by number of beds."""
    peak, peak_mm = _peak(median, ("mm", "onednn")), _peak(median, ("mm",))
    peak_least = _peak(least, ("mm", "onednn"))
    rows = {}
    for n in all_beds:
        took, fastest = median[f"{kind} {n}"], least[f"{kind} {n}"]
        rate = n * flop_per_chunk / took
        rows[str(n)] = {
            "ms_per_chunk": round(1e3 * took, 3),
            "least_ms": round(1e3 * fastest, 3),
            "gflops": round(rate / 1e9, 1),
            "gemm_ratio": round(rate / peak, 3),
            "least_ratio": round(n * flop_per_chunk / fastest / peak_least, 3),
            "mm_ratio": round(rate / peak_mm, 3),
            "beds_real_time": int(n * CHUNK / FS / took),
            "window_over_this": round(n * CHUNK * median["lecture"] / took, 1),
        }
    return rows


def _peak(seconds: dict[str, float], libraries: tuple[str, ...]) -> float:
    """Return the highest rate of a matrix product in FLOP/s."""
    return max(2 * int(name.split()[1]) ** 3 / took for name, took in seconds.items() if name.startswith(libraries))


def _against_lecture(seconds: dict[str, float]) -> dict[str, float]:
    window, carried = seconds["lecture"], seconds["lecture carried"] / CHUNK
    network, stepped, whole = (seconds[f"{kind} 1"] / CHUNK for kind in KINDS)
    return {
        "window_us_per_sample": round(1e6 * window, 2),
        "carried_us_per_sample": round(1e6 * carried, 2),
        "network_us_per_sample": round(1e6 * network, 2),
        "step_us_per_sample": round(1e6 * stepped, 2),
        "whole_us_per_sample": round(1e6 * whole, 2),
        "window_over_carried": round(window / carried, 1),
        "window_over_network": round(window / network, 1),
        "window_over_step": round(window / stepped, 1),
        "window_over_whole": round(window / whole, 1),
    }


def print_bench(results: dict[str, Any], console: Console | None = None) -> None:
    """Print the results of `bench_model` as tables."""
    console = console or Console()
    console.print(
        f"{results['flop_per_step']:,} FLOP per step of one stream; matrix product {results['gemm_gflops']} GFLOP/s, "
        f"with torch.mm {results['mm_gflops']} GFLOP/s"
    )
    table = Table(title="One chunk of 100 ms for each bed, one lead, one thread")
    columns = {
        "ms": "ms_per_chunk",
        "min. ms": "least_ms",
        "GFLOP/s": "gflops",
        "share of peak": "gemm_ratio",
        "beds in real time": "beds_real_time",
        "lecture's method / this": "window_over_this",
    }
    for heading in ("", "beds", *columns):
        table.add_column(heading, justify="right")
    for kind, label in LABELS.items():
        for beds, row in results[kind].items():
            table.add_row(label, beds, *(f"{row[column]:,}" for column in columns.values()))
    console.print(table)
    lecture, memory = results["lecture"], results["memory"]
    for heading, times in (("One lead", results["one_bed_ms"]), ("Two leads", results["two_leads_ms"])):
        parts = ", ".join(f"{label} {times[kind]} ms" for kind, label in LABELS.items())
        console.print(f"{heading}, one bed, per chunk: {parts}")
    console.print(
        f"Per sample: lecture's LSTM over the last 50 samples {lecture['window_us_per_sample']} µs; with carried state "
        f"{lecture['carried_us_per_sample']} µs; full analysis {lecture['whole_us_per_sample']} µs"
    )
    costs = Table(title="Full analysis, µs per bed and second, one lead")
    for heading in ("beds", *results["us_per_bed_s"]):
        costs.add_column(heading, justify="right")
    for beds in results["us_per_bed_s"]["float32"]:
        costs.add_row(beds, *(f"{by_beds[beds]:,}" for by_beds in results["us_per_bed_s"].values()))
    console.print(costs)
    stages = Table(title=f"The same by stage, float32, {results['stages']['beds']} beds")
    stages.add_column("stage")
    stages.add_column("µs per bed and second", justify="right")
    for stage, cost in results["stages"].items():
        if stage != "beds":
            stages.add_row(stage, f"{cost:,}")
    console.print(stages)
    console.print(
        f"State of a bed: {results['state_bytes']['1']:,} bytes, with two leads {results['state_bytes']['2']:,}"
    )
    console.print(f"Memory growth: {memory['growth_mb']} MB in {memory['steps']:,} steps with changing batches")
