"""Signal quality and technical conditions on synthetic signals with known conditions."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from model.conditions.changes import Began, Change, Ended
from model.signal import blocks, signal_quality
from model.signal.arrays import BoolArray, FloatArray
from model.signal.blocks import BLOCK, BlocksState, rows_of
from model.signal.intake import strides_of
from model.signal.signal_quality import QualityRows, QualityState
from stream.timebase import FS, STRIDE
from tests.model.ecg_waves import beats, fibrillating
from tests.model.slots import assert_equal, batch_of, cut, joined, taken

LEADS = ("MLII", "V1")
Result = tuple[FloatArray, BoolArray, list[Change]]


def grade(mv: FloatArray, start: int = 0, repetition: float = np.nan) -> tuple[QualityRows, list[Change]]:
    n = mv.shape[1]
    whole, _ = blocks.step(blocks.begin(n), strides_of(mv, start))
    mean = np.full(len(whole.mv), repetition)
    rows, changes, _ = signal_quality.step(signal_quality.begin(start, n), LEADS[:n], whole, mean)
    return rows, list(changes)


def run(mv: FloatArray, start: int = 0) -> Result:
    rows, changes = grade(mv, start)
    return rows.quality[0], rows.usable[0], changes


def change_times(mv: FloatArray, start: int = 0) -> list[tuple[str, str, float, float]]:
    """Return (Began or Ended, kind and leads, onset or end in s, at in s)."""
    return [
        (
            type(c).__name__,
            " ".join((c.kind, *c.leads)),
            (c.onset if isinstance(c, Began) else c.end) / FS,
            (c.at + 1) / FS,
        )
        for c in run(mv, start=start)[2]
    ]


def test_a_clean_signal_has_a_high_index() -> None:
    index, usable, changes = run(beats(20))
    assert not changes
    assert usable.all()
    # The first two seconds use copies of the first stride as history.
    assert index[20:].min() > 0.9
    assert index.min() > 0.7
    assert index.shape == (200, 2)


@pytest.mark.parametrize("level", [0.0025, 0.005, 0.02])
def test_asystole_on_a_connected_lead_is_no_technical_condition(level: float) -> None:
    """Body and amplifier noise, rounded to counts of 0.005 mV."""
    rng = np.random.default_rng(0)
    mv = np.concatenate([beats(10), rng.normal(0, level, (20 * FS, 2)), beats(10)])
    index, usable, changes = run(np.rint(mv * 200) / 200)
    assert not changes
    assert usable.all()
    assert index.min() > 0.5


def test_fibrillation_is_not_reported_as_noise() -> None:
    _, usable, changes = run(np.concatenate([beats(10), fibrillating(20, mv=1.0)]))
    assert not changes
    assert usable.all()


@pytest.mark.parametrize("value", [0.3, np.nan])
def test_a_constant_lead_is_off(value: float) -> None:
    mv = beats(30)
    mv[10 * FS : 20 * FS, 1] = value
    index, usable, changes = run(mv, start=500)
    began, ended = changes
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert (began.kind, ended.kind) == ("lead_off", "lead_off")
    assert began.leads == ended.leads == ("V1",)
    assert abs(began.onset - (500 + 10 * FS)) <= STRIDE * 8
    assert 500 + 10 * FS < began.at <= 500 + 12 * FS
    assert ended.onset == began.onset
    assert abs(ended.end - (500 + 20 * FS)) <= STRIDE * 8
    assert ended.at <= 500 + 22 * FS
    assert not usable[125:195, 1].any()
    assert usable[:, 0].all()
    assert (index[125:195, 1] == 0).all()


def test_a_lead_is_back_at_the_end_of_the_block_in_which_its_condition_ends() -> None:
    mv = beats(30)
    mv[10 * FS : 20 * FS, 1] = 0.0
    whole, _ = blocks.step(blocks.begin(2), strides_of(mv, 0))
    rows, changes, _ = signal_quality.step(signal_quality.begin(0, 2), LEADS, whole, np.full(len(whole.mv), np.nan))
    ended = next(change for change in changes if isinstance(change, Ended))
    [(bed, at)] = signal_quality.leads_back(rows_of(whole), rows)
    assert bed == 0
    assert ended.at <= at < ended.at + BLOCK
    assert (at + 1) % BLOCK == 0


def test_a_short_gap_is_no_condition() -> None:
    mv = beats(20)
    mv[10 * FS : 10 * FS + 180] = np.nan
    assert not run(mv)[2]


def test_a_condition_lists_all_affected_leads() -> None:
    mv = beats(40)
    mv[10 * FS : 30 * FS, 0] = 0.1
    mv[15 * FS : 25 * FS, 1] = np.nan
    assert [(name, text) for name, text, _, _ in change_times(mv)] == [
        ("Began", "lead_off MLII"),
        ("Ended", "lead_off MLII"),
        ("Began", "lead_off MLII V1"),
        ("Ended", "lead_off MLII V1"),
        ("Began", "lead_off MLII"),
        ("Ended", "lead_off MLII"),
    ]
    changes = run(mv)[2]
    reasons = [c.reason for c in changes if isinstance(c, Ended)]
    assert reasons == ["leads_changed", "leads_changed", "rule_no_longer_met"]
    onsets = [c.onset for c in changes if isinstance(c, Began)]
    assert len(set(onsets)) == 3


def test_a_lead_constant_at_the_rail_is_saturated_and_not_off() -> None:
    mv = beats(30, seed=3)
    mv[10 * FS : 15 * FS, 0] = 5.115
    saturation_changes = [(c.kind, type(c).__name__) for c in run(mv)[2] if c.kind != "noise"]
    assert saturation_changes == [("saturation", "Began"), ("saturation", "Ended")]
    began = next(c for c in run(mv)[2] if isinstance(c, Began) and c.kind == "saturation")
    assert began.leads == ("MLII",)
    assert began.at < 11 * FS


@pytest.mark.parametrize(("offset", "rail"), [(1.0, 5.115), (2.5, 5.115), (-1.5, -5.12)])
def test_the_rail_is_measured_from_zero_whatever_the_first_sample(offset: float, rail: float) -> None:
    """The features are measured from the first sample, the rail from 0 mV."""
    mv = beats(30, seed=3) + offset
    mv[10 * FS : 15 * FS, 0] = rail
    saturation_changes = [(c.kind, type(c).__name__) for c in run(mv)[2] if c.kind != "noise"]
    assert saturation_changes == [("saturation", "Began"), ("saturation", "Ended")]


def test_a_lead_constant_near_zero_is_off_whatever_the_first_sample() -> None:
    mv = beats(30, seed=3)
    mv[: 5 * FS] += 5.0
    mv[10 * FS : 20 * FS, 0] = 0.3
    assert [c.kind for c in run(mv)[2] if isinstance(c, Began) and c.kind != "noise"] == ["lead_off"]


def test_a_swing_clipped_below_the_usual_rail_is_saturated() -> None:
    time = np.arange(20 * FS) / FS
    mv = beats(20) + np.where(time > 10, 3 * np.sin(2 * np.pi * 0.4 * (time - 10)), 0)[:, None]
    assert any(c.kind == "saturation" for c in run(np.clip(mv, -2, 2))[2])


def test_muscle_artefact_that_masks_the_complexes_is_noise() -> None:
    mv = beats(40)
    mv[10 * FS : 20 * FS, 0] += np.random.default_rng(1).normal(0, 1.0, 10 * FS)
    index, usable, changes = run(mv)
    began, ended = changes
    assert (began.kind, began.leads) == ("noise", ("MLII",))
    assert 10 * FS <= began.at <= 14 * FS
    assert isinstance(ended, Ended)
    assert 20 * FS <= ended.at <= 24 * FS
    assert index[130:195, 0].max() < 0.5 < index[:, 1].min()
    assert usable[:, 1].all()


def test_weak_muscle_artefact_lowers_the_index_without_a_condition() -> None:
    mv = beats(20)
    clean = run(mv)[0][50:].mean()
    mv += np.random.default_rng(1).normal(0, 0.06, mv.shape)
    index, _, changes = run(mv)
    assert not changes
    assert 0.5 < index[50:].mean() < clean


def test_a_jumping_baseline_is_noise() -> None:
    rng = np.random.default_rng(1)
    mv = beats(30)
    mv[10 * FS : 20 * FS, 1] += 8 * np.interp(np.arange(10 * FS), np.arange(0, 10 * FS, FS), rng.choice([-1, 1], 10))
    assert ("noise", ("V1",)) in [(c.kind, c.leads) for c in run(mv)[2]]


@pytest.mark.parametrize(("repetition", "noisy"), [(0.9, False), (0.6, True)])
def test_beats_that_do_not_repeat_are_noise_in_a_measurable_signal(repetition: float, noisy: bool) -> None:
    rows, changes = grade(beats(20), repetition=repetition)
    assert [c.kind for c in changes] == ["noise"] * noisy
    assert rows.usable[0, -1].all() != noisy
    assert rows.measurable.all()


def test_a_lead_with_tens_of_microvolts_is_not_attached_yet() -> None:
    start = np.random.default_rng(2).normal(0, 0.01, (12 * FS, 2))
    changes = run(np.concatenate([start, beats(20)]))[2]
    assert [(type(c).__name__, c.kind) for c in changes] == [("Began", "lead_off"), ("Ended", "lead_off")]
    assert changes[0].at < 3 * FS
    assert 12 * FS < changes[1].at < 15 * FS


def test_a_recovering_amplifier_is_noise() -> None:
    """An overload of 3.3 mV that decays within seconds, as in record 208; no complex can be seen in it."""
    time = np.arange(30 * FS) / FS
    overload = np.where(time > 10, 3.3 * np.exp(-(time - 10) / 1.2), 0.0)
    mv = np.where((time > 10) & (time < 13), 0.0, 1.0)[:, None] * beats(30) + overload[:, None]
    began = next(c for c in run(mv)[2] if isinstance(c, Began))
    assert began.kind == "noise"
    assert 10 * FS < began.at < 13 * FS


def test_beds_that_step_together_have_the_quality_and_conditions_of_beds_alone() -> None:
    signals = [beats(20), beats(20, seed=3), np.zeros((20 * FS, 2))]
    signals[1][8 * FS : 14 * FS, 1] = np.nan
    slots, begun = np.array([3, 0, 5]), [Stages(blocks.begin(2), signal_quality.begin(0, 2))] * 3
    columns, untouched = (joined(begun, slots.tolist(), 7) for _ in range(2))
    found: list[list[Change]] = [[], [], []]
    graded: list[list[FloatArray]] = [[], [], []]
    for first, stop in itertools.pairwise([0, 1, 7, 8, 9, 60, 61, 200]):
        batch = batch_of([cut(strides_of(mv), first * STRIDE, stop * STRIDE) for mv in signals], slots.tolist())
        whole = blocks.advance(columns.blocks, batch)
        mean = np.full(whole.mv.shape[:2], np.nan)
        rows, changes = signal_quality.advance(columns.quality, slots, [LEADS] * 3, whole, mean)
        for bed, change in changes:
            found[bed].append(change)
        for bed, count in enumerate(whole.count.tolist()):
            graded[bed].append(rows.quality[bed, : count * blocks.STRIDES_PER_BLOCK])
    for bed, mv in enumerate(signals):
        index, _, changes_alone = run(mv)
        assert found[bed] == changes_alone
        np.testing.assert_array_equal(np.concatenate(graded[bed]), index)
    assert [len(own) for own in found] == [0, 2, 1]
    for slot in (1, 2, 4, 6):
        assert_equal(taken(columns, slot), taken(untouched, slot))


class Stages(NamedTuple):
    blocks: BlocksState
    quality: QualityState


def test_the_rails_of_record_116_are_found(mitdb_dir: Path) -> None:
    """MLII reaches ±5.12 mV for more than 0.4 s three times; V1 is always usable."""
    from stream.records.wfdb_reader import read

    mv = read(mitdb_dir / "mitdb" / "116", name="116", source="").mv()
    _, usable, changes = run(mv[950 * FS : 1500 * FS])
    assert sum(isinstance(c, Began) and c.kind == "saturation" for c in changes) == 3
    assert usable[:, 1].all()
    assert usable[:, 0].mean() > 0.95
