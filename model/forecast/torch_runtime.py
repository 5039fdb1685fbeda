"""Settings of the torch runtime: threads, denormal floats; and a clock for timing back ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALLEST_DENORMAL = 5e-324
"""Smallest positive double (IEEE 754); zero to a processor that flushes denormals."""

CPU_CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter
"""Processor time of the thread in seconds; wall time where its resolution is above 10 µs (Windows)."""


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Treat denormal floats as zero inside the context; they slow down a recurrent network many times.

    The processor keeps this mode per thread, so the previous mode is restored afterwards.
    """
    before = SMALLEST_DENORMAL * 1.0 == 0.0  # torch can set the mode, but not read it
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread inside the context: bit-identical sums and comparable times. Overhead 5 µs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
