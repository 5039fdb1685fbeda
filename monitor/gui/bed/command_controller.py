"""Sends commands for the bed shown; their effect is shown when the worker or the publisher reports it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from monitor.gui.bed.limits_dialog import LimitsDialog
from monitor.gui.style.language import translate
from monitor.gui.style.theme import Theme
from monitor.view.commands import ALARM_PAUSE_S, AUDIO_PAUSE_S, command
from monitor.view.detail_requests import DetailRequests
from monitor.view.presenter import Presenter
from monitor.view.view_model import Frame
from stream.wire.alarm_messages import Acknowledge, Action, PauseAlarms, PauseAudio, SetLimits
from stream.wire.detail import SetDetail
from stream.wire.messages import Message
from stream.wire.replay_actions import ReplayAction


@dataclass(frozen=True)
class Sender:
    """Sending of commands.

    Attributes
    ----------
    send : callable
        Sends a message without waiting; returns False if the broker is not connected.
    who : str
        User name in each command.
    clock : callable
        Returns Unix time in ns.
    notify : callable
        Shows a message for some seconds.
    """

    send: Callable[[Message], bool]
    who: str
    clock: Callable[[], int]
    notify: Callable[[str], None]


class CommandController:
    """Commands for the bed of the last frame.

    Parameters
    ----------
    window : QWidget
        Parent of dialogs.
    presenter : Presenter
        Provides the limits, and keeps requests to a publisher until its status shows their effect.
    sender : Sender

    Attributes
    ----------
    frame : Frame or None
        The last frame shown.
    limits_dialog : LimitsDialog or None
        The open dialog.
    """

    def __init__(self, window: QWidget, presenter: Presenter, sender: Sender) -> None:
        self.frame: Frame | None = None
        self.limits_dialog: LimitsDialog | None = None
        self._window, self._presenter, self._sender = window, presenter, sender
        self._detail = DetailRequests()

    def send(self, action: Action) -> bool:
        """Send an action for the bed shown; return whether it was sent."""
        bed = None if self.frame is None else self.frame.bed
        return bed is not None and self._send(bed, action)

    def _send(self, bed: str, action: Action) -> bool:
        now_ns = self._sender.clock()
        if not self._sender.send(command(bed, self._sender.who, now_ns, action)):
            self._sender.notify(translate("Window", "not sent: the broker is not connected"))
            return False
        if isinstance(action, ReplayAction):
            self._presenter.request(bed, action, now_ns)
        return True

    def ask_for_detail(self, drawn: Iterable[str]) -> None:
        """Ask for the beds of a large ward that are drawn; to be called with each frame."""
        asked = [bed for bed in drawn if not self._presenter.in_full(bed)]
        if not asked and not self._detail.asked:
            return
        now_ns = self._sender.clock()
        for bed in self._detail.due(asked, now_ns):
            self._sender.send(command(bed, self._sender.who, now_ns, SetDetail()))

    def acknowledge(self) -> None:
        """Acknowledge all unacknowledged alarms of the bed shown, and its advisories."""
        for line in self.frame.unacknowledged if self.frame is not None else ():
            self.send(Acknowledge(alarm_id=line.alarm.alarm_id))

    def pause_audio(self) -> None:
        """Pause the tone, or end the pause."""
        paused = self.frame is not None and self.frame.pauses.audio_s > 0
        self.send(PauseAudio(seconds=0 if paused else AUDIO_PAUSE_S))

    def pause_alarms(self) -> None:
        """Pause all alarms, or end the pause."""
        paused = self.frame is not None and self.frame.pauses.alarms_s > 0
        self.send(PauseAlarms(seconds=0 if paused else ALARM_PAUSE_S))

    def open_limits(self, theme: Theme) -> None:
        """Open the dialog for the limits of the bed shown."""
        bed = None if self.frame is None else self.frame.bed
        if bed is None or self.limits_dialog is not None:
            return
        limits = self._presenter.limits(bed)
        if limits is None:
            self._sender.notify(translate("Window", "no limits known: no worker has reported them yet"))
            return
        dialog = self.limits_dialog = LimitsDialog(theme, bed, limits, self._window)
        dialog.accepted.connect(lambda: self._send(bed, SetLimits(limits=dialog.limits)))
        dialog.finished.connect(self._discard_limits_dialog)
        dialog.open()

    def _discard_limits_dialog(self) -> None:
        if self.limits_dialog is not None:
            self.limits_dialog.deleteLater()
            self.limits_dialog = None
