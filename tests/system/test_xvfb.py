"""The window on an X server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.mqtt.address import BrokerAddress
from tests.system.commands import bedside, environment, running

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)

from PySide6.QtGui import QImage

from monitor.gui.style.theme import NIGHT, colour


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """Provide the name of a virtual display."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb: apt-get install xvfb")
    reading, writing = os.pipe()
    with (tmp_path / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stdout=log,
            stderr=log,
        )
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            number = numbers.readline().strip()
        assert number, (tmp_path / "xvfb.log").read_text()
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


def without_trace(picture: Path) -> list[tuple[int, int]]:
    """Return where the window should show a bed's trace and does not: the left ends of four sweeps."""
    image, ecg = QImage(str(picture)), colour(NIGHT.ecg)
    corners = [(left, top) for left in (60, image.width() // 2 + 60) for top in (120, image.height() // 2 + 100)]
    return [
        (left, top)
        for left, top in corners
        if not any(image.pixelColor(x, y) == ecg for x in range(left, left + 150) for y in range(top, top + 250))
    ]


def test_all_beds_are_drawn_on_an_x_server(embedded_process: BrokerAddress, display: str, tmp_path: Path) -> None:
    env = environment(embedded_process)
    picture = tmp_path / "station.png"
    beds = [f"--bed=bed-{number}=synthetic" for number in range(1, 5)]
    with running("replay", *beds, "--loop", env=env, output=tmp_path / "replay.log"):
        for seconds in (2, 10):  # on a busy machine the first samples come late
            result = bedside(
                "monitor",
                "--station",
                f"--seconds={seconds}",
                f"--screenshot={picture}",
                env={**env, "QT_QPA_PLATFORM": "xcb", "DISPLAY": display},
            )
            assert result.returncode == 0, result.stderr
            if not without_trace(picture):
                return
    raise AssertionError(f"no trace near {without_trace(picture)}")
