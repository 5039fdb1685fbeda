"""The sources of records: files on disk, and an HTTP server with the layout of PhysioNet."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from stream.errors import RecordError, SourceError, StorageError, UsageError
from stream.records import download
from stream.records.catalog import EXCERPT_SHA256, MITDB, SUFFIXES, Catalog
from stream.records.wfdb_reader import load, quiet_wfdb

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # wfdb when it writes


@dataclass
class Site:
    """An HTTP server: its files, simulated faults, and the requests it received."""

    files: dict[str, bytes]
    mode: dict[str, str] = field(default_factory=dict)
    """File name → fault: ``404``, ``500``, ``short`` (half the file), ``short once``, ``other`` bytes, ``stall``."""
    requested: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.lstrip("/")
        self.requested.append(name)
        mode = self.mode.get(name, "")
        if mode == "short once":
            del self.mode[name]
        body = self.files.get(name)
        if body is None or mode in {"404", "500"}:
            request.send_error(int(mode or 404))
            return
        if mode == "other":
            body = bytes(len(body))
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        half = len(body) // 2
        request.wfile.write(body[:half])
        request.wfile.flush()
        if mode.startswith("short"):
            request.close_connection = True
            return
        if mode == "stall":
            self.release.wait(30)
        try:
            request.wfile.write(body[half:])
        except ConnectionError:
            return  # the client was killed


@pytest.fixture(scope="session")
def record_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of a generated record 208, and a complete list of checksums."""
    folder = tmp_path_factory.mktemp("site")
    with quiet_wfdb() as wfdb:
        signal = np.random.default_rng(0).integers(0, 2048, (100_000, 2))
        wfdb.wrsamp(
            "208",
            fs=360,
            units=["mV"] * 2,
            sig_name=["MLII", "V1"],
            d_signal=signal,
            fmt=["212"] * 2,
            adc_gain=[200] * 2,
            baseline=[1024] * 2,
            write_dir=str(folder),
        )
        wfdb.wrann("208", "atr", np.array([10, 300]), symbol=["N", "V"], write_dir=str(folder))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    names = [name.removeprefix("mitdb/") + suffix for name in MITDB for suffix in SUFFIXES]
    sums = [f"{hashlib.sha256(files.get(name, b'')).hexdigest()} {name}\n" for name in names]
    return {**files, "SHA256SUMS.txt": "".join(sums).encode()}


@pytest.fixture
def site(record_files: dict[str, bytes]) -> Iterator[Site]:
    """Provide the HTTP server, on loopback."""
    site = Site(dict(record_files))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.respond(self)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    site.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        site.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def catalog(site: Site, tmp_path: Path) -> Catalog:
    return Catalog(cache_dir=tmp_path / "cache", physionet=site.url, excerpt_url=site.url + "ecg.dat", progress=False)


@pytest.fixture
def offline(tmp_path: Path) -> Catalog:
    """Provide a catalog without files on disk, whose hosts refuse connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    return Catalog(cache_dir=tmp_path / "cache", physionet=url, excerpt_url=url + "ecg.dat", progress=False)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def error_of(catalog: Catalog, name: str, kind: type[RecordError] = RecordError) -> str:
    with pytest.raises(kind) as caught:
        load(name, catalog)
    assert type(caught.value) is kind
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


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


def test_a_login_page_is_not_a_list_of_checksums(catalog: Catalog, site: Site) -> None:
    site.files["SHA256SUMS.txt"] = b"<html>Welcome to the hotel</html>\n"
    assert "not the list of checksums" in error_of(catalog, "mitdb/208", SourceError)
    assert files_in(catalog.cache_dir) == set()


def test_a_server_that_stops_sending(catalog: Catalog, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "READ_TIMEOUT_S", 0.2)
    site.mode["208.dat"] = "stall"
    error_of(catalog, "mitdb/208", SourceError)
    assert files_in(catalog.cache_dir) == {"SHA256SUMS.txt", "208.atr"}


def test_a_damaged_cache_is_repaired(catalog: Catalog, site: Site) -> None:
    whole = load("mitdb/208", catalog)
    path = catalog.cache_dir / "mitdb" / "208.dat"
    path.write_bytes(path.read_bytes()[:1000])
    again = load("mitdb/208", catalog)
    assert again.source == "PhysioNet"
    assert np.array_equal(again.adu, whole.adu)
    assert site.requested.count("208.dat") == 2
    assert site.requested.count("208.hea") == 1


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
    assert len(before) == 50
    assert before["synthetic"] == "built in"
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


def test_a_progress_bar_is_drawn_on_a_terminal(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then treats stderr as a terminal
    command = [sys.executable, "-c", CHILD, str(tmp_path / "cache"), site.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "208.dat" in done.stderr
    assert "━" in done.stderr
