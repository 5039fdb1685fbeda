"""The analysis of beds: results for known signals, several beds in one step, the end of an epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from model.anomaly.patient_history import WARM
from model.anomaly.state import DEFAULT_CONFIG
from model.conditions.changes import Began, Change, Ended
from model.pipeline.analysis import Analysis, Models, load_models
from model.pipeline.bed_state import BedState, begin, finish
from model.pipeline.beds import Beds
from model.pipeline.signals import Signal, analyze_signals
from model.pipeline.stride_forecasts import StrideForecasts
from model.signal.arrays import FloatArray
from stream.errors import StorageError
from stream.records.record import Record
from stream.records.synthetic.presets import synthetic_record
from stream.timebase import FS, STRIDE
from tests.model.bed_steps import step

LEADS = ("MLII", "V1")
FORECAST_KINDS = {"residual", "unusual_complexes"}


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def signal() -> FloatArray:
    """40 s of the synthetic patient, 6 s of noise without beats on both leads, 4 s with one lead off."""
    mv = synthetic_record().mv()[80 * FS : 130 * FS].copy()
    noise = np.random.default_rng(7).normal(0, 0.01, (6 * FS, 2))
    mv[40 * FS : 46 * FS] = noise
    mv[46 * FS :, 1] = np.nan
    return mv


def run(
    models: Models, signal: FloatArray, size: int = 100 * STRIDE, leads: Sequence[str] = LEADS
) -> tuple[Analysis, BedState]:
    """Analyse a signal chunk by chunk, and join the results."""
    state = begin(models, leads, 0, 0)
    parts = []
    for first in range(0, len(signal), size):
        chunk = signal[first : first + size]
        [(part, state)] = step(models, [state], [chunk])
        parts.append(part)
    forecasts = StrideForecasts(
        *(np.concatenate([getattr(part.forecasts, field.name) for part in parts]) for field in fields(StrideForecasts))
    )
    names = ("beats", "vitals", "derived", "changes")
    return Analysis(forecasts, *(tuple(one for part in parts for one in getattr(part, name)) for name in names)), state


@pytest.fixture(scope="module")
def whole(models: Models, signal: FloatArray) -> tuple[Analysis, BedState]:
    return run(models, signal, STRIDE)


def test_after_a_lead_was_off_no_complex_is_unusual_for_long_however_the_signal_is_cut(models: Models) -> None:
    mv = synthetic_record().mv()[: 90 * FS].copy()
    mv[30 * FS : 50 * FS] = mv[30 * FS]
    found, _ = run(models, mv)
    assert [change.kind for change in found.changes if isinstance(change, Began)].count("lead_off") == 1
    assert not [change for change in found.changes if change.kind == "unusual_complexes"]
    assert np.isnan(found.forecasts.score[520 : 510 + 10 * WARM]).all(), "the patient is learned anew"
    assert found.changes == run(models, mv, 7 * STRIDE + 5)[0].changes


def open_kinds(changes: Sequence[Change]) -> set[str]:
    """Return the kinds that began and have not ended."""
    kinds: set[str] = set()
    for change in changes:
        kinds = kinds - {change.kind} if isinstance(change, Ended) else kinds | {change.kind}
    return kinds


def test_asystole_and_lead_off_are_reported(whole: tuple[Analysis, BedState]) -> None:
    output, _ = whole
    kinds = [change.kind for change in output.changes if isinstance(change, Began)]
    assert "asystole" in kinds
    assert "lead_off" in kinds
    vitals = output.vitals
    assert [vital.index for vital in vitals] == list(range(FS - 1, 50 * FS, FS))
    assert vitals[30].heart_rate is not None
    assert vitals[45].heart_rate is None
    assert vitals[45].rhythm == "asystole"
    assert vitals[49].inops == ("lead_off",)


def test_vital_signs_and_beats_carry_the_signal_quality(models: Models, signal: FloatArray) -> None:
    noisy = signal[: 30 * FS].copy()
    noisy[15 * FS : 25 * FS] += np.random.default_rng(3).normal(0, 0.25, (10 * FS, 2))
    output, _ = run(models, noisy)
    quality = [vital.quality for vital in output.vitals]
    assert all(0 <= value <= 1 for value in quality if value is not None)
    assert max(quality[19:24]) < 0.7 < min(quality[8:14])  # type: ignore[type-var, operator]
    assert max(beat.quality for beat in output.beats if 20 * FS < beat.index < 24 * FS) < 0.7
    assert min(beat.quality for beat in output.beats if 8 * FS < beat.index < 14 * FS) > 0.7


@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_strong_mains_change_neither_beats_nor_alarms(models: Models, signal: FloatArray, hz: float) -> None:
    mv, first = signal[: 46 * FS], 10 * FS + 5
    disturbed = mv.copy()
    disturbed[first:] += 5 * np.sin(2 * np.pi * hz / FS * np.arange(len(mv) - first))[:, None]
    expected, found = (
        [part for _, part in analyze_signals(models, [Signal(LEADS, iter([(one, ())]))], forecast=False)]
        for one in (mv, disturbed)
    )
    kinds = [[change.kind for part in parts for change in part.changes] for parts in (expected, found)]
    assert kinds[0] == kinds[1]
    assert "asystole" in kinds[0]
    peaks = [
        [beat.index for part in parts for beat in part.beats if beat.index > 11 * FS] for parts in (expected, found)
    ]
    np.testing.assert_allclose(peaks[1], peaks[0], atol=3)


def test_a_beat_carries_the_quality_known_at_its_detection(models: Models, signal: FloatArray) -> None:
    """The quality of the last whole half second at the sample at which the beat was detected."""
    noisy = signal[: 30 * FS].copy()
    noisy[15 * FS :] += np.random.default_rng(3).normal(0, 0.2, (15 * FS, 2))
    output, _ = run(models, noisy)
    by_second = {vital.index: vital.quality for vital in output.vitals}
    exact = [beat for beat in output.beats if (beat.at - FS + 1) % FS < 180 and beat.at > 2 * FS]
    assert len(exact) > 5
    for beat in exact:
        assert beat.quality == by_second[(beat.at + 1) // FS * FS - 1]


def test_forecasts_lie_on_strides_and_have_no_score_while_learning(
    whole: tuple[Analysis, BedState],
) -> None:
    forecasts = whole[0].forecasts
    assert [one.origin for one in forecasts] == list(range(STRIDE - 1, 50 * FS, STRIDE))
    learning = WARM * FS
    assert all(math.isnan(one.score) == (one.origin < learning) for one in forecasts if one.origin < 40 * FS)


def test_the_vital_signs_of_a_second_cover_its_ten_strides(whole: tuple[Analysis, BedState]) -> None:
    output, _ = whole
    scores = np.array([one.score for one in output.forecasts]).reshape(-1, 10)
    highest = np.fmax.reduce(scores, axis=1)
    for vital, value in zip(output.vitals, highest.tolist(), strict=True):
        assert vital.score == (None if math.isnan(value) else value)


def test_a_condition_begins_in_a_stride_above_the_threshold(
    whole: tuple[Analysis, BedState], signal: FloatArray
) -> None:
    """The condition begins with the first patch that reaches the threshold; a stride has its highest score."""
    output, _ = whole
    began = [c for c in output.changes if isinstance(c, Began) and c.kind == "residual"]
    assert began
    by_origin = {one.origin: one.score for one in output.forecasts}
    for change in began:
        assert by_origin[change.at // STRIDE * STRIDE + STRIDE - 1] >= DEFAULT_CONFIG.threshold


def test_a_forecast_carries_the_observed_sample(whole: tuple[Analysis, BedState], signal: FloatArray) -> None:
    observed = [one.observed for one in whole[0].forecasts]
    np.testing.assert_array_equal(observed, signal[STRIDE - 1 :: STRIDE, 0])


def test_invalid_samples_do_not_count_for_the_skill(models: Models, signal: FloatArray) -> None:
    mv = signal[: 20 * FS].copy()
    mv[STRIDE - 1 :: 2 * STRIDE, 0] = np.nan  # every other one
    output, _ = run(models, mv)
    assert np.isnan([one.observed for one in output.forecasts[::2]]).all()
    assert [vital.skill for vital in output.vitals] == [None] * 20


def test_beds_step_together_as_they_would_alone(models: Models, signal: FloatArray) -> None:
    """With one and two leads, and chunks of different lengths."""
    signals = [signal[: 20 * FS], signal[20 * FS : 40 * FS, :1]]
    leads = (LEADS, LEADS[:1])
    states = [begin(models, own, 0, 0) for own in leads]
    parts: list[list[Analysis]] = [[], []]
    sizes = (1_111, 1_000)
    for turn in range(8):
        chunks = [mv[turn * n : (turn + 1) * n] for mv, n in zip(signals, sizes, strict=True)]
        stepped = step(models, states, chunks)
        states = [state for _, state in stepped]
        for own, (part, _) in zip(parts, stepped, strict=True):
            own.append(part)
    for mv, own_leads, own in zip(signals, leads, parts, strict=True):
        alone, _ = run(models, mv, leads=own_leads)
        together = [one for part in own for one in part.forecasts]
        for one, other in zip(together, alone.forecasts, strict=False):
            assert one.origin == other.origin
            np.testing.assert_allclose(one.mean, other.mean, rtol=0, atol=1e-5)
        beats = [beat for part in own for beat in part.beats]
        assert beats == list(alone.beats[: len(beats)])
        assert len(beats) > 15


def test_without_forecast_beats_rhythm_and_conditions_are_the_same(
    models: Models, signal: FloatArray, whole: tuple[Analysis, BedState]
) -> None:
    [(output, state)] = step(models, [begin(models, LEADS, 0, 0)], [signal], forecast=False)
    assert output.beats == whole[0].beats
    assert len(output.forecasts) == 0
    # In one call changes are ordered by time; from call to call, one may come after others of a later time.
    expected = sorted((c for c in whole[0].changes if c.kind not in FORECAST_KINDS), key=lambda change: change.at)
    assert sorted(output.changes, key=lambda change: change.at) == expected
    known = [replace(vital, score=None, skill=None) for vital in whole[0].vitals]
    assert list(output.vitals) == known
    held, all_held = (finish(models, end).changes for end in (state, whole[1]))
    assert {c.kind for c in held} == {c.kind for c in all_held} - FORECAST_KINDS


def test_a_bed_joined_late_keeps_the_grid_of_its_epoch(models: Models, signal: FloatArray) -> None:
    state = begin(models, LEADS, 1001, 5)
    [(output, _)] = step(models, [state], [signal[1001 : 1001 + 20 * FS]])
    first = 1013
    assert [one.origin for one in output.forecasts[:2]] == [first + STRIDE - 1, first + 2 * STRIDE - 1]
    assert [vital.index for vital in output.vitals] == [first + (i + 1) * FS - 1 for i in range(19)]
    assert all(beat.index >= 1001 for beat in output.beats)


def test_open_conditions_end_with_the_epoch(
    models: Models, signal: FloatArray, whole: tuple[Analysis, BedState]
) -> None:
    output, state = whole
    ended = finish(models, state).changes
    assert {change.kind for change in ended} == open_kinds(output.changes) >= {"lead_off"}
    onsets = {change.kind: change.onset for change in output.changes}
    for change in ended:
        assert change.onset == onsets[change.kind]
        assert change.at == len(signal) - 1
        assert change.reason == "signal_interrupted"


def test_the_epoch_ends_with_the_last_sample_received(models: Models, signal: FloatArray) -> None:
    """Even if that sample does not complete a stride."""
    _, state = run(models, signal[: 50 * FS - 20])
    ended = {change.kind: change for change in finish(models, state).changes}
    assert ended["lead_off"].at == 50 * FS - 21
    assert ended["lead_off"].end == 50 * FS - 20


def test_a_beat_in_the_last_incomplete_stride_is_not_lost(models: Models, excerpt: Record) -> None:
    mv = excerpt.mv()[: 60 * FS]
    beats, _ = run(models, mv, leads=excerpt.leads)
    beat = next(beat for beat in reversed(beats.beats) if beat.at % STRIDE < STRIDE - 1)
    output, state = run(models, mv[: beat.at + 1], leads=excerpt.leads)
    last = finish(models, state)
    assert beat not in output.beats
    assert [found.index for found in last.beats] == [beat.index]
    assert last.beats[0].type == beat.type
    before, state = run(models, mv[: beat.at], leads=excerpt.leads)
    assert beat.index not in {found.index for found in (*before.beats, *finish(models, state).beats)}


def test_live_and_offline_results_agree(models: Models, excerpt: Record) -> None:
    mv = excerpt.mv()[: 60 * FS]
    live, _ = run(models, mv, STRIDE, excerpt.leads)
    offline, _ = run(models, mv, len(mv), excerpt.leads)
    assert live.beats == offline.beats
    assert len(live.beats) > 60
    assert [(c.kind, c.at) for c in live.changes] == [(c.kind, c.at) for c in offline.changes]


def test_a_bed_does_not_see_those_that_come_and_go(models: Models, signal: FloatArray) -> None:
    """While the slots grow and are used again, and beds step in any order, with chunks of any length."""
    rng = np.random.default_rng(0)
    signals = [signal[first * FS : (first + 12) * FS] for first in (0, 10, 25, 38)]
    beds, limits = Beds(models), models.alarms.limits
    slots, position = [beds.begin(LEADS, 0, 0) for _ in signals], [0] * len(signals)
    parts: list[list[Analysis]] = [[] for _ in signals]
    while any(at < 12 * FS for at in position):
        passing = [beds.begin(LEADS[: rng.integers(1, 3)], 0, 0) for _ in range(3)]
        order = rng.permutation(len(signals))
        sizes = rng.choice([0, 20, 36, 100, 400], len(signals))
        chunks = [signals[bed][position[bed] : position[bed] + sizes[bed]] for bed in order]
        others = [rng.normal(0, 1, (100, len(bed.leads))) for bed in passing]
        found = beds.step([*(slots[bed] for bed in order), *passing], [*chunks, *others], [limits] * (len(order) + 3))
        for bed, chunk, analysis in zip(order, chunks, found, strict=False):
            position[bed] += len(chunk)
            parts[bed].append(analysis)
        for bed in passing:
            bed.release()
    for mv, own in zip(signals, parts, strict=True):
        alone, _ = run(models, mv)
        assert tuple(beat for part in own for beat in part.beats) == alone.beats
        assert tuple(change for part in own for change in part.changes) == alone.changes
        scores = np.concatenate([part.forecasts.score for part in own])
        np.testing.assert_allclose(scores, alone.forecasts.score, rtol=0, atol=1e-3)


def test_a_state_of_other_models_is_refused(models: Models) -> None:
    state = begin(models, LEADS, 0, 0)
    with pytest.raises(StorageError, match="does not fit"):
        Beds(models).put(replace(state, leads=LEADS[:1]))
