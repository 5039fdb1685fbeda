"""How torch runs: number of threads, denormal floats, and the clock that times it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

DENORMAL = 5e-324
"""The smallest number above zero; a processor that flushes denormals takes it as zero."""


CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter
"""The thread's own processor time; where the system tells it too coarsely (Windows), wall time must do."""


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take denormal floats as zero inside: they slow a recurrent network many times over.

    It is a mode of the processor that holds for the whole thread, so it is left as it was, for everyone else's sake.
    """
    before = DENORMAL * 1.0 == 0.0  # torch can set the mode, but not tell it
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside: sums then come out the same to the last bit, and times can be compared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def use_one_thread() -> None:
    """Let torch use one thread from now on: a step of a few beds is too small to share."""
    torch.set_num_threads(1)
