"""Results of the model benchmark are consistent; the speed itself is not tested."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest
import torch
from rich.console import Console

from model.beats.classifier import load_classifier
from model.benchmarks.config import BenchConfig
from model.benchmarks.jobs import whole_job
from model.benchmarks.streaming_step import bench_model, flop_per_step, print_bench
from model.conditions import settings
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.network import Network
from model.pipeline.analysis import Models
from model.pipeline.bed_group import Slot
from model.pipeline.beds import Beds
from model.signal.arrays import FloatArray
from stream.wire.alarm_messages import Limits

TINY = BenchConfig(
    beds=(1, 3), rounds=1, seconds=0.01, stage_beds=2, gemm=(16, 32), memory_steps=30, memory_s=60, memory_beds=4
)


@pytest.fixture
def forecaster() -> TrainedForecaster:
    torch.manual_seed(0)
    return Network(NetworkConfig(hidden=8)).trained(ScalingConfig(), {})


def test_flop_are_two_per_weight_of_a_step() -> None:
    for config in (NetworkConfig(), NetworkConfig(hidden=8, layers=1, window=12, horizon=5)):
        matrices = sum(weight.numel() for weight in Network(config).parameters() if weight.ndim == 2)
        assert flop_per_step(config) == 2 * matrices


def test_results_are_consistent(forecaster: TrainedForecaster) -> None:
    results = bench_model(forecaster, TINY)
    assert json.loads(json.dumps(results)) == results
    assert results["gemm_gflops"] >= results["mm_gflops"] > 0
    for kind in ("network", "step", "whole"):
        assert list(results[kind]) == ["1", "3"]
        for beds, row in results[kind].items():
            flop = int(beds) * results["flop_per_step"] * 9
            assert row["gflops"] == pytest.approx(flop / row["ms_per_chunk"] / 1e6, rel=0.05, abs=0.06)
            assert row["gemm_ratio"] == pytest.approx(row["gflops"] / results["gemm_gflops"], rel=0.05, abs=0.06)
            assert row["mm_ratio"] == pytest.approx(row["gflops"] / results["mm_gflops"], rel=0.05, abs=0.06)
            assert row["beds_real_time"] == pytest.approx(100 * int(beds) / row["ms_per_chunk"], rel=0.05, abs=1)
            window = 36 * int(beds) * results["lecture"]["window_us_per_sample"] / 1000
            assert row["window_over_this"] == pytest.approx(window / row["ms_per_chunk"], rel=0.05, abs=0.06)
            assert 0 < row["least_ms"] <= row["ms_per_chunk"]
        assert 0 < results["two_leads_least_ms"][kind] <= results["two_leads_ms"][kind]
        assert results["one_bed_least_ms"][kind] <= results["one_bed_ms"][kind]
        assert results["one_bed_ms"][kind] == pytest.approx(results[kind]["1"]["ms_per_chunk"], abs=1e-3)
    assert set(results["us_per_bed_s"]) == {"float32", "bfloat16"}
    assert results["us_per_bed_s"]["float32"]["3"] == pytest.approx(
        1e4 * results["whole"]["3"]["ms_per_chunk"] / 3, abs=4
    )
    assert results["stages"].pop("beds") == 2
    assert all(cost >= 0 for cost in results["stages"].values())
    assert min(results["stages"][name] for name in ("forecast", "anomaly score", "beats", "rhythm")) > 0
    assert results["state_bytes"]["2"] > results["state_bytes"]["1"] > 10_000
    lecture = results["lecture"]
    ratio = lecture["window_us_per_sample"] / lecture["step_us_per_sample"]
    assert lecture["window_over_step"] == pytest.approx(ratio, rel=0.05, abs=0.06)


def test_single_bed_is_always_timed(forecaster: TrainedForecaster) -> None:
    config = BenchConfig(beds=(2,), rounds=1, seconds=0.0, stage_beds=2, gemm=(16,), memory_steps=10, memory_beds=2)
    assert list(bench_model(forecaster, config)["network"]) == ["1", "2"]


def test_whole_job_analyses_one_second_of_each_bed(
    forecaster: TrainedForecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = whole_job(Models(forecaster, load_classifier(), settings.load(None)), beds=2, leads=2)
    shapes: list[list[tuple[int, ...]]] = []
    vitals = []
    original = Beds.step

    def recording(self: Beds, beds: Sequence[Slot], chunks: Sequence[FloatArray], limits: Sequence[Limits]) -> object:
        outputs = original(self, beds, chunks, limits)
        shapes.append([chunk.shape for chunk in chunks])
        vitals.extend(found.vitals for found in outputs)
        return outputs

    monkeypatch.setattr(Beds, "step", recording)
    job()
    assert shapes == [[(36, 2)] * 2] * 10
    (now,) = vitals[-2]
    assert now.heart_rate == pytest.approx(72, abs=8)
    assert sum(map(len, vitals)) == 2


def test_threads_and_denormals_are_restored(forecaster: TrainedForecaster) -> None:
    torch.set_num_threads(2)
    try:
        bench_model(forecaster, TINY)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert (torch.tensor(1e-40) * 1.0).item() > 0


def test_table_shows_every_batch_size(forecaster: TrainedForecaster) -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    print_bench(bench_model(forecaster, TINY), console)
    text = console.export_text()
    assert "matrix product" in text
    assert "by stage" in text
    assert text.count("│       network │") == text.count("│    forecaster │") == text.count("│ full analysis │") == 2
