"""Numerics beside the trace: vital signs, and values for engineers on forecast and arrivals."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.display_texts import rhythm_phrase
from monitor.view.view_model import Frame, Patient

NO_VALUE = "--"
_ROW, _ROWS = 26, 4


class HeartRate(QWidget):
    """Heart rate, its limits, rhythm, PVCs and signal quality, as the worker reports them.

    Attributes
    ----------
    value, rhythm : str
        Texts as shown.
    patient : Patient
    lit : bool
        False in the dark half of the flash cycle, while a limit is violated.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.patient = Patient()
        self.lit = True
        self._compact = False
        self.apply_theme(theme)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.set_compact(self._compact)
        self.update()

    def set_compact(self, compact: bool) -> None:
        """Reduce the height for small windows."""
        self._compact = compact
        self._number_height = px(96 if compact else 138)
        self.setFixedHeight(self._number_height + px(56 if compact else 76))

    @property
    def value(self) -> str:
        """The heart rate as shown."""
        return heart_rate_text(self.patient)

    @property
    def rhythm(self) -> str:
        """The rhythm as shown."""
        vitals = self.patient.vitals
        return NO_VALUE if vitals is None or vitals.rhythm == "unknown" else text_of(rhythm_phrase(vitals.rhythm))

    def show_patient(self, patient: Patient, *, lit: bool) -> None:
        """Show the values; ``lit`` is the phase of the flash cycle, used while a limit is violated."""
        lit = lit or patient.violated_limit is None
        if (patient, lit) != (self.patient, self.lit):
            self.patient, self.lit = patient, lit
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw name, unit and value in the colour of the trace, a violated limit in the colour of its alarm."""
        patient, limits = self.patient, self.patient.limits
        alarm_ink = self.theme.priority["high"]
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.panel))
            painter.setPen(colour(self.theme.ecg))
            painter.setFont(font(20, bold=True))
            painter.drawText(_rect(14, 10, 60, 26), Qt.AlignmentFlag.AlignLeft, translate("Numbers", "HR"))
            if self.value != NO_VALUE:
                painter.setFont(font(26 if patient.beating else 18))
                painter.drawText(_rect(50, 6, 34, 34), Qt.AlignmentFlag.AlignCenter, "♥")
            painter.setFont(font(14))
            painter.drawText(_rect(14, 38, 80, 20), Qt.AlignmentFlag.AlignLeft, translate("Numbers", "1/min"))
            bottom = self._number_height
            low, high = (None, None) if limits is None else (limits.heart_rate_low, limits.heart_rate_high)
            for y, limit, side in ((bottom - px(40), high, "high"), (bottom - px(18), low, "low")):
                violated = patient.violated_limit == side
                painter.setFont(font(20 if violated else 16, bold=violated))
                painter.setPen(colour(alarm_ink if violated else self.theme.faint))
                text = NO_VALUE if limit is None else str(limit)
                painter.drawText(QRect(px(14), y, px(70), px(26)), Qt.AlignmentFlag.AlignLeft, text)
            painter.setPen(colour(self.theme.ecg if self.lit else self.theme.panel))
            painter.setFont(font(72 if self._compact else 103, bold=True))
            place = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRect(0, 0, self.width() - px(16), self._number_height), place, self.value)
            self._draw_texts(painter)

    def _draw_texts(self, painter: QPainter) -> None:
        vitals = self.patient.vitals
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(font(19, bold=True))
        painter.setPen(colour(self.theme.ecg))
        upper = QRect(px(14), self._number_height + px(8), self.width() - px(28), px(26))
        painter.drawText(upper, left, self.rhythm)
        painter.setFont(font(15))
        painter.setPen(colour(self.theme.text))
        pvc = NO_VALUE if vitals is None or vitals.pvc_per_min is None else str(vitals.pvc_per_min)
        lower = QRect(px(14), self.height() - px(28), self.width() - px(28), px(24))
        painter.drawText(lower, left, translate("Numbers", "PVC/min {count}").format(count=pvc))
        quality = NO_VALUE if vitals is None or vitals.quality is None else f"{vitals.quality:.0%}"
        painter.drawText(lower, right, translate("Numbers", "signal {percent}").format(percent=quality))


class EngineerPanel(QWidget):
    """Values for engineers, one per line.

    Attributes
    ----------
    rows : tuple of (str, str)
        Names and values as shown.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rows: tuple[tuple[str, str], ...] = ()
        self.apply_theme(theme)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setFixedHeight(px(_ROW * _ROWS + 12))
        self.update()

    def show_frame(self, frame: Frame, rejected: int) -> None:
        """Show the values of a frame and the number of rejected messages; unknown values read ``--``."""
        forecast, vitals, arrivals = frame.forecast, frame.patient.vitals, frame.arrivals
        score, threshold = (None, None) if forecast is None else (forecast.score, forecast.threshold)
        skill = None if vitals is None else vitals.skill
        rows = (
            (
                translate("Numbers", "anomaly score / unusual from"),
                f"{_number(score, '.1f')} / {_number(threshold, 'g')}",
            ),
            (translate("Numbers", "forecast skill, 100 ms ahead"), _number(skill, ".0%")),
            (translate("Numbers", "jitter of the arrivals"), f"{_number(arrivals.jitter_ms, '.0f')} ms"),
            (translate("Numbers", "gaps · repeats · rejects"), f"{arrivals.gaps} · {arrivals.duplicates} · {rejected}"),
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
                line = QRect(px(14), px(8 + _ROW * number), self.width() - px(28), px(24))
                painter.setPen(colour(self.theme.faint))
                painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
                painter.setPen(colour(self.theme.score))
                painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)


def heart_rate_text(patient: Patient) -> str:
    """Return the heart rate in 1/min, or ``--``."""
    rate = None if patient.vitals is None else patient.vitals.heart_rate
    return NO_VALUE if rate is None else str(round(rate))


def _rect(left: int, top: int, width: int, height: int) -> QRect:
    return QRect(px(left), px(top), px(width), px(height))


def _number(value: float | None, form: str) -> str:
    return NO_VALUE if value is None else format(value, f"z{form}")  # z: never "-0.0"
