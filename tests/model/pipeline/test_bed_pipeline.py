"""All that is made of a bed's signal: chunks, the future and a move to another process change nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.beats.beat_detector import Beat
from model.conditions.changes import Began, Change, Ended
from model.pipeline import bed_pipeline
from model.pipeline.arrhythmia_pipeline import Findings, VitalSigns
from model.pipeline.bed_pipeline import Models, WatchState, load_models
from model.pipeline.forecast_pipeline import BedOutput
from model.signal.arrays import FloatArray
from stream.errors import StorageError
from stream.records.record import Record
from stream.records.synthetic import synthetic_patient
from stream.timebase import FS, STRIDE

LEADS = ("MLII", "V1")


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def signal() -> FloatArray:
    """40 s of the synthetic patient; then 6 s of silence on both leads, and 4 s in which one lead is off."""
    mv = synthetic_patient().mv()[80 * FS : 130 * FS].copy()
    noise = np.random.default_rng(7).normal(0, 0.01, (6 * FS, 2))
    mv[40 * FS : 46 * FS] = noise
    mv[46 * FS :, 1] = np.nan
    return mv


class Run:
    """What came of a signal that was cut at some places."""

    def __init__(
        self, models: Models, signal: FloatArray, cuts: Sequence[int], start: int = 0, epoch_start: int = 0
    ) -> None:
        self.state = bed_pipeline.begin(models, LEADS, start, epoch_start)
        self.outputs: list[BedOutput] = []
        self.found: list[Findings] = []
        for first, last in itertools.pairwise([0, *sorted(cuts), len(signal)]):
            self.take(models, signal[first:last])

    def take(self, models: Models, chunk: FloatArray) -> None:
        [(output, found, self.state)] = bed_pipeline.step(models, [self.state], [chunk], [models.alarms.limits])
        self.outputs.append(output)
        self.found.append(found)

    @property
    def beats(self) -> list[Beat]:
        return [beat for found in self.found for beat in found.beats]

    @property
    def vitals(self) -> list[VitalSigns]:
        return [vital for found in self.found for vital in found.vitals]

    @property
    def changes(self) -> list[Change]:
        return [change for found in self.found for change in found.changes]


@pytest.fixture(scope="module")
def whole(models: Models, signal: FloatArray) -> Run:
    return Run(models, signal, range(36, len(signal), 36))


def test_the_story_is_told(whole: Run) -> None:
    kinds = [change.kind for change in whole.changes if isinstance(change, Began)]
    assert "asystole" in kinds
    assert "lead_off" in kinds
    vitals = whole.vitals
    assert [vital.index for vital in vitals] == list(range(FS - 1, 50 * FS, FS))
    assert vitals[30].heart_rate is not None
    assert vitals[45].heart_rate is None
    assert vitals[45].rhythm == "asystole"
    assert vitals[49].inops == ("lead_off",)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 50 * FS - 1), max_size=30, unique=True))
def test_any_cut_tells_the_same(models: Models, signal: FloatArray, whole: Run, cuts: list[int]) -> None:
    other = Run(models, signal, cuts)
    assert other.beats == whole.beats
    np.testing.assert_allclose(numbers(other.vitals), numbers(whole.vitals), rtol=0, atol=1e-4)
    assert [(v.rhythm, v.inops) for v in other.vitals] == [(v.rhythm, v.inops) for v in whole.vitals]
    assert places(other.changes) == places(whole.changes)


def numbers(vitals: Sequence[VitalSigns]) -> npt.NDArray[np.float64]:
    names = ("index", "heart_rate", "rr_ms", "pvc_per_min", "quality", "score", "skill")
    return np.array([[getattr(vital, name) for name in names] for vital in vitals], dtype=np.float64)


def places(changes: Sequence[Change]) -> list[tuple[object, ...]]:
    """Return what began and ended where; of what became known at the same time the order is free."""
    return sorted((change.at, change.kind, isinstance(change, Ended), change.onset) for change in changes)


def test_what_comes_later_changes_nothing(models: Models, signal: FloatArray) -> None:
    at = 30 * FS + 17
    other = signal.copy()
    other[at:] = 3.0
    one, two = Run(models, signal, [at]), Run(models, other, [at])
    assert one.found[0] == two.found[0]


def test_the_state_moves_to_another_process_in_mid_record(models: Models, signal: FloatArray) -> None:
    at = 33 * FS + 5
    one = Run(models, signal, [at])
    two = Run(models, signal[:at], [])
    two.state = WatchState.from_bytes(two.state.to_bytes())
    two.take(models, signal[at:])
    assert one.found[1].beats == two.found[1].beats
    assert one.found[1].changes == two.found[1].changes
    assert bed_pipeline.finish(one.state) == bed_pipeline.finish(two.state)


def test_a_damaged_state_is_one_line(models: Models) -> None:
    state = bed_pipeline.begin(models, LEADS, 0, 0)
    for data in (b"", b"x", state.to_bytes()[:-9]):
        with pytest.raises(StorageError):
            WatchState.from_bytes(data)


def test_a_bed_that_is_joined_late_keeps_the_grid_of_its_epoch(models: Models, signal: FloatArray) -> None:
    late = Run(models, signal[1001 : 1001 + 20 * FS], [500, 900], start=1001, epoch_start=5)
    assert late.vitals
    assert all((vital.index + 1 - 5) % STRIDE == 0 for vital in late.vitals)
    assert all(beat.index >= 1001 for beat in late.beats)


def test_what_lasts_ends_with_the_epoch(whole: Run) -> None:
    open_kinds = {c.kind for c in whole.changes if isinstance(c, Began)}
    for change in whole.changes:
        if isinstance(change, Ended):
            open_kinds.discard(change.kind)
    ended = {change.kind for change in bed_pipeline.finish(whole.state)}
    lasting = {"lead_off"}
    assert lasting <= ended
    assert {c.kind for c in whole.changes} >= ended


def test_live_and_over_a_whole_record_agree(models: Models, excerpt: Record) -> None:
    mv = excerpt.mv()[: 60 * FS]
    state = bed_pipeline.begin(models, excerpt.leads, 0, 0)
    [(_, found, _)] = bed_pipeline.step(models, [state], [mv], [models.alarms.limits])
    beats = []
    for first in range(0, len(mv), 36):
        [(_, part, state)] = bed_pipeline.step(models, [state], [mv[first : first + 36]], [models.alarms.limits])
        beats += part.beats
    assert tuple(beats) == found.beats
    assert len(beats) > 60
