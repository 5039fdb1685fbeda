"""The sources of records: files on disk, and an HTTP server with the layout of PhysioNet."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from stream.errors import RecordError, SourceError, UsageError
from stream.records.catalog import EXCERPT_SHA256, MITDB, SUFFIXES, Catalog
from stream.records.synthetic.presets import LIVE, PRESETS
from stream.records.wfdb_reader import load
from tests.stream.records.http_site import Site, error_of, files_in

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # wfdb when it writes


# --- precedence of sources -------------------------------------------------------------------------------------------


def test_download_then_cache(catalog: Catalog, site: Site) -> None:
    first = load("mitdb/208", catalog)
    assert (first.name, first.source, first.leads, first.n) == ("mitdb/208", "PhysioNet", ("MLII", "V1"), 100_000)
    assert first.annotations is not None
    assert first.annotations.sample.tolist() == [10, 300]
    assert site.requested == ["SHA256SUMS.txt", "208.atr", "208.dat", "208.hea"]
    again = load("mitdb/208", catalog)
    assert again.source == "cache"
    assert np.array_equal(again.adu, first.adu)
    assert len(site.requested) == 4
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr", "208.dat", "208.hea"}


def test_local_folder_before_cache(catalog: Catalog, site: Site, tmp_path: Path) -> None:
    load("mitdb/208", catalog)
    local = tmp_path / "data"
    (local / "mitdb").mkdir(parents=True)
    for suffix in SUFFIXES:
        (local / "mitdb" / f"208{suffix}").write_bytes(site.files[f"208{suffix}"])
    both = Catalog(data_dir=local, cache_dir=catalog.cache_dir, physionet=site.url, progress=False)
    requested = len(site.requested)
    assert load("mitdb/208", both).source == "local folder"
    assert load("mitdb/208.hea", both).name == "mitdb/208"
    assert len(site.requested) == requested


def test_other_databases_in_the_local_folder(offline: Catalog, site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "vfdb" / "deeper"
    folder.mkdir(parents=True)
    for suffix in SUFFIXES:
        (folder / f"208{suffix}").write_bytes(site.files[f"208{suffix}"])
    record = load("vfdb/deeper/208", Catalog(data_dir=tmp_path / "data", cache_dir=offline.cache_dir, progress=False))
    assert (record.name, record.source) == ("vfdb/deeper/208", "local folder")


def test_a_relative_path_out_of_the_data_folder_is_a_file_path(
    offline: Catalog, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "here").mkdir()
    for suffix in SUFFIXES:
        (tmp_path / f"208{suffix}").write_bytes(site.files[f"208{suffix}"])
    monkeypatch.chdir(tmp_path / "here")
    record = load("../208", Catalog(data_dir=tmp_path / "data", cache_dir=offline.cache_dir, progress=False))
    assert (record.name, record.source) == ("208", "file")


def test_from_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    assert Catalog.from_environment().data_dir == tmp_path
    other = tmp_path / "other"
    other.mkdir()
    assert Catalog.from_environment(other).data_dir == other
    with pytest.raises(UsageError, match=r"--data-dir .*nowhere is not a folder"):
        Catalog.from_environment(tmp_path / "nowhere")
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"BEDSIDE_DATA .*nowhere is not a folder"):
        Catalog.from_environment()
    monkeypatch.delenv("BEDSIDE_DATA")
    assert Catalog.from_environment().data_dir is None


def test_excerpt_from_scipys_host(catalog: Catalog, site: Site, excerpt_bytes: bytes) -> None:
    site.files["ecg.dat"] = excerpt_bytes
    record = load("excerpt", catalog)
    assert (record.source, record.n) == ("scipy.datasets", 108_000)
    assert load("excerpt", catalog).source == "cache"
    assert site.requested == ["ecg.dat"]


@pytest.mark.timeout(300)
def test_excerpt_from_the_wheel(offline: Catalog) -> None:
    """Needs the network: pip downloads 36 MB, once per machine."""
    try:
        record = load("excerpt", offline)
    except SourceError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"needs a package index: {error}")
    assert (record.source, record.n) == ("SciPy wheel", 108_000)
    assert hashlib.sha256((offline.cache_dir / "ecg.dat").read_bytes()).hexdigest() == EXCERPT_SHA256
    assert files_in(offline.cache_dir) == {"ecg.dat"}


@pytest.fixture
def excerpt_bytes() -> bytes:
    return Catalog.from_environment().locate_excerpt()[0].read_bytes()


def test_a_local_excerpt_has_precedence_and_is_verified(offline: Catalog, tmp_path: Path, excerpt_bytes: bytes) -> None:
    (tmp_path / "ecg.dat").write_bytes(excerpt_bytes)
    local = Catalog(data_dir=tmp_path, cache_dir=offline.cache_dir, progress=False)
    assert load("excerpt", local).source == "local folder"
    (tmp_path / "ecg.dat").write_bytes(excerpt_bytes[:-1])
    assert "not SciPy's file" in error_of(local, "excerpt")


# --- errors ----------------------------------------------------------------------------------------------


def test_unknown_records(offline: Catalog) -> None:
    assert "unknown record mitdb/999: 'bedside data list'" in error_of(offline, "mitdb/999")
    assert "do you mean mitdb/208?" in error_of(offline, "208")
    for name in ["nope", "", ".", "/", "a\nb", "x" * 5000, "mitdb", "../mitdb/208", "\0", "~nobody/208"]:
        error_of(offline, name)


def test_no_network(offline: Catalog) -> None:
    text = error_of(offline, "mitdb/208", SourceError)
    assert "mitdb/208 is not complete on disk" in text
    assert "cannot be reached" in text
    assert files_in(offline.cache_dir) == set()


def test_no_source_for_the_excerpt(offline: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    text = error_of(offline, "excerpt", SourceError)
    assert "cannot be reached" in text
    assert "pip: " in text
    assert files_in(offline.cache_dir) == set()


def test_a_login_page_is_not_a_list_of_checksums(catalog: Catalog, site: Site) -> None:
    site.files["SHA256SUMS.txt"] = b"<html>Welcome to the hotel</html>\n"
    assert "not the list of checksums" in error_of(catalog, "mitdb/208", SourceError)
    assert files_in(catalog.cache_dir) == set()


def test_a_record_of_bidmc_is_downloaded_with_its_numerics(
    catalog: Catalog, site: Site, bidmc_files: dict[str, bytes]
) -> None:
    site.files |= bidmc_files
    record = load("bidmc/bidmc07", catalog)
    assert (record.source, record.leads) == ("PhysioNet", ("II", "V", "AVR"))
    assert [wave.signal for wave in record.waves] == ["pleth", "abp", "resp"]
    assert [(one.name, one.at(0)[0]) for one in record.numerics] == [
        ("heart_rate", 94.0),
        ("pulse_rate", 93.0),
        ("respiration_rate", 25.0),
        ("spo2", 97.0),
    ]
    files = ["bidmc07.breath", "bidmc07.dat", "bidmc07.hea", "bidmc07n.dat", "bidmc07n.hea"]
    assert site.requested == [f"bidmc/1.0.0/{name}" for name in ("SHA256SUMS.txt", *files)]
    assert load("bidmc/bidmc07", catalog).source == "cache"
    # A damaged file of the numerics is replaced like any other.
    (catalog.cache_dir / "bidmc" / "bidmc07n.dat").write_bytes(b"damaged")
    assert load("bidmc/bidmc07", catalog).numerics[0].at(0) == (94.0, 0.0)
    assert site.requested[6:] == ["bidmc/1.0.0/bidmc07n.dat"]
    assert catalog.database("bidmc") == ["bidmc/bidmc07"]
    assert list(catalog.fetch(["bidmc/bidmc07"])) == ["bidmc/bidmc07: cache"]


def test_all_of_bidmc_is_fetched_by_its_name(catalog: Catalog, site: Site, bidmc_files: dict[str, bytes]) -> None:
    site.files |= bidmc_files
    lines = catalog.fetch(["bidmc"])
    with pytest.raises(SourceError, match=r"bidmc01 is not complete on disk, and bidmc01\.breath could not be"):
        next(lines)
    assert "the 53 of bidmc" in error_of(catalog, "bidmc/bidmc54")


def test_a_record_with_the_numerics_of_another_one_is_not_listed(
    offline: Catalog, bidmc_files: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "bidmc"
    folder.mkdir(parents=True)
    for name, data in bidmc_files.items():
        (folder / Path(name).name).write_bytes(data)
    (folder / "alone_n.hea").write_bytes(b"")
    local = Catalog(data_dir=tmp_path / "data", cache_dir=offline.cache_dir, progress=False)
    assert local.database("bidmc") == ["bidmc/alone_n", "bidmc/bidmc07"]
    assert load("bidmc/bidmc07", local).source == "local folder"


def test_a_damaged_cache_is_repaired(catalog: Catalog, site: Site) -> None:
    whole = load("mitdb/208", catalog)
    path = catalog.cache_dir / "mitdb" / "208.dat"
    path.write_bytes(path.read_bytes()[:1000])
    again = load("mitdb/208", catalog)
    assert again.source == "PhysioNet"
    assert np.array_equal(again.adu, whole.adu)
    assert site.requested.count("208.dat") == 2
    assert site.requested.count("208.hea") == 1


# --- list and fetch -------------------------------------------------------------------------------------------------


def test_the_table_of_leads_matches_the_headers(mitdb_dir: Path) -> None:
    on_disk = {f"mitdb/{path.stem}" for path in (mitdb_dir / "mitdb").glob("*.hea")}
    assert on_disk == set(MITDB)
    catalog = Catalog(data_dir=mitdb_dir, progress=False)
    for name in ("mitdb/100", "mitdb/102", "mitdb/103", "mitdb/114", "mitdb/124", "mitdb/208"):
        assert load(name, catalog).leads == MITDB[name]
    for name, leads in MITDB.items():
        lines = (mitdb_dir / f"{name}.hea").read_text().splitlines()[1:3]
        assert {line.split()[-1] for line in lines} == set(leads)


def test_listing_and_fetch(catalog: Catalog, site: Site, excerpt_bytes: bytes) -> None:
    site.files["ecg.dat"] = excerpt_bytes
    before = {entry.name: entry.where for entry in catalog.listing()}
    assert len(before) == 49 + 53 + len(PRESETS) + 1
    assert {before[name] for name in (*PRESETS, LIVE)} == {"built in"}
    assert {before["excerpt"], before["mitdb/208"]} == {"not yet"}
    assert list(catalog.fetch(["mitdb/208", "excerpt", "mitdb/208"])) == [
        "mitdb/208: PhysioNet",
        "excerpt: scipy.datasets",
    ]
    after = {entry.name: entry.where for entry in catalog.listing()}
    assert {after["excerpt"], after["mitdb/208"]} == {"cache"}
    assert list(catalog.fetch(["mitdb/208"])) == ["mitdb/208: cache"]


def test_fetch_rejects_an_unknown_name_before_downloading(catalog: Catalog, site: Site) -> None:
    with pytest.raises(RecordError, match="nope cannot be downloaded"):
        catalog.fetch(["mitdb/208", "nope"])
    assert site.requested == []
