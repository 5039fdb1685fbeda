"""After lost samples the analysis goes on with what it learned of the patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.conditions.changes import Began, Change
from model.pipeline.analysis import Analysis, Models, load_models
from model.pipeline.bed_state import BedState, after_gap, begin
from model.signal.arrays import FloatArray
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load
from stream.timebase import FS
from tests.model.bed_steps import step

GAP, SETTLED, AFTER = 3 * FS, 10 * FS, 60 * FS
"""Lost samples; time after them from which the results must be equal; samples compared."""


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


def push(models: Models, state: BedState, mv: FloatArray, size: int = 10 * FS) -> tuple[list[Analysis], BedState]:
    found = []
    for first in range(0, len(mv), size):
        [(output, state)] = step(models, [state], [mv[first : first + size]])
        found.append(output)
    return found, state


def changes(found: list[Analysis], after: int) -> list[tuple[str, str, int]]:
    """Return kind and onset of the conditions that began or ended after a sample."""
    every: list[Change] = [change for output in found for change in output.changes if change.at > after]
    return [(type(change).__name__, change.kind, change.onset) for change in every]


def compare(models: Models, mv: FloatArray, leads: tuple[str, ...], at: int) -> None:
    """Lose three seconds from sample ``at`` on; the results ten seconds later are those without the loss."""
    _, before = push(models, begin(models, leads, 0, 0), mv[:at])
    whole, _ = push(models, before, mv[at : at + GAP + AFTER])
    kept, _ = push(models, after_gap(models, before, at + GAP, 0), mv[at + GAP : at + GAP + AFTER])
    anew, _ = push(models, begin(models, leads, at + GAP, 0), mv[at + GAP : at + GAP + AFTER])
    settled = at + GAP + SETTLED
    expected = changes(whole, settled)
    assert len(expected) > 10
    assert changes(kept, settled) == expected
    assert changes(anew, settled) != expected, "learning anew takes longer"
    first_beats = [[b for output in found for b in output.beats if b.index > settled] for found in (whole, kept)]
    assert [(b.index, b.type) for b in first_beats[0]] == [(b.index, b.type) for b in first_beats[1]]


def test_ten_seconds_after_a_gap_the_alarms_are_those_without_it(models: Models, excerpt: Record) -> None:
    compare(models, excerpt.mv()[: 220 * FS], excerpt.leads, 150 * FS)


@pytest.mark.parametrize("second", [60, 250])
def test_the_same_for_record_208(models: Models, mitdb_dir: Path, second: int) -> None:
    record = load("mitdb/208", Catalog.from_environment(mitdb_dir))
    compare(models, record.mv()[: (second + 70) * FS], record.leads, second * FS)


def test_no_condition_begins_before_the_end_of_the_gap(models: Models, excerpt: Record) -> None:
    """An alarm under the id of one that the gap has ended would be lost."""
    _, before = push(models, begin(models, excerpt.leads, 0, 0), excerpt.mv()[: 150 * FS])
    start = 153 * FS + 20
    found, _ = push(models, after_gap(models, before, start, 0), excerpt.mv()[start : start + 10 * FS])
    onsets = [change.onset for output in found for change in output.changes if isinstance(change, Began)]
    assert onsets
    assert min(onsets) >= start


def test_the_state_after_a_gap_moves_between_processes_and_ignores_chunks(models: Models, excerpt: Record) -> None:
    _, before = push(models, begin(models, excerpt.leads, 0, 0), excerpt.mv()[: 30 * FS])
    state = after_gap(models, before, 31 * FS, 0)
    signal = excerpt.mv()[31 * FS : 36 * FS]
    whole, _ = push(models, state, signal)
    parts, _ = push(models, BedState.from_bytes(state.to_bytes()), signal, 7)
    assert [beat for output in whole for beat in output.beats] == [beat for output in parts for beat in output.beats]
    assert changes(whole, 0) == changes(parts, 0)
