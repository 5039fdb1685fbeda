"""How torch runs: number of threads, denormal floats, and the clock that times it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

DENORMAL = 5e-324
"""The smallest number above zero; a processor that flushes denormals treats it as zero."""


CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter
"""The thread's own processor time; wall time where the system measures that too coarsely (Windows)."""


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Treat denormal floats as zero inside: they slow a recurrent network many times over.

    It is a mode of the processor that holds for the whole thread, so it is restored afterwards.
    """
    before = DENORMAL * 1.0 == 0.0  # torch can set the mode, but not return it
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside: sums are then the same to the last bit, and times comparable; it costs 5 µs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
