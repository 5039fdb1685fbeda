"""EDF+ has all ADC values, whole data records, annotations and numerics, and replaces the WFDB record."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from edfio import read_edf

from stream.errors import RecordError
from stream.records.appended_annotations import AppendedAnnotations, Mark
from stream.records.appended_record import AppendedRecord, Column
from stream.records.edf_writer import convert

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def test_all_values_and_annotations_are_in_whole_data_records(tmp_path: Path) -> None:
    stem = tmp_path / "20260131T120000_0001"
    columns = [Column("MLII", "mV", 200.0, 1024, 72), Column("RESP", "NU", 1234.5, -5, 25)]
    frames = np.random.default_rng(1).integers(-32767, 32768, (12, 97)).astype(np.int16)  # 2.4 s
    AppendedRecord(stem, columns, Fraction(5), 1_770_000_000_000_000_000, frames=frames)
    rates = np.array([[600], [-32768]], np.int16)
    AppendedRecord(stem.with_name(stem.name + "n"), [Column("RESP", "bpm", 10, 0)], Fraction(1), 0, frames=rates)
    AppendedAnnotations(stem.with_suffix(".atr")).append([Mark(36, "N"), Mark(540, '"', "alarm raised: asystole")])
    AppendedAnnotations(stem.with_suffix(".ref")).append([Mark(18, "+", "(N")])
    convert(stem)
    assert [path.name for path in tmp_path.iterdir()] == ["20260131T120000_0001.edf"]
    edf = read_edf(tmp_path / "20260131T120000_0001.edf")
    assert (edf.num_data_records, edf.data_record_duration) == (3, 1)
    assert edf.startdatetime.isoformat() == "2026-02-02T02:40:00"
    ecg, resp, rate = edf.signals
    assert [(one.label, one.sampling_frequency) for one in edf.signals] == [
        ("MLII", 360),
        ("RESP", 125),
        ("RESP value", 1),
    ]
    np.testing.assert_array_equal(ecg.digital[: 12 * 72], frames[:, :72].reshape(-1))
    assert (ecg.digital[12 * 72 :] == -32768).all()
    np.testing.assert_array_equal(resp.digital[: 12 * 25], frames[:, 72:].reshape(-1))
    np.testing.assert_allclose(ecg.data[:9], (frames[0, :9] - 1024.0) / 200, atol=0.003)
    assert rate.data[0] == pytest.approx(60, abs=0.02)
    assert [(round(note.onset, 3), note.text) for note in edf.annotations] == [
        (0.05, "reference: + (N"),
        (0.1, "N"),
        (1.5, "alarm raised: asystole"),
        (2.4, "the recording ends"),
    ]


def test_a_clock_that_was_not_set_is_the_first_day_of_edf_and_what_does_not_fit_stays_wfdb(tmp_path: Path) -> None:
    frames = np.zeros((36, 1), np.int16)
    AppendedRecord(tmp_path / "unset", [Column("MLII", "mV", 200.0, 0)], Fraction(36), 0, frames=frames)
    convert(tmp_path / "unset")
    assert read_edf(tmp_path / "unset.edf").startdatetime.isoformat() == "1985-01-01T00:00:00"
    AppendedRecord(tmp_path / "wide", [Column("MLII", "mV", 0.001, 1024)], Fraction(36), 0, frames=frames)
    with pytest.raises(RecordError, match="record wide does not fit into EDF"):
        convert(tmp_path / "wide")
    assert sorted(path.name for path in tmp_path.glob("wide*")) == ["wide.dat", "wide.hea"]


def test_rates_of_their_own_and_hourly_rows_are_in_one_file_and_rates_without_a_data_record_stay_wfdb(
    tmp_path: Path,
) -> None:
    ecg = np.zeros((3600, 1), np.int16)
    pleth = np.arange(1250, dtype=np.int16)[:, None]
    AppendedRecord(tmp_path / "odd", [Column("MLII", "mV", 200.0, 0)], Fraction(360), 0, frames=ecg)
    AppendedRecord(tmp_path / "odd_pleth", [Column("PLETH", "NU", 1.0, 0)], Fraction(124_945, 1000), 0, frames=pleth)
    convert(tmp_path / "odd")
    edf = read_edf(tmp_path / "odd.edf")
    assert (edf.num_data_records, edf.data_record_duration) == (1, 200)
    assert [one.sampling_frequency for one in edf.signals] == [360, 124.945]
    np.testing.assert_array_equal(edf.signals[1].digital[:1250], pleth[:, 0])
    rows = np.array([[7000], [-32768], [7100]], np.int16)
    AppendedRecord(tmp_path / "chart", [Column("HR", "bpm", 100.0, 0)], Fraction(1, 3600), 0, frames=rows)
    convert(tmp_path / "chart")
    np.testing.assert_array_equal(read_edf(tmp_path / "chart.edf").signals[0].digital, rows[:, 0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chart.edf", "odd.edf"]
    AppendedRecord(tmp_path / "odd", [Column("MLII", "mV", 200.0, 0)], Fraction(360), 0, frames=ecg)
    AppendedRecord(tmp_path / "odd_abp", [Column("ABP", "mmHg", 9.0, 0)], Fraction(124_9451, 10_000), 0, frames=pleth)
    with pytest.raises(RecordError, match="its rates have no data record of at most 3600 s in common"):
        convert(tmp_path / "odd")


def test_a_wave_without_samples_is_left_out_and_a_record_without_any_stays_wfdb(tmp_path: Path) -> None:
    ecg = [Column("MLII", "mV", 200.0, 0)]
    AppendedRecord(tmp_path / "late", ecg, Fraction(360), 0, frames=np.zeros((360, 1), np.int16))
    AppendedRecord(tmp_path / "late_pleth", [Column("PLETH", "NU", 1.0, 0)], Fraction(124_945, 1000), 0)
    AppendedRecord(tmp_path / "empty", ecg, Fraction(360), 0)
    for name in ("late", "empty"):
        convert(tmp_path / name)
    assert [one.label for one in read_edf(tmp_path / "late.edf").signals] == ["MLII"]
    assert {path.name for path in tmp_path.iterdir()} == {"late.edf", "empty.hea", "empty.dat"}
