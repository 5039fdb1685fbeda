"""Template matches on simulated complexes, for which the correct result is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.anomaly import template_matching, template_memory
from model.anomaly.template_matching import LEVELS, MATCHES, MIN_MISMATCH, MIN_RELATIVE_POWER, RECENT_QUANTILES
from model.anomaly.template_memory import TemplateMemory
from model.signal.arrays import FloatArray

PATCH, BLOCK = 4, 90
PERFECT, NO_MATCH = -np.log(MIN_MISMATCH), -np.log(1 + MIN_MISMATCH)


def train(moments: list[float], seconds: float, leads: int = 2, wide: tuple[float, ...] = ()) -> FloatArray:
    """Return narrow complexes at ``moments`` and broad ones at ``wide``, in s; shape (patches, PATCH, leads), mV."""
    time = np.arange(round(seconds * BLOCK) * PATCH) / 360
    mv = np.zeros((len(time), leads))
    for moments_of, width, height in ((moments, 0.015, 1.0), (wide, 0.06, 1.2)):
        for at in moments_of:
            mv += height * np.exp(-((time - at)[:, None] ** 2) / (2 * width**2)) * [1.0, -0.5][:leads]
    return mv.reshape(-1, PATCH, leads)


def run(observed: FloatArray, cuts: list[int] | None = None) -> tuple[FloatArray, TemplateMemory]:
    """Push patches, cut where blocks end and at ``cuts``; return the levels and the templates."""
    leads = observed.shape[2]
    matching, memory = template_matching.begin(leads), template_memory.begin(leads)
    samples = np.concatenate([np.full((1, *observed.shape[1:]), np.nan), observed])
    levels = np.empty((len(observed), LEVELS))
    edges = sorted({0, len(observed), *range(0, len(observed), BLOCK), *(cuts or [])})
    for first, end in itertools.pairwise(edges):
        template_matching.compare(matching, memory, 0, samples[first : end + 1], levels[first:end])
        if end % BLOCK == 0:
            if matching.steepest[0] >= 0:
                template_memory.store(memory, 0, matching.candidate[0])
            matching.steepest[0] = -1
    return levels, memory


def best_levels(levels: FloatArray, at: float) -> FloatArray:
    """Return the highest levels within 300 ms after a moment."""
    first = round(at * BLOCK)
    best: FloatArray = levels[first : first + 27].max(axis=0)
    return best


def test_a_normal_beat_matches_at_any_time() -> None:
    regular = [0.5 + i for i in range(30)]
    levels, _ = run(train([*regular, 30.1, 32.237], 35))
    for at in (20.5, 30.1, 32.237):
        assert (best_levels(levels, at)[:-1] > 0.9 * PERFECT).all()


def test_a_broad_complex_and_a_pause_do_not_match() -> None:
    levels, _ = run(train([0.5 + i for i in range(30)], 36, wide=(31.2,)))
    broad, silent = best_levels(levels, 31.2), best_levels(levels, 34)
    assert (broad[:-1] < 0.4 * PERFECT).all()
    np.testing.assert_allclose(silent[:-1], NO_MATCH, atol=0.05)
    assert broad[-1] > np.log(0.5)
    assert silent[-1] == pytest.approx(np.log(MIN_RELATIVE_POWER), abs=1e-3)


def test_one_broad_complex_in_seven_matches_few_templates() -> None:
    """By the best match alone, the second broad complex would count as normal."""
    wide = tuple(float(i) + 0.5 for i in range(0, 80, 7))
    levels, _ = run(train([i + 0.5 for i in range(80) if i % 7], 81, wide=wide))
    # The 0.9 quantile over the few long-term templates is the second best match.
    few = np.arange(LEVELS) == len(RECENT_QUANTILES)
    assert (best_levels(levels, 77.5)[:-1][~few[:-1]] < 0.4 * PERFECT).all()
    assert (best_levels(levels, 75.5)[:MATCHES] > 0.9 * PERFECT).all()


def test_a_shape_that_returns_after_minutes_matches() -> None:
    """It matches long-term templates, but no recent ones."""
    narrow, wide = [*np.arange(0.5, 90), *np.arange(180.5, 240)], tuple(np.arange(90.5, 180))
    levels, _ = run(train(narrow, 240, wide=wide))
    new, again = best_levels(levels, 91.5), best_levels(levels, 181.5)
    assert (new[:MATCHES] < 0.4 * PERFECT).all()
    assert (again[: len(RECENT_QUANTILES)] < 0.4 * PERFECT).all()
    assert (again[len(RECENT_QUANTILES) : MATCHES - 1] > 0.9 * PERFECT).all()


def test_the_steeper_of_two_complexes_in_a_block_is_stored() -> None:
    narrow = [i + 0.2 for i in range(20)]
    _, memory = run(train(narrow, 20, leads=1, wide=tuple(at + 0.4 for at in narrow)))
    recent = memory.templates[0, 0, :, :20]
    above_half = (recent > recent.max(axis=0) / 2).sum(axis=0)
    assert (above_half[1:] < 10).all()  # 35 ms wide at half its height, before smoothing


def test_invalid_samples_have_no_levels_and_are_not_stored() -> None:
    observed = train([0.5 + i for i in range(30)], 30)
    observed[20 * BLOCK + 10 : 23 * BLOCK] = np.nan
    levels, memory = run(observed)
    assert np.isnan(levels[21 * BLOCK : 23 * BLOCK]).all()
    assert np.isfinite(levels[23 * BLOCK + 25 :]).all()
    assert np.isfinite(memory.templates).all()


def test_a_flat_line_has_finite_levels() -> None:
    levels, _ = run(np.zeros((20 * BLOCK, PATCH, 1)))
    assert np.isfinite(levels[BLOCK:]).all()
    assert levels.shape[1] == LEVELS


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(1, 8 * BLOCK), max_size=20), seed=st.integers(0, 2**32 - 1))
def test_any_chunking_gives_the_same_result(cuts: list[int], seed: int) -> None:
    observed = np.random.default_rng(seed).normal(size=(8 * BLOCK, PATCH, 2))
    (whole, memory), (cut, memory_cut) = run(observed), run(observed, cuts)
    np.testing.assert_array_equal(whole, cut)
    np.testing.assert_array_equal(memory.templates, memory_cut.templates)


@settings(max_examples=10)
@given(at=st.integers(1, 8 * BLOCK - 1), seed=st.integers(0, 2**32 - 1))
def test_levels_do_not_depend_on_later_samples(at: int, seed: int) -> None:
    observed = np.random.default_rng(seed).normal(size=(8 * BLOCK, PATCH, 1))
    other = observed.copy()
    other[at:] *= -3
    np.testing.assert_array_equal(run(observed)[0][:at], run(other)[0][:at])
