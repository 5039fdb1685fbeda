"""Fixtures for tests of the catalog: an HTTP server with the layout of PhysioNet."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from stream.records.catalog import BIDMC, BIDMC_SUFFIXES, MITDB, SUFFIXES, Catalog
from stream.records.wfdb_reader import quiet_wfdb
from tests.stream.records.http_site import Site


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
    return {**files, "SHA256SUMS.txt": checksums(files, names)}


def checksums(files: dict[str, bytes], names: list[str]) -> bytes:
    """Return a list of the checksums of the named files; of those that are not there, that of an empty one."""
    return "".join(f"{hashlib.sha256(files.get(name, b'')).hexdigest()} {name}\n" for name in names).encode()


@pytest.fixture(scope="session")
def bidmc_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of a generated record bidmc/bidmc07, by their places on the server, and the checksums.

    Layout and names are those of PhysioNet's header files, with commas at the ends of the names; the samples are not.
    """
    folder = tmp_path_factory.mktemp("bidmc")
    time = np.arange(1250) / 125
    waves = np.stack([np.sin((k + 1) * time) / 2 for k in range(6)], axis=1)
    numerics = np.tile([94.0, 93.0, 25.0, 97.0], (11, 1))
    with quiet_wfdb() as wfdb:
        for name, fs, values, names, units, gain in (
            ("bidmc07", 125, waves, "RESP, PLETH, V, AVR, II, ABP,", ["pm", "NU", "mV", "mV", "mV", "mmHg"], 8000),
            ("bidmc07n", 1, numerics, "HR, PULSE, RESP, SpO2,", ["bpm", "bpm", "pm", "%"], 10),
        ):
            wfdb.wrsamp(
                name,
                fs=fs,
                units=units,
                sig_name=names.split(),
                p_signal=values,
                fmt=["16"] * len(units),
                adc_gain=[gain] * len(units),
                baseline=[0] * len(units),
                write_dir=str(folder),
            )
        wfdb.wrann("bidmc07", "breath", np.array([100, 500]), symbol=['"'] * 2, write_dir=str(folder))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    names = [name.removeprefix("bidmc/") + suffix for name in BIDMC for suffix in BIDMC_SUFFIXES]
    sums = checksums(files, [*names, "bidmc_csv/bidmc_01_Fix.txt"])
    return {f"bidmc/1.0.0/{name}": data for name, data in {**files, "SHA256SUMS.txt": sums}.items()}


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
    """Provide a catalog with an empty cache that downloads from the HTTP server."""
    return Catalog(
        cache_dir=tmp_path / "cache",
        physionet=site.url,
        physionet_bidmc=site.url + "bidmc/1.0.0/",
        physionet_challenge2019=site.url + "challenge-2019/1.0.0/training/",
        excerpt_url=site.url + "ecg.dat",
        progress=False,
    )


@pytest.fixture
def offline(tmp_path: Path) -> Catalog:
    """Provide a catalog without files on disk, whose hosts refuse connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    return Catalog(cache_dir=tmp_path / "cache", physionet=url, excerpt_url=url + "ecg.dat", progress=False)
