"""What the model's timings report; how fast anything is, is no matter of a test."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.progress import Progress

from model.beats.classifier import load_typer
from model.benchmarks import streaming_step
from model.benchmarks.streaming_step import BenchConfig, bench_model, flop_per_step, print_bench
from model.conditions import settings
from model.forecast.checkpoint import Checkpoint
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.network import Network
from model.pipeline import bed_pipeline
from model.pipeline.bed_pipeline import Models

TINY = BenchConfig(beds=(1, 3), rounds=1, seconds=0.01, gemm=(16, 32), memory_steps=30, memory_s=60, memory_beds=4)


@pytest.fixture
def forecaster() -> Checkpoint:
    torch.manual_seed(0)
    return Checkpoint(Network(NetworkConfig(hidden=8)).eval(), ScalingConfig(), {})


def test_flop_are_two_for_each_weight_used_in_a_step() -> None:
    for config in (NetworkConfig(), NetworkConfig(hidden=8, layers=1, window=12, horizon=5)):
        matrices = sum(weight.numel() for weight in Network(config).parameters() if weight.ndim == 2)
        assert flop_per_step(config) == 2 * matrices


def test_figures_hang_together(forecaster: Checkpoint) -> None:
    figures = bench_model(forecaster, TINY)
    assert json.loads(json.dumps(figures)) == figures
    assert figures["gemm_gflops"] >= figures["mm_gflops"] > 0
    for kind in ("network", "step", "whole"):
        assert list(figures[kind]) == ["1", "3"]
        for beds, row in figures[kind].items():
            flop = int(beds) * figures["flop_per_step"] * 9
            assert row["gflops"] == pytest.approx(flop / row["ms_per_chunk"] / 1e6, rel=0.05, abs=0.06)
            assert row["gemm_ratio"] == pytest.approx(row["gflops"] / figures["gemm_gflops"], rel=0.05, abs=0.06)
            assert row["mm_ratio"] == pytest.approx(row["gflops"] / figures["mm_gflops"], rel=0.05, abs=0.06)
            assert row["beds_real_time"] == pytest.approx(100 * int(beds) / row["ms_per_chunk"], rel=0.05, abs=1)
            window = 36 * int(beds) * figures["lecture"]["window_us_per_sample"] / 1000
            assert row["window_over_this"] == pytest.approx(window / row["ms_per_chunk"], rel=0.05, abs=0.06)
            assert 0 < row["least_ms"] <= row["ms_per_chunk"]
        assert 0 < figures["two_leads_least_ms"][kind] <= figures["two_leads_ms"][kind]
        assert figures["one_bed_least_ms"][kind] <= figures["one_bed_ms"][kind]
        assert figures["one_bed_ms"][kind] == pytest.approx(figures[kind]["1"]["ms_per_chunk"], abs=1e-3)
    lecture = figures["lecture"]
    ratio = lecture["window_us_per_sample"] / lecture["step_us_per_sample"]
    assert lecture["window_over_step"] == pytest.approx(ratio, rel=0.05, abs=0.06)


def test_a_single_bed_is_timed_even_if_not_asked_for(forecaster: Checkpoint) -> None:
    config = BenchConfig(beds=(2,), rounds=1, seconds=0.0, gemm=(16,), memory_steps=10, memory_beds=2)
    assert list(bench_model(forecaster, config)["network"]) == ["1", "2"]


def test_the_whole_step_is_what_a_worker_does_for_a_second(
    forecaster: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = streaming_step.whole_job(Models(forecaster, load_typer(), settings.load(None)), beds=2, leads=2)
    taken: list[list[tuple[int, ...]]] = []
    vitals = []
    honest = bed_pipeline.step

    def watched(models: Models, states: object, chunks: list[np.ndarray], limits: object) -> object:
        results = honest(models, states, chunks, limits)  # type: ignore[arg-type]
        taken.append([chunk.shape for chunk in chunks])
        vitals.extend(found.vitals for _, found, _ in results)
        return results

    monkeypatch.setattr(bed_pipeline, "step", watched)
    job()
    assert taken == [[(36, 2)] * 2] * 10
    (now,) = vitals[-2]
    assert now.heart_rate == pytest.approx(72, abs=8)
    assert sum(map(len, vitals)) == 2


def test_threads_and_denormals_are_left_as_they_were(forecaster: Checkpoint) -> None:
    torch.set_num_threads(2)
    try:
        bench_model(forecaster, TINY)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert (torch.tensor(1e-40) * 1.0).item() > 0


def test_memory_test_says_how_many_steps_it_ran(forecaster: Checkpoint) -> None:
    with Progress(console=Console(quiet=True)) as progress:
        whole = streaming_step.memory_growth(forecaster, TINY, progress)
        short = streaming_step.memory_growth(forecaster, BenchConfig(memory_s=1e-6, memory_beds=2), progress)
    assert whole["steps"] == whole["steps_wanted"] == 30
    assert short["steps"] == 1
    assert short["steps_wanted"] == 100_000


def test_memory_that_grows_is_seen(forecaster: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    if streaming_step.resident_mb() is None:
        pytest.skip("this system has no /proc")
    kept = []
    honest = streaming_step.step

    def leaking(*args: object) -> object:
        kept.append(bytearray(b"x" * 2**23))  # far more than an allocator could have kept from earlier tests
        return honest(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(streaming_step, "step", leaking)
    with Progress(console=Console(quiet=True)) as progress:
        growth = streaming_step.memory_growth(forecaster, TINY, progress)["growth_mb"]
    assert growth > 20


def test_the_tables_show_every_batch_size(forecaster: Checkpoint) -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    print_bench(bench_model(forecaster, TINY), console)
    text = console.export_text()
    assert "matrix product" in text
    assert text.count("│ network │") == text.count("│    step │") == text.count("│   whole │") == 2
