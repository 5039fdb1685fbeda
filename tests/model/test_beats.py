"""Beats found and typed: cut anywhere, stored in mid-record, told in time, and right on real ones."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.beat_scores import reference_of, score
from model.beat_types import LEARNING, BeatTyper, load_typer, save
from model.beats import Beat, BeatsState, begin, step
from model.qrs import LATEST
from stream.catalog import Catalog
from stream.errors import CheckpointError, StorageError
from stream.messages import FS
from stream.record import Record
from stream.records import load
from stream.synthetic import synthetic_patient

Signal = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def typer() -> BeatTyper:
    return load_typer()


@pytest.fixture(scope="module")
def signal() -> Signal:
    """40 s of the synthetic patient, some of it invalid on one lead or both."""
    mv = synthetic_patient().mv()[80 * FS : 120 * FS].copy()
    mv[20 * FS : 22 * FS, 1] = np.nan
    mv[30 * FS : 31 * FS] = np.nan
    return mv


def run(typer: BeatTyper, signal: Signal, cuts: Sequence[int]) -> tuple[list[Beat], BeatsState]:
    state, found = begin(0, signal.shape[1]), []
    for first, stop in itertools.pairwise([0, *sorted(cuts), len(signal)]):
        beats, state = step(typer, state, signal[first:stop])
        assert all(beat.at < stop for beat in beats)
        found += beats
    return found, state


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 40 * FS - 1), max_size=40, unique=True))
def test_any_cut_gives_the_same_beats(typer: BeatTyper, signal: Signal, cuts: list[int]) -> None:
    assert run(typer, signal, cuts)[0] == run(typer, signal, [])[0]


def test_every_beat_is_told_in_time_and_follows_the_one_before(typer: BeatTyper, signal: Signal) -> None:
    beats, _ = run(typer, signal, range(36, len(signal), 36))
    assert len(beats) > 30
    assert all(0 <= beat.at - beat.index <= LATEST for beat in beats)
    assert beats[0].rr is None
    for before, beat in itertools.pairwise(beats):
        assert beat.rr == beat.index - before.index


def test_it_learns_before_it_tells(typer: BeatTyper, signal: Signal) -> None:
    beats, _ = run(typer, signal, [])
    assert {beat.type for beat in beats[: LEARNING - 1]} == {"Q"}
    assert {beat.type for beat in beats[LEARNING + 2 :]} <= {"N", "S", "V"}


def test_what_comes_later_changes_nothing(typer: BeatTyper, signal: Signal) -> None:
    at = 25 * FS
    other = signal.copy()
    other[at:] = 2.0
    assert run(typer, signal[:at], [])[0] == [b for b in run(typer, other, [at])[0] if b.at < at]


def test_the_state_moves_to_another_process(typer: BeatTyper, signal: Signal) -> None:
    at = 25 * FS + 7
    _, state = run(typer, signal[:at], [])
    again = BeatsState.from_bytes(state.to_bytes())
    assert step(typer, again, signal[at:])[0] == step(typer, state, signal[at:])[0]
    with pytest.raises(StorageError):
        BeatsState.from_bytes(state.to_bytes()[:-5])


def test_ventricular_beats_of_a_real_patient_are_found(typer: BeatTyper, excerpt: Record) -> None:
    """Record 208, which nothing was trained on: about 40 ventricular beats a minute, and as many fusion beats."""
    beats, _ = run(typer, excerpt.mv()[: 180 * FS], [])
    types = [beat.type for beat in beats[LEARNING:]]
    assert 0.1 < types.count("V") / len(types) < 0.7
    assert types.count("N") > 0.2 * len(types)


def test_a_stretch_of_mitdb_is_typed_as_annotated(typer: BeatTyper, mitdb_dir) -> None:  # type: ignore[no-untyped-def]
    record = load("mitdb/119", Catalog(data_dir=mitdb_dir))
    assert record.annotations is not None
    n = 300 * FS
    beats, _ = run(typer, record.mv()[:n], [])
    reference = reference_of(record.annotations, record.n)
    got = score(reference, [b.index for b in beats], [b.type for b in beats], since=30 * FS, until=n - FS)
    assert got.qrs.sensitivity > 0.99
    assert got.veb.found > 20
    assert got.veb.sensitivity > 0.95
    assert got.veb.positive_predictivity > 0.95


def test_weights_survive_their_file_and_others_are_refused(typer: BeatTyper, tmp_path) -> None:  # type: ignore[no-untyped-def]
    save(tmp_path / "w.safetensors", replace(typer, provenance={"seed": 1}))
    assert load_typer(tmp_path / "w.safetensors").provenance == {"seed": 1}
    (tmp_path / "bad").write_bytes(b"nothing")
    for name in ("bad", "missing"):
        with pytest.raises(CheckpointError):
            load_typer(tmp_path / name)
