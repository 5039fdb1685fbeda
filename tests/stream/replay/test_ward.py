from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import RecordError, UsageError
from stream.records.catalog import Catalog
from stream.records.wfdb_writer import write
from stream.replay.playhead import ReplayConfig, begin
from stream.replay.ward import DATABASE_RECORDS, GROUPS, MAX_BEDS, WardConfig, load_records, plan
from stream.timebase import FS
from tests.stream.replay.test_playhead import BEGIN_NS, traceable


@given(st.integers(1, 300), st.integers(1, 3600), st.integers(0, 5))
def test_each_bed_has_its_own_place_and_moment_and_shares_the_samples(beds: int, chunk: int, seed: int) -> None:
    records = [traceable(36_000), traceable(7200)]
    planned = plan(records, WardConfig(beds, seed=seed), ReplayConfig(chunk=chunk, speed=2.0))
    heads = [begin(record, config, BEGIN_NS) for record, config in planned]
    assert len({head.bed for head in heads}) == beds
    assert all(head.record.adu is records[number % 2].adu for number, head in enumerate(heads))
    assert all(0 <= head.position < head.record.n and head.loop for head in heads)
    groups = Counter(head.anchor_ns - BEGIN_NS for head in heads)
    assert len(groups) == min(beds, GROUPS)
    assert max(groups.values()) - min(groups.values()) <= 1
    np.testing.assert_allclose(np.diff(sorted(groups)), chunk / (2 * FS) / len(groups) * 1e9, atol=1)
    assert planned == plan(records, WardConfig(beds, seed=seed), ReplayConfig(chunk=chunk, speed=2.0))


def test_the_places_of_a_large_ward_are_spread_over_the_record() -> None:
    record = traceable(36_000)
    planned = plan([record], WardConfig(1000), ReplayConfig())
    places = [begin(record, config, 0).position for _, config in planned]
    counts, _ = np.histogram(places, bins=10, range=(0, record.n))
    assert counts.min() > 50


def test_beds_are_numbered_with_the_same_number_of_digits() -> None:
    assert WardConfig(2).names == ("icu-001", "icu-002")
    assert WardConfig(1000, prefix="w").names[::999] == ("w0001", "w1000")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"beds": 0}, f"a ward of 0 beds: use 1 to {MAX_BEDS};"),
        ({"beds": MAX_BEDS + 1}, f"use 1 to {MAX_BEDS};"),
        ({"beds": 3, "prefix": "ICU"}, "cannot be used"),
        ({"beds": 3, "prefix": "x" * 30}, "cannot be used"),
        ({"beds": MAX_BEDS, "prefix": "x" * 20}, "too long"),
    ],
)
def test_a_ward_that_cannot_be_is_an_error_in_one_line(config: dict[str, int | str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as error:
        WardConfig(**config)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def catalog(folder: Path, records: int, database: str = "db") -> Catalog:
    (folder / database).mkdir()
    adu = np.arange(720, dtype=np.int16).reshape(-1, 2)
    for number in range(records):
        write(folder / database / f"{number:03}", adu, leads=("MLII", "V1"), gain=(200.0, 200.0), zero=(0, 0))
    return Catalog(data_dir=folder, cache_dir=folder / "none")


def test_of_a_database_some_records_are_read_chosen_by_the_seed(tmp_path: Path) -> None:
    where = catalog(tmp_path, DATABASE_RECORDS + 4)
    first, again, other = (
        [record.name for record in load_records("db", WardConfig(100, seed=seed), where)] for seed in (1, 1, 2)
    )
    assert len(set(first)) == DATABASE_RECORDS
    assert first == again != other
    assert len(load_records("db", WardConfig(3), where)) == 3
    assert len(load_records("db/000,db/001,synthetic", WardConfig(3), where)) == 3


def test_what_is_no_ecg_in_a_database_is_left_out(tmp_path: Path) -> None:
    where = catalog(tmp_path, 1)
    (tmp_path / "db" / "numerics.hea").write_text("numerics 1 1 10\nnumerics.dat 16 1/bpm 16 0 0 0 0 HR\n")
    assert [record.name for record in load_records("db", WardConfig(5), where)] == ["db/000"]
    (tmp_path / "db" / "000.hea").unlink()
    with pytest.raises(RecordError, match="database db has no record with ECG"):
        load_records("db", WardConfig(5), where)


def test_leads_are_limited(tmp_path: Path) -> None:
    [record] = load_records("db", WardConfig(5, leads=1), catalog(tmp_path, 1))
    assert record.leads == ("MLII",)
    assert record.adu.shape == (360, 1)


@pytest.mark.parametrize("names", ["", " , "])
def test_no_name_is_an_error(names: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no record"):
        load_records(names, WardConfig(1), Catalog(cache_dir=tmp_path))
