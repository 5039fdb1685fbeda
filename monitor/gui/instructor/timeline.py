"""Timeline of a scenario: its steps, what has happened, and now. A click jumps to a time."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.replay_status import clock
from stream.wire.messages import ScenarioStatus

_HEIGHT, _MARGIN, _ROWS = 128, 12, 4


class Timeline(QWidget):
    """Bar with a mark for each step that has a time.

    Attributes
    ----------
    chosen : Signal(float)
        A clicked time, s of the scenario.
    """

    chosen = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._scenario: ScenarioStatus | None = None
        self._now_s = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.apply_theme(theme)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(400, px(_HEIGHT))

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_HEIGHT))
        self.update()

    def show_scenario(self, scenario: ScenarioStatus | None, now_s: float) -> None:
        """Show a scenario, and where it is."""
        if (scenario, now_s) != (self._scenario, self._now_s):
            self._scenario, self._now_s = scenario, now_s
            self.update()

    def x_of(self, second: float) -> float:
        """Return the pixel of a time."""
        seconds = 1.0 if self._scenario is None else max(self._scenario.seconds, 1.0)
        return _MARGIN + min(max(second / seconds, 0.0), 1.0) * (self.width() - 2 * _MARGIN)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Emit the time under the mouse."""
        if self._scenario is not None and event.button() is Qt.MouseButton.LeftButton:
            share = (event.position().x() - _MARGIN) / max(self.width() - 2 * _MARGIN, 1)
            self.chosen.emit(round(min(max(share, 0.0), 1.0) * self._scenario.seconds, 1))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw bar, steps and now."""
        theme, scenario = self.theme, self._scenario
        if scenario is None:
            return
        row_height = (self.height() - px(34)) / _ROWS
        y = self.height() - px(24)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            now_x = self.x_of(self._now_s)
            painter.setPen(QPen(colour(theme.edge), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_MARGIN, y), QPointF(self.width() - _MARGIN, y))
            painter.setPen(QPen(colour(theme.ecg), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_MARGIN, y), QPointF(now_x, y))
            painter.setFont(font(12))
            timed = [(step.at_s, step) for step in scenario.steps if step.at_s is not None]
            for number, (at_s, step) in enumerate(timed):
                x, top = self.x_of(at_s), row_height * (number % _ROWS)
                painter.setPen(QPen(colour(theme.faint), 1))
                painter.drawLine(QPointF(x, top + row_height), QPointF(x, y))
                painter.setPen(colour(theme.faint if step.happened else theme.text))
                room = max(self.width() - x - 4, 0.0)
                left = x + px(4) if room > px(110) else self.width() - px(110)
                short = painter.fontMetrics().elidedText(step.text, Qt.TextElideMode.ElideRight, px(150))
                painter.drawText(QRectF(left, top, px(150), row_height), Qt.AlignmentFlag.AlignVCenter, short)
            painter.setPen(QPen(colour(theme.simulation), 2))
            painter.drawLine(QPointF(now_x, 0), QPointF(now_x, y + px(6)))
            painter.setFont(font(13, bold=True))
            text = f"{clock(int(self._now_s))} / {clock(int(scenario.seconds))}"
            painter.drawText(QRectF(_MARGIN, y + px(6), px(160), px(18)), Qt.AlignmentFlag.AlignVCenter, text)
