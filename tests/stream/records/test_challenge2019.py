"""Hourly numerics: from a folder, an archive, the cache and the network; damaged files."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stream.errors import RecordError, SourceError
from stream.records.catalog import Catalog
from stream.records.challenge2019 import available, load_all_hourly, load_hourly, parse, read_patients
from stream.records.wfdb_reader import load
from tests.stream.records.http_site import Site

TEXT = """HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|Lactate|Age|ICULOS|SepsisLabel
NaN|NaN|NaN|NaN|NaN|NaN|NaN|NaN|NaN|61.5|4|0
88|97.5|36.9|118|81|NaN|17|NaN|2.1|61.5|5|0
91|inf|NaN|NaN|64.5|50|NaN|NaN|NaN|61.5|6|1
"""
NAME = "challenge2019/p000009"


def folder_of(path: Path, *patients: str) -> Path:
    path.mkdir(parents=True)
    for patient in patients:
        (path / f"{patient}.psv").write_text(TEXT)
    return path


def archive_of(path: Path, folder: Path) -> None:
    with tarfile.open(path, "w:xz") as tar:
        tar.add(folder, "training_setA")


def test_a_table_becomes_numerics_in_our_names_and_what_is_missing_stays_missing() -> None:
    record = parse(TEXT, NAME, "file")
    assert record.hours.tolist() == [4, 5, 6]
    assert list(record.numerics) == [
        "heart_rate", "spo2", "respiration_rate", "nibp_systolic", "nibp_diastolic", "nibp_mean", "temperature",
    ]  # fmt: skip
    assert record.at(1) == {
        "heart_rate": 88.0, "spo2": 97.5, "respiration_rate": 17.0, "nibp_systolic": 118.0, "nibp_diastolic": None,
        "nibp_mean": 81.0, "temperature": 36.9,
    }  # fmt: skip
    assert record.at(2)["spo2"] is None
    assert record.others["SepsisLabel"].tolist() == [0, 0, 1]
    np.testing.assert_equal(record.others["Lactate"], [np.nan, 2.1, np.nan])


def test_an_hour_that_is_left_out_has_no_value() -> None:
    record = parse(TEXT.replace("|6|1", "|8|1"), NAME, "file")
    assert record.hours.tolist() == [4, 5, 6, 7, 8]
    np.testing.assert_equal(record.numerics["heart_rate"], [np.nan, 88, np.nan, np.nan, 91])
    np.testing.assert_equal(record.others["SepsisLabel"], [0, 0, np.nan, np.nan, 1])


def test_a_patient_is_found_in_folder_archive_cache_and_network_in_this_order(
    catalog: Catalog, site: Site, tmp_path: Path
) -> None:
    assert available(catalog) == (0, "not yet")
    place = "challenge-2019/1.0.0/training/training_setA/p000009.psv"
    site.files[place] = TEXT.encode()
    first = load_hourly(NAME, catalog)
    assert (first.name, first.source, site.requested) == (NAME, "PhysioNet", [place])
    assert load_hourly(NAME, catalog).source == "cache"
    assert next(iter(catalog.fetch([NAME]))) == f"{NAME}: cache"
    assert available(catalog) == (1, "cache")

    local = tmp_path / "data" / "challenge2019"
    unpacked = folder_of(tmp_path / "unpacked", "p000009", "p000010")
    local.mkdir(parents=True)
    archive_of(local / "training_setA.tar.xz", unpacked)
    near = replace(catalog, data_dir=tmp_path / "data", cache_dir=tmp_path / "empty")
    both = load_all_hourly(["challenge2019/p000010", NAME], near)
    assert [(one.name, one.source) for one in both.values()] == [
        ("challenge2019/p000010", "local archive"),
        (NAME, "local archive"),
    ]
    assert available(near) == (None, "local archive training_setA.tar.xz")
    assert len(site.requested) == 1

    folder_of(local / "training_setA", "p000009")
    assert load_hourly(NAME, near).source == "local folder"
    assert load_hourly(str(local / "training_setA" / "p000009.psv"), near).name == "p000009"
    np.testing.assert_equal(dict(load_hourly(NAME, near).numerics), dict(first.numerics))


def test_all_patients_of_a_folder_or_archive_are_read_and_damaged_ones_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "sets" / "b", "p000002", "p000003", "p000001")
    (folder / "p000003.psv").write_text(TEXT.replace("88|", "88,"))
    archive_of(tmp_path / "set.tar.xz", folder)
    for path in (tmp_path / "sets", tmp_path / "set.tar.xz", tmp_path):
        skipped: list[RecordError] = []
        names = [record.name for record in read_patients(path, skipped.append)]
        assert sorted(names) == ["p000001", "p000002"]
        assert [str(error)[:8] for error in skipped] == ["p000003:"]
    (tmp_path / "none").mkdir()
    with pytest.raises(RecordError, match=r"contains no \.psv file"):
        list(read_patients(tmp_path / "none", skipped.append))
    (tmp_path / "set.tar.xz").write_bytes((tmp_path / "set.tar.xz").read_bytes()[:200])
    with pytest.raises(RecordError, match="get the archive again"):
        list(read_patients(tmp_path / "set.tar.xz", skipped.append))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "names no numeric"),
        ("<html>", "names no numeric"),
        (TEXT.split("\n")[0], "0 rows"),
        (TEXT.replace("88|", ""), "get the file again"),
        (TEXT.replace("88|", "eighty|"), "eighty"),
        (TEXT.replace("|6|1", "|5|1"), "do not increase by whole numbers"),
        (TEXT.replace("|6|1", "|NaN|1"), "do not increase by whole numbers"),
        (TEXT.replace("|6|1", "|900000|1"), "do not increase by whole numbers"),
    ],
)
def test_damaged_files_are_refused_in_one_line(text: str, expected: str) -> None:
    with pytest.raises(RecordError, match=expected) as caught:
        parse(text, NAME, "file")
    assert "\n" not in str(caught.value)


def test_what_cannot_be_had_is_said_in_one_line(catalog: Catalog, site: Site) -> None:
    with pytest.raises(SourceError, match="answered 404"):
        load_hourly("challenge2019/p100001", catalog)
    place = "challenge-2019/1.0.0/training/training_setA/p000009.psv"
    site.files[place] = b"<html>please log in</html>"
    with pytest.raises(SourceError, match="not the table of a patient"):
        load_hourly(NAME, catalog)
    with pytest.raises(RecordError, match="unknown record 'challenge2019/9'"):
        load_hourly("challenge2019/9", catalog)
    with pytest.raises(RecordError, match="without ECG"):
        load(NAME, catalog)
