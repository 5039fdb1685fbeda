"""Downloads: faults of the server, interruption, concurrency, progress bar."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream.errors import SourceError, StorageError
from stream.records import download
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
from tests.stream.records.http_site import Site, error_of, files_in

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # wfdb when it writes


def test_checksum_mismatch(catalog: Catalog, site: Site) -> None:
    site.mode["208.dat"] = "other"
    assert "208.dat could not be downloaded from 127.0.0.1: checksum mismatch" in error_of(
        catalog, "mitdb/208", SourceError
    )
    assert site.requested.count("208.dat") == download.ATTEMPTS
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr"}


def test_an_incomplete_transfer_is_retried(catalog: Catalog, site: Site) -> None:
    site.mode["208.dat"] = "short once"
    assert load("mitdb/208", catalog).source == "PhysioNet"
    assert site.requested.count("208.dat") == 2


@pytest.mark.parametrize("name", ["208.dat", "208.hea", "SHA256SUMS.txt"])
def test_a_transfer_that_is_always_incomplete_fails(catalog: Catalog, site: Site, name: str) -> None:
    site.mode[name] = "short"
    assert f"{name} could not be downloaded" in error_of(catalog, "mitdb/208", SourceError)
    assert name not in files_in(catalog.cache_dir)
    assert not [part for part in files_in(catalog.cache_dir) if part.endswith(".part")]


@pytest.mark.parametrize(("status", "attempts"), [("404", 1), ("500", download.ATTEMPTS)])
def test_http_errors(catalog: Catalog, site: Site, status: str, attempts: int) -> None:
    site.mode["208.dat"] = status
    assert f"the server answered {status}" in error_of(catalog, "mitdb/208", SourceError)
    assert site.requested.count("208.dat") == attempts


def test_a_server_that_stops_sending(catalog: Catalog, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "READ_TIMEOUT_S", 0.2)
    site.mode["208.dat"] = "stall"
    error_of(catalog, "mitdb/208", SourceError)
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr"}


def test_a_cache_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    blocked = Catalog(cache_dir=tmp_path / "cache", physionet=site.url, progress=False)
    with pytest.raises(StorageError, match=r"cannot write SHA256SUMS\.txt to the cache"):
        load("mitdb/208", blocked)


# --- interruption and concurrency ----------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
record = load("mitdb/208", Catalog(cache_dir=Path(sys.argv[1]), physionet=sys.argv[2]))
print(record.n, int(record.adu.astype(int).sum()))
"""


def child(catalog: Catalog) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(catalog.cache_dir), catalog.physionet]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_partial_file(folder: Path) -> Path:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for part in folder.rglob(".208.dat.*.part"):
            if part.stat().st_size > 0:
                return part
        time.sleep(0.02)
    raise AssertionError("no download began within 30 s")


def test_a_killed_download_leaves_no_incomplete_file(catalog: Catalog, site: Site) -> None:
    site.mode["208.dat"] = "stall"
    process = child(catalog)
    part = wait_for_partial_file(catalog.cache_dir)
    process.kill()
    process.communicate()
    site.release.set()
    site.mode.clear()
    assert "208.dat" not in files_in(catalog.cache_dir)
    assert {entry.where for entry in catalog.listing() if entry.name == "mitdb/208"} == {"not yet"}
    record = load("mitdb/208", catalog)
    assert (record.source, record.n) == ("PhysioNet", 100_000)
    # The .part file of the killed process is harmless, and is removed once it is old.
    assert part.exists()
    day_ago = time.time() - 25 * 3600
    os.utime(part, (day_ago, day_ago))
    (catalog.cache_dir / "mitdb" / "208.dat").unlink()
    load("mitdb/208", catalog)
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr", "208.dat", "208.hea"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_leaves_no_file(catalog: Catalog, site: Site) -> None:
    import signal

    site.mode["208.dat"] = "stall"
    process = child(catalog)
    wait_for_partial_file(catalog.cache_dir)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr"}


def test_two_concurrent_downloads(catalog: Catalog, site: Site) -> None:
    site.mode["208.dat"] = "stall"
    processes = [child(catalog) for _ in range(2)]
    end = time.monotonic() + 30
    while site.requested.count("208.dat") < 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert site.requested.count("208.dat") == 2  # both downloads are in progress
    site.release.set()
    results = [process.communicate(timeout=30) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert results[0][0] == results[1][0] != ""
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr", "208.dat", "208.hea"}
    assert (catalog.cache_dir / "mitdb" / "208.dat").read_bytes() == site.files["208.dat"]


def test_a_progress_bar_is_drawn_on_a_terminal(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then treats stderr as a terminal
    command = [sys.executable, "-c", CHILD, str(tmp_path / "cache"), site.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "208.dat" in done.stderr
    assert "━" in done.stderr
