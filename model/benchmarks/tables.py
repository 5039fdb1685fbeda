"""Printed tables of the model benchmark."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

LABELS = {"network": "network", "step": "forecaster", "whole": "full analysis"}


def print_bench(results: dict[str, Any], console: Console | None = None) -> None:
    """Print the results of `model.benchmarks.streaming_step.bench_model`."""
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
    console.print(f"Memory growth: {memory['growth_mb']} MB in {memory['steps']:,} steps with changing batches")
