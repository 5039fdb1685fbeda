"""Windows drawn offscreen, with messages and times set by the test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LC_ALL"] = "C.UTF-8"  # otherwise the window has the language of the user who runs the tests
os.environ.pop("LANGUAGE", None)

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)

from pytestqt.qtbot import QtBot

from monitor.gui.style.language import current_language, set_language
from monitor.gui.style.theme import set_font_scale
from monitor.gui.window import MonitorWindow
from stream.mqtt.client import Received
from stream.wire.messages import Message
from tests.monitor.message_samples import CONNECTED, T0, forecast, process, received, received_chunk, sine, status


class Script:
    """Source of messages and clock for a window without a network."""

    def __init__(self) -> None:
        self.connected = True
        self.phrase = CONNECTED
        self.counters = {"rejected": 0}
        self.now = T0
        self.next_seq = 0
        self.sent: list[Message] = []
        self._waiting: list[Received] = []

    def send(self, message: Message) -> bool:
        if self.connected:
            self.sent.append(message)
        return self.connected

    def clock(self) -> int:
        return self.now

    def drain(self) -> list[Received]:
        messages, self._waiting = self._waiting, []
        return messages

    def receive(self, *messages: Message) -> None:
        self._waiting += [received(message, self.now) for message in messages]

    def worker(self) -> None:
        self.receive(process("worker"), process("publisher"), status("worker", "forecasting"))

    def stream(self, window: MonitorWindow, count: int, bed: str = "bed-1", **changes: object) -> None:
        """Deliver chunks when they are due, and draw six frames for each."""
        for seq in range(self.next_seq, self.next_seq + count):
            made = sine(seq, bed=bed, **changes)
            for frame in range(6):
                self.now = max(self.now, made.due_ns - (5 - frame) * 16_666_667)
                if frame == 5:
                    self._waiting.append(received(made, made.due_ns))
                    self.receive(forecast(made.end - 1, leads=made.leads, bed=bed, score=0.2))
                window.tick()
        self.next_seq += count


@pytest.fixture(autouse=True)
def english_at_normal_size() -> Iterator[None]:
    """Restore language and font size after each test; they are global to the process."""
    yield
    set_font_scale(1.0)
    if current_language() != "en":
        set_language("en")


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def window(qtbot: QtBot, script: Script) -> Iterator[MonitorWindow]:
    made = MonitorWindow(script, clock=script.clock)
    made._timer.stop()  # the test calls tick()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


__all__ = ["Script", "received_chunk"]
