"""Timeline of a scenario: the numbers of its steps, as far as their times are known, and now. A click jumps."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.replay_status import clock
from stream.wire.scenario_status import ScenarioStatus

_HEIGHT, _MARGIN = 52, 12


class Timeline(QWidget):
    """Bar with the number of each step whose time is known.

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
        y, top = self.height() - px(24), px(16)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            now_x = self.x_of(self._now_s)
            painter.setPen(QPen(colour(theme.edge), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_MARGIN, y), QPointF(self.width() - _MARGIN, y))
            painter.setPen(QPen(colour(theme.ecg), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_MARGIN, y), QPointF(now_x, y))
            painter.setFont(font(12))
            for number, step in enumerate(scenario.steps, 1):
                if step.at_s is None:
                    continue
                x = self.x_of(step.at_s)
                painter.setPen(QPen(colour(theme.faint if step.happened else theme.text), 1))
                painter.drawLine(QPointF(x, top), QPointF(x, y))
                place = QRectF(x - px(14), 0, px(28), top)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(number))
            painter.setPen(QPen(colour(theme.simulation), 2))
            painter.drawLine(QPointF(now_x, top), QPointF(now_x, y + px(6)))
            painter.setFont(font(13, bold=True))
            text = f"{clock(int(self._now_s))} / {clock(int(scenario.seconds))}"
            painter.drawText(QRectF(_MARGIN, y + px(6), px(160), px(18)), Qt.AlignmentFlag.AlignVCenter, text)
