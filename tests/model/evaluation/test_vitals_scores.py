"""Rates measured from waves against stored rates and marked breaths."""

from pathlib import Path

import numpy as np
import pytest

from model.evaluation.vitals_scores import Agreement, VitalsReport, agreement, breath_rates, score_record
from model.physiology.derived_values import DerivedValues
from stream.records.record import Record, RecordedNumeric, RecordedWave
from stream.records.wfdb_reader import quiet_wfdb, read_breaths
from stream.timebase import FS
from stream.wire.numerics_message import Numeric, NumericName
from tests.model.evaluation.wfdb_files import write


def test_what_is_not_measured_counts_in_the_coverage_not_in_the_error() -> None:
    found = agreement(np.array([80.0, np.nan, 90.0, 70.0]), np.array([82.0, 80.0, 80.0, np.nan]))
    assert found == Agreement(3, 2, 12.0, 1)
    assert found.to_dict() == {"mae": 6.0, "within_5": 0.5, "coverage": pytest.approx(2 / 3), "seconds": 3}


def test_without_a_reference_nothing_is_claimed() -> None:
    assert agreement(np.array([80.0]), np.array([np.nan])).to_dict() == {
        "mae": None, "within_5": None, "coverage": None, "seconds": 0,
    }  # fmt: skip


def test_the_rate_of_marked_breaths_is_that_of_the_last_half_minute() -> None:
    breaths = np.concatenate([np.arange(0, 60, 4.0), np.arange(60, 120, 3.0)])
    np.testing.assert_allclose(breath_rates(breaths, np.array([30.0, 110.0])), [15, 20])
    assert np.isnan(breath_rates(breaths, np.array([5.0, 200.0]))).all()


def second(index: int, **values: float) -> DerivedValues:
    names: dict[str, NumericName] = {"pulse": "pulse_rate", "resp": "respiration_rate"}
    numerics = (
        Numeric(name=names[name], value=value, unit="1/min", source="measured", age_s=0.0)
        for name, value in values.items()
    )
    return DerivedValues(index, tuple(numerics))


def record_of(numerics: tuple[RecordedNumeric, ...]) -> Record:
    waves = tuple(RecordedWave(signal, "NU", 125.0, 1000.0, 0, np.ones(125, np.int16)) for signal in ("pleth", "resp"))
    adu = np.zeros((20 * FS, 1), np.int16)
    return Record("one", ("II",), (200.0,), (0,), adu, False, "test", waves=waves, numerics=numerics)


def test_each_second_is_compared_with_the_value_stored_for_it() -> None:
    stored = RecordedNumeric("pulse_rate", "1/min", 1.0, np.arange(60.0, 81.0))
    derived = [second((end * FS) - 1, pulse=60.0 + end + 1, resp=15.0) for end in range(1, 21)]
    found = score_record(record_of((stored,)), derived, np.arange(0, 20, 4.0))
    assert found["pulse_pleth"] == Agreement(11, 11, 11.0, 11)
    assert found["respiration"].error == pytest.approx(0)
    assert set(found) == {"pulse_pleth", "respiration"}


def test_records_add_up() -> None:
    report = VitalsReport(
        "db", {"a": {"pulse_pleth": Agreement(4, 2, 2.0, 2)}, "b": {"pulse_pleth": Agreement(4, 2, 6, 1)}}, {}
    )
    assert report.to_dict()["pulse_pleth"] == {"mae": 2.0, "within_5": 0.75, "coverage": 0.5, "seconds": 8}
    assert report.to_dict()["respiration"]["mae"] is None


def test_marked_breaths_are_read_once_each_in_seconds(tmp_path: Path) -> None:
    write(tmp_path, "one", 20, [], fs=125)
    with quiet_wfdb() as wfdb:
        wfdb.wrann("one", "breath", np.array([250, 500, 500, 875]), symbol=['"'] * 4, fs=125, write_dir=str(tmp_path))
    np.testing.assert_array_equal(read_breaths(tmp_path / "one"), [2, 4, 7])
    assert len(read_breaths(tmp_path / "two")) == 0
