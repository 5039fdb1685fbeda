"""The loudspeaker: plays the tones through Qt's multimedia, which is an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import qInstallMessageHandler

from monitor.view.tones import BURSTS, RATE, Sound, pcm
from stream.errors import UsageError

if TYPE_CHECKING:
    from PySide6.QtCore import QBuffer
    from PySide6.QtMultimedia import QAudioSink


class NoSoundError(Exception):
    """This machine cannot play tones; everything else goes on."""


class Speaker:
    """Two voices, one for beats and one for alarms; in each, the latest sound ends the one before.

    Raises
    ------
    UsageError
        The extra is not installed.
    NoSoundError
        There is no audio device, or a library of the system is missing.
    """

    def __init__(self) -> None:
        try:
            with _without_qt_s_words():
                from PySide6.QtMultimedia import QAudioFormat, QAudioSink, QMediaDevices

                device = QMediaDevices.defaultAudioOutput()
        except ModuleNotFoundError:
            raise UsageError("--sound needs QtMultimedia: run pip install 'bedside[sound]'") from None
        except ImportError as error:
            raise NoSoundError(f"no sound: QtMultimedia cannot be loaded ({error})") from None
        if device.isNull():
            raise NoSoundError("no sound: this machine has no audio device")
        wanted = QAudioFormat()
        wanted.setSampleRate(RATE)
        wanted.setChannelCount(1)
        wanted.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        self._beats, self._alarms = _Voice(QAudioSink(device, wanted)), _Voice(QAudioSink(device, wanted))
        self._pcm = {sound: pcm(burst).tobytes() for sound, burst in BURSTS.items()}

    def play(self, sound: Sound) -> None:
        """Let a sound begin, without waiting for it."""
        voice = self._beats if sound == "beat" else self._alarms
        voice.play(self._pcm[sound])

    def stop(self) -> None:
        """Be silent."""
        self._beats.stop()
        self._alarms.stop()


class _Voice:
    def __init__(self, sink: QAudioSink) -> None:
        self._sink = sink
        self._buffer: QBuffer | None = None

    def play(self, samples: bytes) -> None:
        from PySide6.QtCore import QBuffer, QIODevice

        self.stop()
        self._buffer = QBuffer()
        self._buffer.setData(samples)
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._sink.start(self._buffer)

    def stop(self) -> None:
        self._sink.stop()


@contextmanager
def _without_qt_s_words() -> Iterator[None]:
    """Keep back what Qt writes while it looks for a sound server: its absence is reported in one line of ours."""
    before = qInstallMessageHandler(lambda *_: None)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
