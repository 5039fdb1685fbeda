"""Sounds of the monitor: each beat, and the most urgent unacknowledged alarm at regular intervals. No Qt."""

from __future__ import annotations

from collections.abc import Callable

from monitor.view.tones import Sound
from monitor.view.view_model import Frame
from stream.wire.alarm_messages import PRIORITIES

REPEAT_INTERVAL_S: dict[str, float] = {"high": 4.0, "medium": 8.0, "low": 20.0, "technical": 30.0}
"""Interval between the starts of two bursts of the same alarm, s, by priority."""

SOUND_OF: dict[str, Sound] = {"high": "high", "medium": "medium", "low": "low", "technical": "technical"}


class AlarmSounds:
    """Plays the sounds for a sequence of frames.

    Parameters
    ----------
    play : callable
        Starts a sound without waiting.

    Attributes
    ----------
    muted : bool
        Mutes this monitor; a pause of the tone applies to all monitors.
    """

    def __init__(self, play: Callable[[Sound], None]) -> None:
        self.muted = False
        self._play = play
        self._beating = False
        self._last_burst: tuple[str, int] | None = None
        self._sounding_ids: frozenset[str] = frozenset()

    def update(self, frame: Frame) -> None:
        """Start the sounds that begin with this frame."""
        beating, before = frame.patient.beating, self._beating
        self._beating = beating
        if beating and not before and not self.muted:
            self._play("beat")
        self._update_alarm(frame)

    def _update_alarm(self, frame: Frame) -> None:
        """Play the burst of the most urgent unacknowledged alarm: at once for a new one, then at its interval."""
        unacknowledged = [line.alarm for line in frame.active if line.unacknowledged]
        urgent = min((alarm.priority for alarm in unacknowledged), key=PRIORITIES.index, default=None)
        ids = frozenset(alarm.alarm_id for alarm in unacknowledged if alarm.priority == urgent)
        # Without a worker it is unknown whether they are still active.
        paused = frame.pauses.audio_s > 0 or frame.pauses.alarms_s > 0
        if urgent is None or self.muted or paused or not frame.worker:
            self._last_burst, self._sounding_ids = None, frozenset()
            return
        due = self._last_burst is None or self._last_burst[0] != urgent or bool(ids - self._sounding_ids)
        if self._last_burst is not None and not due:
            due = frame.now_ns - self._last_burst[1] >= REPEAT_INTERVAL_S[urgent] * 1e9
        self._sounding_ids = ids
        if due:
            self._last_burst = urgent, frame.now_ns
            self._play(SOUND_OF[urgent])
