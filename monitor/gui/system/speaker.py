"""Speaker: plays the tones through QtMultimedia, an optional dependency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import qInstallMessageHandler

from monitor.view.tones import BURSTS, SAMPLE_RATE_HZ, Sound, pcm
from stream.errors import UsageError

if TYPE_CHECKING:
    from PySide6.QtCore import QBuffer
    from PySide6.QtMultimedia import QAudioSink


class NoSoundError(Exception):
    """This machine cannot play tones; the monitor continues without sound."""


class Speaker:
    """Two channels, one for beats and one for alarms; in each, a new sound stops the previous one.

    Raises
    ------
    UsageError
        The optional dependency is not installed.
    NoSoundError
        There is no audio device, or a system library is missing.
    """

    def __init__(self) -> None:
        try:
            with _suppressed_qt_messages():
                from PySide6.QtMultimedia import QAudioFormat, QAudioSink, QMediaDevices

                device = QMediaDevices.defaultAudioOutput()
        except ModuleNotFoundError:
            raise UsageError("--sound needs QtMultimedia: run pip install 'bedside[sound]'") from None
        except ImportError as error:
            raise NoSoundError(f"no sound: QtMultimedia cannot be loaded ({error})") from None
        if device.isNull():
            raise NoSoundError("no sound: this machine has no audio device")
        wanted = QAudioFormat()
        wanted.setSampleRate(SAMPLE_RATE_HZ)
        wanted.setChannelCount(1)
        wanted.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        self._beats, self._alarms = _Channel(QAudioSink(device, wanted)), _Channel(QAudioSink(device, wanted))
        self._pcm = {sound: pcm(burst).tobytes() for sound, burst in BURSTS.items()}

    def play(self, sound: Sound) -> None:
        """Start a sound without waiting for its end."""
        channel = self._beats if sound == "beat" else self._alarms
        channel.play(self._pcm[sound])

    def stop(self) -> None:
        """Stop all sounds."""
        self._beats.stop()
        self._alarms.stop()


class _Channel:
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
def _suppressed_qt_messages() -> Iterator[None]:
    """Suppress Qt's messages while it searches for a sound server; its absence is reported as one line."""
    before = qInstallMessageHandler(lambda *_: None)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
