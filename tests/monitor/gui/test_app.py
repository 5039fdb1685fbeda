"""The whole program with a real broker: time limit, screenshot, signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from monitor.gui import app
from monitor.gui.style.theme import NIGHT, colour
from stream.errors import StorageError, UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.embedded_broker import free_port
from stream.wire import codec
from tests.brokers import Mosquitto
from tests.monitor.message_samples import SECOND, sine


@pytest.fixture
def live(mosquitto: Mosquitto) -> Iterator[BrokerAddress]:
    """Provide a broker on which a bed streams in real time."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    over = threading.Event()

    def stream() -> None:
        start = time.time_ns()
        seq = 0
        while not over.wait(max(0.0, (start + seq * SECOND // 10 - time.time_ns()) / 1e9)):
            chunk = sine(seq, t0_ns=start + (seq - 1) * SECOND // 10)
            client.publish(str(codec.topic_of(chunk)), codec.encode(chunk), 1)
            seq += 1

    thread = threading.Thread(target=stream)
    thread.start()
    yield mosquitto.address
    over.set()
    thread.join()
    client.disconnect()
    client.loop_stop()


def has_ecg(path: Path) -> bool:
    image, ecg = QImage(str(path)), colour(NIGHT.ecg)
    on_trace = ((x, y) for x in range(70, image.width() - 320, 3) for y in range(120, image.height() - 250))
    return any(image.pixelColor(x, y) == ecg for x, y in on_trace)


def test_it_draws_for_its_time_and_saves_the_screenshot(live: BrokerAddress, qtbot: QtBot, tmp_path: Path) -> None:
    picture = tmp_path / "monitor.png"
    assert app.run(live, bed="bed-1", screenshot=picture, seconds=1.0) == 0
    assert has_ecg(picture)
    assert qtbot is not None


def test_without_samples_it_exits_with_a_message_and_a_screenshot(
    mosquitto: Mosquitto,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(app, "FIRST_SAMPLE_TIMEOUT_S", 0.3)
    picture = tmp_path / "monitor.png"
    assert app.run(mosquitto.address, bed=None, screenshot=picture, seconds=0.2) == 1
    assert not has_ecg(picture)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "connected to mqtt://127.0.0.1" in line
    assert qtbot is not None


def test_invalid_arguments_are_reported_before_it_starts(qtbot: QtBot, tmp_path: Path) -> None:
    nowhere = BrokerAddress("127.0.0.1", free_port())
    with pytest.raises(UsageError, match="Bed 1"):
        app.run(nowhere, bed="Bed 1", screenshot=None, seconds=None)
    with pytest.raises(StorageError, match="missing"):
        app.run(nowhere, bed=None, screenshot=tmp_path / "missing" / "a.png", seconds=None)
    assert qtbot is not None


PROGRAM = """
import sys
from pathlib import Path
from monitor.gui import app
from monitor.gui.window import MonitorWindow
from stream.mqtt.address import BrokerAddress

original_tick = MonitorWindow.tick
def tick(self):
    original_tick(self)
    if self.first_drawn_ns is not None and not tick.reported:
        tick.reported = True
        print("drawn", flush=True)
tick.reported = False
MonitorWindow.tick = tick
status = app.run(BrokerAddress.parse(sys.argv[1]), bed=None, screenshot=Path(sys.argv[2]), seconds=None)
print(sorted({"torch", "pandas", "wfdb", "scipy.signal", "model"} & set(sys.modules)))
sys.exit(status)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_screenshot_and_ends_it(live: BrokerAddress, tmp_path: Path, number: int) -> None:
    picture = tmp_path / "monitor.png"
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(live), str(picture)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "drawn\n"
            child.send_signal(number)
            out, err = child.communicate(timeout=20)
        finally:
            child.kill()
    assert (child.returncode, out, err) == (0, "[]\n", "")
    assert QImage(str(picture)).width() > 0
