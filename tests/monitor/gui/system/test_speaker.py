"""Sound in the window, and machines without sound."""

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
    """Replacement of QAudioSink that records what it plays."""

    created: ClassVar[list[Sink]] = []

    def __init__(self, device: object, wanted: object) -> None:
        self.played: list[bytes] = []
        self.running = False
        Sink.created.append(self)

    def start(self, source: object) -> None:
        self.played.append(bytes(source.readAll().data()))  # type: ignore[attr-defined]
        self.running = True

    def stop(self) -> None:
        self.running = False


def multimedia(no_device: bool) -> ModuleType:
    """Return a replacement of QtMultimedia with one audio device or none."""
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


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(UsageError, match=r"bedside\[sound\]"):
        app.run(BrokerAddress("127.0.0.1", free_port()), bed=None, screenshot=None, seconds=0.1, sound=True)
    assert qtbot is not None


@pytest.mark.parametrize(("lack", "why"), [(missing_library, "libpulse"), (no_device, "no audio device")])
def test_a_machine_without_sound_continues_with_a_message(
    lack: Callable[[pytest.MonkeyPatch], None],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lack(monkeypatch)
    with pytest.raises(NoSoundError, match=why):
        Speaker()
    monkeypatch.setattr(app, "FIRST_SAMPLE_TIMEOUT_S", 0.1)
    assert app.run(BrokerAddress("127.0.0.1", free_port()), bed=None, screenshot=None, seconds=0.1, sound=True) == 1
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("bedside monitor: no sound: ")
    assert why in first
    assert qtbot is not None


def test_beats_and_alarms_have_separate_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, multimedia(no_device=False))
    Sink.created.clear()
    speaker = Speaker()
    speaker.play("high")
    speaker.play("beat")
    speaker.play("beat")
    beats, alarms = Sink.created
    assert beats.played == [pcm(BURSTS["beat"]).tobytes()] * 2
    assert alarms.played == [pcm(BURSTS["high"]).tobytes()]
    speaker.stop()
    assert not beats.running
    assert not alarms.running


@pytest.fixture
def played() -> list[str]:
    return []


@pytest.fixture
def window_with_sound(qtbot: QtBot, script: Script, played: list[str]) -> MonitorWindow:
    made = MonitorWindow(script, clock=script.clock, play=played.append)
    made._timer.stop()
    qtbot.addWidget(made)
    made.show()
    return made


def test_an_alarm_sounds_until_the_tone_is_paused(
    window_with_sound: MonitorWindow, script: Script, played: list[str]
) -> None:
    script.worker()
    script.stream(window_with_sound, 20)
    assert played == []
    raised = alarm(400, priority="high")
    script.receive(raised, ActiveAlarms(bed="bed-1", alarms=(raised,)))
    window_with_sound.tick()
    assert played == ["high"]
    until = rfc3339(script.now + 90 * SECOND)
    script.receive(ActiveAlarms(bed="bed-1", alarms=(raised,), audio_paused_until=until))
    script.stream(window_with_sound, 80)
    assert played == ["high"]


def test_a_key_mutes_this_monitor(
    window_with_sound: MonitorWindow, script: Script, played: list[str], qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window_with_sound, 20)
    assert window_with_sound.footer.broker.text().startswith("sound on (M)")
    qtbot.keyClick(window_with_sound, Qt.Key.Key_M)
    script.receive(alarm(400, priority="high"))
    window_with_sound.tick()
    assert window_with_sound.footer.broker.text().startswith("MUTED HERE (M)")
    assert played == []
    assert script.sent == [], "muting does not pause the tone of other monitors"
    qtbot.keyClick(window_with_sound, Qt.Key.Key_M)
    window_with_sound.tick()
    assert played == ["high"]


def test_without_sound_the_key_names_the_option(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert "--sound" in window.bed_view.controls.note.text()
    assert "sound" not in window.footer.broker.text()
