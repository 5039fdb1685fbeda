"""``bedside bench model``: how fast the streaming step is, against what this processor can do at all.

One thread, denormals flushed. Times are medians of calls, and beside them the least, in seconds of this thread's own
processor time, so that waiting for other programs does not count, though a cache shared with them does. Matrix
products are timed in between, in the same rounds, as ``torch.mm`` and through oneDNN, and the faster is the peak: the
library behind ``torch.mm`` leaves half of some processors unused, which would flatter the network.

Multiply-adds count as two FLOP, and only those of matrices count: a step of one stream (`flop_per_step`) takes
``2 * (sum over layers of 4 * hidden * (inputs + hidden) + hidden * 2 * horizon + window * horizon)``, the LSTM's four
gates, the head's mean and scale, the linear skip. Sigmoids, normalisation, calibration and all that is found in the
signal are work, but not counted: the share of the matrix product's rate that a whole step reaches is of the same FLOP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor

from model.beats.classifier import load_typer
from model.conditions import settings
from model.forecast.checkpoint import Checkpoint
from model.forecast.config import NetworkConfig
from model.forecast.forecaster import ForecasterState, begin, live, load_forecaster, step
from model.forecast.torch_runtime import CLOCK, denormals_flushed, one_thread
from model.pipeline import analysis
from model.pipeline.analysis import BedState, Models
from model.signal.intake import Strides, strides_of
from model.tutorial.lecture_model import WINDOW, Lecture
from stream.records.synthetic import SyntheticConfig, synthetic_patient
from stream.timebase import FS
from stream.wire.alarm_messages import Limits

CHUNK = 36
"""Samples in a chunk: 100 ms."""

KINDS = ("network", "step", "whole")
"""Timed stages: the bare network, the forecaster around it, and `model.pipeline.analysis`, all of a bed's analysis."""

SECOND = FS // CHUNK
"""Chunks that a whole step is timed over: some of its work comes each half second, some each second."""

WARM_S, LOOP_S = 20, 40
"""Seconds of the synthetic patient that a bed has seen before it is timed, and that it sees then, again and again."""


@dataclass(frozen=True)
class BenchConfig:
    """What is timed.

    Attributes
    ----------
    beds : tuple of int
        Batch sizes; each bed has one lead. A single bed is always timed.
    rounds : int
        Times that everything is timed in turn.
    seconds : float
        For each job, over all rounds.
    gemm : tuple of int
        Sizes of the square matrices whose product is timed; the fastest counts.
    memory_steps : int
        Steps of the memory test.
    memory_s : float
        Seconds after which that test ends all the same.
    memory_beds : int
        Largest batch in it.
    """

    beds: tuple[int, ...] = (1, 64, 256, 1024)
    rounds: int = 5
    seconds: float = 0.8
    gemm: tuple[int, ...] = (256, 512, 1024, 2048)
    memory_steps: int = 100_000
    memory_s: float = 180.0
    memory_beds: int = 16


def bench_model(
    forecaster: Checkpoint | None = None, config: BenchConfig | None = None, console: Console | None = None
) -> dict[str, Any]:
    """Time the streaming step, with a progress bar; three to five minutes, most of them for the memory test.

    Parameters
    ----------
    forecaster : Checkpoint, optional
        By default the weights that come with the package.
    config : BenchConfig, optional
    console : Console, optional
        For the progress bar; standard error by default.

    Returns
    -------
    dict
        ``flop_per_step``; ``gemm_gflops``, the peak, and ``mm_gflops``, that of ``torch.mm``; ``network`` (the bare
        network), ``step`` (with normalisation, calibration and the states of the beds) and ``whole`` (with surprise,
        beats and rhythm as well), by number of beds: ``ms_per_chunk``, ``least_ms``, ``gflops``, ``gemm_ratio``,
        ``least_ratio`` (the least time against the product's least), ``mm_ratio``, ``beds_real_time`` (per core),
        ``window_over_this`` (how many times as long the lecture's way takes); ``one_bed_ms``, ``two_leads_ms`` and
        ``one_bed_least_ms``, ``two_leads_least_ms`` (each, per chunk of 100 ms of one bed); ``lecture``: time per
        sample of recomputing a window of 50 with the lecture's cell, of the same cell with its state carried, of ours,
        and their ratios; ``memory``: see `memory_growth`.
    """
    forecaster, config = forecaster or load_forecaster(), config or BenchConfig()
    has_onednn = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    all_beds = sorted({1, *config.beds})
    models = Models(forecaster, load_typer(), settings.load(None))
    with (
        one_thread(),
        torch.inference_mode(),
        denormals_flushed(),
        Progress(console=console or Console(stderr=True), transient=True) as progress,
    ):
        jobs: dict[str, Callable[[], object]] = {
            **{f"mm {size}": mm_job(size) for size in config.gemm},
            **{f"onednn {size}": onednn_job(size) for size in config.gemm if has_onednn},
            **{f"network {beds}": network_job(forecaster, beds) for beds in all_beds},
            **{f"step {beds}": step_job(forecaster, beds) for beds in all_beds},
            **{f"whole {beds}": whole_job(models, beds) for beds in all_beds},
            "network leads": network_job(forecaster, 2),
            "step leads": step_job(forecaster, 1, leads=2),
            "whole leads": whole_job(models, 1, leads=2),
            "lecture": lecture_job(),
            "lecture carried": lecture_carried_job(),
        }
        seconds = timed(jobs, config.rounds, config.seconds, progress)
        memory = memory_growth(forecaster, config, progress)
    flop_per_chunk = flop_per_step(forecaster.network.config) * CHUNK / forecaster.network.config.patch
    calls = {name: SECOND if name.startswith("whole") else 1 for name in jobs}
    median = {name: float(np.median(took)) / calls[name] for name, took in seconds.items()}
    least = {name: min(took) / calls[name] for name, took in seconds.items()}
    peak, peak_mm = _peak(median, ("mm", "onednn")), _peak(median, ("mm",))
    peak_least = _peak(least, ("mm", "onednn"))

    def by_beds(kind: str) -> dict[str, dict[str, float]]:
        figures = {}
        for n in all_beds:
            took, soonest = median[f"{kind} {n}"], least[f"{kind} {n}"]
            rate = n * flop_per_chunk / took
            figures[str(n)] = {
                "ms_per_chunk": round(1e3 * took, 3),
                "least_ms": round(1e3 * soonest, 3),
                "gflops": round(rate / 1e9, 1),
                "gemm_ratio": round(rate / peak, 3),
                "least_ratio": round(n * flop_per_chunk / soonest / peak_least, 3),
                "mm_ratio": round(rate / peak_mm, 3),
                "beds_real_time": int(n * CHUNK / FS / took),
                "window_over_this": round(n * CHUNK * median["lecture"] / took, 1),
            }
        return figures

    def of_one_bed(took: dict[str, float], which: str) -> dict[str, float]:
        return {kind: round(1e3 * took[f"{kind} {which}"], 4) for kind in KINDS}

    return {
        "flop_per_step": flop_per_step(forecaster.network.config),
        "gemm_gflops": round(peak / 1e9, 1),
        "mm_gflops": round(peak_mm / 1e9, 1),
        **{kind: by_beds(kind) for kind in KINDS},
        "one_bed_ms": of_one_bed(median, "1"),
        "one_bed_least_ms": of_one_bed(least, "1"),
        "two_leads_ms": of_one_bed(median, "leads"),
        "two_leads_least_ms": of_one_bed(least, "leads"),
        "lecture": _against_lecture(median),
        "memory": memory,
        "torch": torch.__version__,
    }


def flop_per_step(config: NetworkConfig) -> int:
    """Return the FLOP of the matrix products in one step of one stream."""
    inputs = [config.window] + [config.hidden] * (config.layers - 1)
    lstm = sum(4 * config.hidden * (n + config.hidden) for n in inputs)
    return 2 * (lstm + config.hidden * 2 * config.horizon + config.window * config.horizon)


# --- what is timed: each job is one call without arguments ----------------------------------------------------------


def mm_job(size: int) -> Callable[[], object]:
    """Multiply two square matrices with the library that torch was built with."""
    a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    return lambda: torch.mm(a, b, out=out)


def onednn_job(size: int) -> Callable[[], object]:
    """Multiply two square matrices with oneDNN, the library that runs the LSTM."""
    a, b = torch.randn(size, size).to_mkldnn(), torch.randn(size, size).to_mkldnn()
    return lambda: torch.ops.aten.mkldnn_linear(a, b)


def network_job(forecaster: Checkpoint, streams: int) -> Callable[[], object]:
    """Take one chunk through the bare network, the state of the call before carried on."""
    network, config = live(forecaster.network), forecaster.network.config
    x = torch.randn(CHUNK // config.patch, streams, config.window)
    state: Sequence[Tensor] = [torch.zeros(streams, config.hidden) for _ in range(2 * config.layers)]

    def job() -> None:
        nonlocal state
        _, state = network(x, state)

    return job


def step_job(forecaster: Checkpoint, beds: int, leads: int = 1) -> Callable[[], object]:
    """Take one chunk through the forecaster, the states of the beds carried on."""
    chunks = _chunks(beds, leads)
    states = [begin(forecaster, leads) for _ in range(beds)]

    def job() -> None:
        nonlocal states
        states = [state for _, state in step(forecaster, states, chunks)]

    return job


def whole_job(models: Models, beds: int, leads: int = 1) -> Callable[[], object]:
    """Take a second of a synthetic patient, chunk by chunk, through all that a worker makes of it."""
    patient = synthetic_patient(SyntheticConfig(seconds=WARM_S + LOOP_S))
    mv, limits = np.ascontiguousarray(patient.mv()[:, :leads]), Limits()
    chunks = [mv[first : first + CHUNK] for first in range(0, len(mv), CHUNK)]
    state = analysis.begin(models, patient.leads[:leads], 0, 0)
    for chunk in chunks[: WARM_S * SECOND]:
        ((_, state),) = analysis.step(models, [state], [chunk], [limits])
    states: list[BedState] = [state] * beds
    coming = cycle(chunks[WARM_S * SECOND :])

    def job() -> None:
        nonlocal states
        for chunk in islice(coming, SECOND):
            stepped = analysis.step(models, states, [chunk] * beds, [limits] * beds)
            states = [after for _, after in stepped]

    return job


def _chunks(beds: int, leads: int) -> list[Strides]:
    rng = np.random.default_rng(0)
    return [strides_of(0.3 * rng.standard_normal((CHUNK, leads))) for _ in range(beds)]


def lecture_job() -> Callable[[], object]:
    """Say one sample as the lecture does: run its cell over the last 50 samples, from nothing."""
    model, x = Lecture().eval(), torch.randn(1, WINDOW, 1)
    return lambda: model(x)


def lecture_carried_job() -> Callable[[], object]:
    """Say a chunk of samples with the lecture's cell, its state carried on."""
    model, x = Lecture().eval(), torch.randn(1, CHUNK, 1)
    state: tuple[Tensor, Tensor] | None = None

    def job() -> None:
        nonlocal state
        hidden, state = model.lstm(x, state)
        model.out(hidden)

    return job


# --- timing ---------------------------------------------------------------------------------------------------------


def timed(
    jobs: dict[str, Callable[[], object]], rounds: int, seconds: float, progress: Progress
) -> dict[str, list[float]]:
    """Return the seconds that calls of each job took, all jobs in turn in every round."""
    task = progress.add_task("timing", total=rounds * len(jobs))
    took: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            if not took[name] or min(took[name]) < seconds / rounds:
                job()  # caches and clock settle on this job
            end = time.perf_counter() + seconds / rounds
            while True:
                began = CLOCK()
                job()
                took[name].append(CLOCK() - began)
                if time.perf_counter() >= end:
                    break
            progress.advance(task)
    return took


def _peak(seconds: dict[str, float], libraries: tuple[str, ...]) -> float:
    """Return the highest rate of a matrix product, in FLOP a second."""
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


def memory_growth(forecaster: Checkpoint, config: BenchConfig, progress: Progress) -> dict[str, Any]:
    """Step random subsets of beds by one stride, and watch the resident memory of the process.

    Returns
    -------
    dict
        ``steps`` that were run, of ``steps_wanted``; ``growth_mb`` from a tenth of them on, by when caches are warm,
        and ``warm_up_mb`` before that. Both are None where the system does not tell.
    """
    rng = np.random.default_rng(0)
    states: list[ForecasterState] = [begin(forecaster, 1) for _ in range(config.memory_beds)]
    chunk = strides_of(0.3 * rng.standard_normal((CHUNK, 1)))
    task = progress.add_task("memory", total=1.0)
    began, resident = time.perf_counter(), [resident_mb()]
    done, share = 0, 0.0
    while share < 1:
        some = rng.permutation(config.memory_beds)[: rng.integers(1, config.memory_beds + 1)]
        stepped = step(forecaster, [states[i] for i in some], [chunk] * len(some))
        for i, (_, state) in zip(some, stepped, strict=True):
            states[i] = state
        done += 1
        share = min(1.0, max(done / config.memory_steps, (time.perf_counter() - began) / config.memory_s))
        if share >= len(resident) / 10:
            resident.append(resident_mb())
            progress.update(task, completed=share)
    start, warm, end = resident[0], resident[1], resident[-1]
    return {
        "steps": done,
        "steps_wanted": config.memory_steps,
        "largest_batch": config.memory_beds,
        "growth_mb": _difference(end, warm),
        "warm_up_mb": _difference(warm, start),
    }


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else round(after - before, 2)


def resident_mb() -> float | None:
    """Return the resident memory of this process in MB, or None where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    resident = next(line for line in lines if line.startswith("VmRSS:"))
    return int(resident.split()[1]) / 1024


def print_bench(figures: dict[str, Any], console: Console | None = None) -> None:
    """Print the figures as tables."""
    console = console or Console()
    console.print(
        f"{figures['flop_per_step']:,} FLOP a step of one stream; matrix product {figures['gemm_gflops']} GFLOP/s, "
        f"with torch.mm {figures['mm_gflops']}"
    )
    table = Table(title="One chunk of 100 ms for each bed of one lead, one thread")
    columns = {
        "ms": "ms_per_chunk",
        "least": "least_ms",
        "GFLOP/s": "gflops",
        "of matrix product": "gemm_ratio",
        "beds in real time": "beds_real_time",
        "times the lecture's way": "window_over_this",
    }
    for heading in ("", "beds", *columns):
        table.add_column(heading, justify="right")
    for kind in KINDS:
        for beds, row in figures[kind].items():
            table.add_row(kind, beds, *(f"{row[column]:,}" for column in columns.values()))
    console.print(table)
    lecture, memory = figures["lecture"], figures["memory"]
    for heading, times in (("One lead", figures["one_bed_ms"]), ("Two leads", figures["two_leads_ms"])):
        console.print(f"{heading} of one bed: " + ", ".join(f"{kind} {times[kind]} ms" for kind in KINDS) + " a chunk")
    console.print(
        f"The lecture's way, its cell over the last 50 samples anew, takes {lecture['window_us_per_sample']} µs a "
        f"sample; with its state carried {lecture['carried_us_per_sample']} µs; our whole step "
        f"{lecture['whole_us_per_sample']} µs"
    )
    console.print(f"Memory: {memory['growth_mb']} MB more after {memory['steps']:,} steps, batches of changing size")
