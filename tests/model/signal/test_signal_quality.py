"""Technical conditions, on signals made up so that the right answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.conditions.changes import Began, Change, Ended
from model.signal import blocks, signal_quality
from model.signal.arrays import BoolArray, FloatArray
from model.signal.intake import strides_of
from stream.timebase import FS, STRIDE
from tests.model.signal.test_ventricular_fibrillation import beats, fibrillating

LEADS = ("MLII", "V1")
Result = tuple[FloatArray, BoolArray, list[Change]]


def run(mv: FloatArray, start: int = 0) -> Result:
    whole, _ = blocks.step(blocks.begin(mv.shape[1]), strides_of(mv, start))
    output, _ = signal_quality.step(signal_quality.begin(start, LEADS[: mv.shape[1]]), whole)
    return output.index, output.usable, list(output.changes)


def described(mv: FloatArray, start: int = 0) -> list[tuple[str, str, float, float]]:
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


def test_a_clean_line_is_good() -> None:
    index, usable, changes = run(beats(20))
    assert not changes
    assert usable.all()
    # In the first two seconds the first stride stands in for what came before.
    assert index[20:].min() > 0.9
    assert index.min() > 0.7
    assert index.shape == (200, 2)


@pytest.mark.parametrize("level", [0.0025, 0.005, 0.02])
def test_asystole_on_a_live_line_is_no_technical_condition(level: float) -> None:
    """The noise of body and amplifier, rounded to counts of 0.005 mV."""
    rng = np.random.default_rng(0)
    mv = np.concatenate([beats(10), rng.normal(0, level, (20 * FS, 2)), beats(10)])
    index, usable, changes = run(np.rint(mv * 200) / 200)
    assert not changes
    assert usable.all()
    assert index.min() > 0.5


def test_fibrillation_is_no_noise() -> None:
    _, usable, changes = run(np.concatenate([beats(10), fibrillating(20, mv=1.0)]))
    assert not changes
    assert usable.all()


@pytest.mark.parametrize("what", [0.3, np.nan])
def test_a_line_that_does_not_move_is_off(what: float) -> None:
    mv = beats(30)
    mv[10 * FS : 20 * FS, 1] = what
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


def test_a_short_pause_in_the_data_is_nothing() -> None:
    mv = beats(20)
    mv[10 * FS : 10 * FS + 180] = np.nan
    assert not run(mv)[2]


def test_a_kind_names_all_its_leads() -> None:
    mv = beats(40)
    mv[10 * FS : 30 * FS, 0] = 0.1
    mv[15 * FS : 25 * FS, 1] = np.nan
    assert [(name, text) for name, text, _, _ in described(mv)] == [
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


def test_a_line_stuck_at_the_rail_is_saturated_and_not_off() -> None:
    mv = beats(30, seed=3)
    mv[10 * FS : 15 * FS, 0] = 5.115
    mine = [(c.kind, type(c).__name__) for c in run(mv)[2] if c.kind != "noise"]
    assert mine == [("saturation", "Began"), ("saturation", "Ended")]
    began = next(c for c in run(mv)[2] if isinstance(c, Began) and c.kind == "saturation")
    assert began.leads == ("MLII",)
    assert began.at < 11 * FS


@pytest.mark.parametrize(("offset", "rail"), [(1.0, 5.115), (2.5, 5.115), (-1.5, -5.12)])
def test_the_rail_is_where_it_is_however_far_the_lead_began_from_zero(offset: float, rail: float) -> None:
    """The figures are counted from the first sample, the rail from 0 mV."""
    mv = beats(30, seed=3) + offset
    mv[10 * FS : 15 * FS, 0] = rail
    mine = [(c.kind, type(c).__name__) for c in run(mv)[2] if c.kind != "noise"]
    assert mine == [("saturation", "Began"), ("saturation", "Ended")]


def test_a_line_that_stands_still_far_from_its_beginning_but_not_from_zero_is_off() -> None:
    mv = beats(30, seed=3)
    mv[: 5 * FS] += 5.0
    mv[10 * FS : 20 * FS, 0] = 0.3
    assert [c.kind for c in run(mv)[2] if isinstance(c, Began) and c.kind != "noise"] == ["lead_off"]


def test_a_swing_that_is_clipped_below_the_usual_rail_is_saturated() -> None:
    time = np.arange(20 * FS) / FS
    mv = beats(20) + np.where(time > 10, 3 * np.sin(2 * np.pi * 0.4 * (time - 10)), 0)[:, None]
    assert any(c.kind == "saturation" for c in run(np.clip(mv, -2, 2))[2])


def test_muscle_that_hides_the_complexes_is_noise() -> None:
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


def test_a_little_muscle_lowers_the_index_and_is_no_condition() -> None:
    mv = beats(20)
    calm = run(mv)[0][50:].mean()
    mv += np.random.default_rng(1).normal(0, 0.06, mv.shape)
    index, _, changes = run(mv)
    assert not changes
    assert 0.5 < index[50:].mean() < calm


def test_a_baseline_that_leaps_is_noise() -> None:
    rng = np.random.default_rng(1)
    mv = beats(30)
    mv[10 * FS : 20 * FS, 1] += 8 * np.interp(np.arange(10 * FS), np.arange(0, 10 * FS, FS), rng.choice([-1, 1], 10))
    assert ("noise", ("V1",)) in [(c.kind, c.leads) for c in run(mv)[2]]


def test_the_bed_is_as_good_as_its_best_lead() -> None:
    mv = beats(10)
    mv[:, 1] = np.nan
    whole, _ = blocks.step(blocks.begin(2), strides_of(mv))
    output, _ = signal_quality.step(signal_quality.begin(0, LEADS), whole)
    assert (output.index[:, 1] == 0).all()
    np.testing.assert_array_equal(output.bed, output.index[:, 0])
    assert output.first == STRIDE - 1


def test_the_rails_of_record_116_are_found(mitdb_dir: Path) -> None:
    """It touches ±5.12 mV in MLII for more than 0.4 s three times; V1 is never in doubt."""
    from stream.records.wfdb_reader import read

    mv = read(mitdb_dir / "mitdb" / "116", name="116", source="").mv()
    _, usable, changes = run(mv[950 * FS : 1500 * FS])
    assert sum(isinstance(c, Began) and c.kind == "saturation" for c in changes) == 3
    assert usable[:, 1].all()
    assert usable[:, 0].mean() > 0.95
