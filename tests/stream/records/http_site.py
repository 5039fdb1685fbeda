"""A fake of PhysioNet's server with simulated faults, and helpers for tests of downloads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load


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


def files_in(folder: Path) -> set[str]:
    """Return the names of all files in a folder and its subfolders."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


def error_of(catalog: Catalog, name: str, kind: type[RecordError] = RecordError) -> str:
    """Return the message of the error that loading a record raises; it must be one line."""
    with pytest.raises(kind) as caught:
        load(name, catalog)
    assert type(caught.value) is kind
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text
