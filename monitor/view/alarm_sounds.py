"""When something sounds: each beat, and the most urgent alarm that calls, again and again. No Qt."""

from __future__ import annotations

from collections.abc import Callable

from monitor.view.tones import Sound
from monitor.view.view_model import Frame
from stream.wire.alarm_messages import PRIORITIES

REPEAT_S: dict[str, float] = {"high": 4.0, "medium": 8.0, "low": 20.0, "technical": 30.0}
"""From the begin of one burst to the next of the same alarm."""

SOUND_OF: dict[str, Sound] = {"high": "high", "medium": "medium", "low": "low", "technical": "technical"}


class Sounding:
    """Hears one frame after the other, of the bed shown.

    Parameters
    ----------
    play : callable
        Lets a sound begin, and never waits.

    Attributes
    ----------
    muted : bool
        At this monitor alone; a pause of the tone is for all.
    """

    def __init__(self, play: Callable[[Sound], None]) -> None:
        self.muted = False
        self._play = play
        self._beating = False
        self._sounded: tuple[str, int] | None = None
        self._calling: frozenset[str] = frozenset()

    def hear(self, frame: Frame) -> None:
        """Let sound what begins with this frame."""
        beating, before = frame.patient.beating, self._beating
        self._beating = beating
        if beating and not before and not self.muted:
            self._play("beat")
        self._call(frame)

    def _call(self, frame: Frame) -> None:
        """Sound the most urgent alarm that calls: when a new one has come, and then in its rhythm."""
        calling = [line for line in frame.active if line.calls]
        urgent = min((line.priority for line in calling), key=PRIORITIES.index, default=None)
        ids = frozenset(line.alarm_id for line in calling if line.priority == urgent)
        # Without a worker nobody knows whether they last.
        paused = frame.pauses.audio_s > 0 or frame.pauses.alarms_s > 0
        if urgent is None or self.muted or paused or not frame.worker:
            self._sounded, self._calling = None, frozenset()
            return
        again = self._sounded is None or self._sounded[0] != urgent or bool(ids - self._calling)
        if self._sounded is not None and not again:
            again = frame.now_ns - self._sounded[1] >= REPEAT_S[urgent] * 1e9
        self._calling = ids
        if again:
            self._sounded = urgent, frame.now_ns
            self._play(SOUND_OF[urgent])
