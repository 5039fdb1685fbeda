"""Sound in the window, and machines that have none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from monitor.gui import app
from monitor.gui.system.speaker import NoSoundError, Speaker
from monitor.gui.window import MonitorWindow
from monitor.view.tones import BURSTS, pcm
from stream.clock import rfc3339
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.embedded_broker import free_port
from stream.wire.alarm_messages import ActiveAlarms
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND, alarm

MODULE = "PySide6.QtMultimedia"


class Sink:
    """What an audio sink was asked for."""

    made: ClassVar[list[Sink]] = []

    def __init__(self, device: object, wanted: object) -> None:
        self.played: list[bytes] = []
        self.running = False
        Sink.made.append(self)

    def start(self, source: object) -> None:
        self.played.append(bytes(source.readAll().data()))  # type: ignore[attr-defined]
        self.running = True

    def stop(self) -> None:
        self.running = False


def multimedia(no_device: bool) -> ModuleType:
    """Return a QtMultimedia with one device or none."""
    made = ModuleType(MODULE)
    device = SimpleNamespace(isNull=lambda: no_device)
    wanted = SimpleNamespace(
        setSampleRate=lambda rate: None, setChannelCount=lambda count: None, setSampleFormat=lambda kind: None
    )

    class Format:
        SampleFormat = SimpleNamespace(Int16=1)

        def __new__(cls) -> object:
            return wanted

    made.QMediaDevices = SimpleNamespace(defaultAudioOutput=lambda: device)  # type: ignore[attr-defined]
    made.QAudioFormat, made.QAudioSink = Format, Sink  # type: ignore[attr-defined]
    return made


def missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == MODULE:
                raise ImportError("libpulse.so.0: cannot open shared object file")

    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])


def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, multimedia(no_device=True))


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(UsageError, match=r"bedside\[sound\]"):
        app.run(BrokerAddress("127.0.0.1", free_port()), bed=None, screenshot=None, seconds=0.1, sound=True)
    assert qtbot is not None


@pytest.mark.parametrize(("lack", "why"), [(missing_library, "libpulse"), (no_device, "no audio device")])
def test_a_machine_without_sound_says_so_in_a_line_and_goes_on(
    lack: Callable[[pytest.MonkeyPatch], None],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lack(monkeypatch)
    with pytest.raises(NoSoundError, match=why):
        Speaker()
    monkeypatch.setattr(app, "PATIENCE_S", 0.1)
    assert app.run(BrokerAddress("127.0.0.1", free_port()), bed=None, screenshot=None, seconds=0.1, sound=True) == 1
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("bedside monitor: no sound: ")
    assert why in first
    assert qtbot is not None


def test_beats_and_alarms_have_a_voice_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, multimedia(no_device=False))
    Sink.made.clear()
    speaker = Speaker()
    speaker.play("high")
    speaker.play("beat")
    speaker.play("beat")
    beats, alarms = Sink.made
    assert beats.played == [pcm(BURSTS["beat"]).tobytes()] * 2
    assert alarms.played == [pcm(BURSTS["high"]).tobytes()]
    speaker.stop()
    assert not beats.running
    assert not alarms.running


@pytest.fixture
def audible() -> list[str]:
    return []


@pytest.fixture
def loud(qtbot: QtBot, script: Script, audible: list[str]) -> MonitorWindow:
    made = MonitorWindow(script, clock=script.clock, play=audible.append)
    made._timer.stop()
    qtbot.addWidget(made)
    made.show()
    return made


def test_an_alarm_is_heard_until_the_tone_is_paused(loud: MonitorWindow, script: Script, audible: list[str]) -> None:
    script.worker()
    script.stream(loud, 20)
    assert audible == []
    raised = alarm(400, priority="high")
    script.say(raised, ActiveAlarms(bed="bed-1", alarms=(raised,)))
    loud.tick()
    assert audible == ["high"]
    until = rfc3339(script.now + 90 * SECOND)
    script.say(ActiveAlarms(bed="bed-1", alarms=(raised,), audio_paused_until=until))
    script.stream(loud, 80)
    assert audible == ["high"]


def test_a_key_mutes_this_monitor_and_says_so(
    loud: MonitorWindow, script: Script, audible: list[str], qtbot: QtBot
) -> None:
    script.worker()
    script.stream(loud, 20)
    assert loud.footer.broker.text().startswith("sound on (M)")
    qtbot.keyClick(loud, Qt.Key.Key_M)
    script.say(alarm(400, priority="high"))
    loud.tick()
    assert loud.footer.broker.text().startswith("MUTED HERE (M)")
    assert audible == []
    assert script.sent == [], "a pause of the tone for all is another key"
    qtbot.keyClick(loud, Qt.Key.Key_M)
    loud.tick()
    assert audible == ["high"]


def test_without_sound_the_key_says_how_to_have_it(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert "--sound" in window.bed_view.controls.note.text()
    assert "sound" not in window.footer.broker.text()
