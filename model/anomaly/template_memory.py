"""The patient's own QRS complexes, stored as templates.

Once per block, the steepest complex (`model.anomaly.template_matching`) is stored; of a normal and a broad ectopic beat
in one block that is the normal one. The last 32 are kept. Every tenth template is kept ten times as long, so conduction
that was present minutes ago is recognised when it returns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.anomaly.sorting import network, sort_columns
from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part

WIDTH = 36
"""Decimated samples per window, 200 ms."""

TAPER = np.minimum(1.0, np.minimum(np.arange(WIDTH) + 1, np.arange(WIDTH)[::-1] + 1) / 6)
"""Weights of the samples of a window: 1, with linear slopes at both ends."""

TAPER_SUM = float(TAPER.sum())

MAX_TEMPLATES = 32
"""Largest number of recent templates, and of long-term templates."""

LONG_TERM_EVERY = 10
"""One of so many templates becomes a long-term template."""

SLOTS = 2 * MAX_TEMPLATES
"""Places of templates: `MAX_TEMPLATES` for the recent ones, followed by as many for the long-term ones."""


SORT = network(MAX_TEMPLATES)
"""Comparisons that sort one value of each recent, or of each long-term template."""


class TemplateMemory(NamedTuple):
    """Columns over beds: the templates of the patient. They change at most once per block.

    Attributes
    ----------
    templates : ndarray, shape (beds, leads, WIDTH, SLOTS), mV
        Without their mean; 0 in free places. Each place in turn receives a template, then the oldest is replaced.
    power : ndarray, shape (beds, leads, SLOTS), mV²
        Tapered sums of squares of the templates.
    normal_power : ndarray, shape (beds, leads), mV²
        Median power of the recent templates; NaN without templates.
    stored : ndarray of int64, shape (beds,)
        Number of templates that were stored so far.
    """

    templates: FloatArray
    power: FloatArray
    normal_power: FloatArray
    stored: IntArray


def begin(leads: int) -> TemplateMemory:
    """Return the memory of one bed, without templates."""
    return TemplateMemory(
        templates=np.zeros((1, leads, WIDTH, SLOTS)),
        power=np.zeros((1, leads, SLOTS)),
        normal_power=np.full((1, leads), np.nan),
        stored=np.zeros(1, np.int64),
    )


@compiled
def counts(stored: int) -> tuple[int, int]:
    """Return the numbers of recent and of long-term templates, after ``stored`` templates were stored."""
    return min(stored, MAX_TEMPLATES), min(-(-stored // LONG_TERM_EVERY), MAX_TEMPLATES)


@compiled
def store(memory: TemplateMemory, bed: int, window: FloatArray) -> None:
    """Store a window, shape (leads, WIDTH), mV, as a template of one bed."""
    number = memory.stored[bed]
    memory.stored[bed] = number + 1
    _put(memory, bed, number % MAX_TEMPLATES, window)
    if number % LONG_TERM_EVERY == 0:
        _put(memory, bed, MAX_TEMPLATES + number // LONG_TERM_EVERY % MAX_TEMPLATES, window)
    recent, _ = counts(memory.stored[bed])
    for lead in range(len(window)):
        memory.normal_power[bed, lead] = _median(memory.power[bed, lead], recent)


@compiled_part
def _median(values: FloatArray, n: int) -> float:
    """Return the median of the first n values, at most `MAX_TEMPLATES`."""
    ordered = np.full((MAX_TEMPLATES, 1), np.inf)
    for i in range(n):
        ordered[i, 0] = values[i]
    sort_columns(ordered, SORT)
    low: float = ordered[(n - 1) // 2, 0]
    high: float = ordered[n // 2, 0]
    return (low + high) / 2


@compiled_part
def _put(memory: TemplateMemory, bed: int, slot: int, window: FloatArray) -> None:
    """Put a window, without its mean, into a place."""
    for lead in range(len(window)):
        mean, power = 0.0, 0.0
        for i in range(WIDTH):
            mean += TAPER[i] * window[lead, i] / TAPER_SUM
        for i in range(WIDTH):
            value = window[lead, i] - mean
            memory.templates[bed, lead, i, slot] = value
            power += value * value * TAPER[i]
        memory.power[bed, lead, slot] = power
