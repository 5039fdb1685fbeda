"""Numbers beside the trace: heart rate for the nurse, score and forecast error for the engineer."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.frame import Numbers
from monitor.gui.theme import Theme, colour, font

NO_VALUE = "--"


class HeartRate(QWidget):
    """The heart rate. Nobody publishes one yet, so it says so: a number is never invented."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.value = NO_VALUE
        self.setFixedHeight(170)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw name, unit and value in the colour of the trace."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.panel))
            painter.setPen(colour(self.theme.ecg))
            painter.setFont(font(20, bold=True))
            painter.drawText(QRect(14, 10, 100, 26), Qt.AlignmentFlag.AlignLeft, "HR")
            painter.setFont(font(14))
            painter.drawText(QRect(14, 36, 100, 20), Qt.AlignmentFlag.AlignLeft, "1/min")
            painter.setFont(font(104, bold=True))
            place = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(self.rect().adjusted(0, 0, -20, 0), place, self.value)


class EngineerPanel(QWidget):
    """Small numbers, one a line.

    Attributes
    ----------
    rows : tuple of (str, str)
        Name and value as shown.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rows: tuple[tuple[str, str], ...] = ()
        self.setFixedHeight(168)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_numbers(self, numbers: Numbers, rejected: int) -> None:
        """Take the numbers; those without an honest value read ``--``."""
        rows = (
            ("surprise / alarm from", f"{_number(numbers.score, '.1f')} / {_number(numbers.threshold, 'g')}"),
            ("forecast error, 50 ms ahead", f"{_number(numbers.forecast_mv, '.3f')} mV"),
            ("error if nothing changed", f"{_number(numbers.persistence_mv, '.3f')} mV"),
            ("forecast better by", _number(numbers.skill, ".0%")),
            ("gaps · repeats · rejects", f"{numbers.gaps} · {numbers.duplicates} · {rejected}"),
        )
        if rows != self.rows:
            self.rows = rows
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the rows."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.panel))
            painter.setFont(font(13))
            for number, (name, value) in enumerate(self.rows):
                line = QRect(14, 12 + 30 * number, self.width() - 28, 24)
                painter.setPen(colour(self.theme.faint))
                painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
                painter.setPen(colour(self.theme.score))
                painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)


def _number(value: float | None, form: str) -> str:
    return NO_VALUE if value is None else format(value, f"z{form}")  # z: never "-0.0"
