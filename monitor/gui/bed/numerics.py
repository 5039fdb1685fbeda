"""Numerics beside the trace: vital signs, and values for engineers on forecast and arrivals."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.gui.bed.value_rows import ValueRows
from monitor.gui.style.language import translate
from monitor.gui.style.number_colours import NumberColours, is_bright, number_colours
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.display_texts import rhythm_phrase
from monitor.view.missing_values import heart_rate_reason
from monitor.view.number_alarms import NumberAlarm, number_alarms, rhythm_priority
from monitor.view.number_groups import NO_VALUE
from monitor.view.st_levels import StLevel, st_text
from monitor.view.view_model import Frame, Patient
from stream.wire.alarm_messages import Priority

_LARGEST_PX, _COMPACT_PX = 103, 72
"""Height of the heart rate."""

_HEART_PX = 84
"""Right edge of name and heart."""

_NUMBER_PX, _LOW_NUMBER_PX, _LOWEST_NUMBER_PX = 138, 96, 80
"""Height of the part with the number: usual, in a low window, and where a low window has many lanes."""

_RHYTHM_PX, _TEXTS_PX = 36, 64
"""Height of the rhythm below the number; with the line of premature beats and signal quality."""

_WITHOUT_BEATS = ("ventricular fibrillation", "asystole")


class HeartRate(QWidget):
    """Heart rate, its limits, rhythm, PVCs and signal quality, as the worker reports them.

    Attributes
    ----------
    value, rhythm, reason : str
        Texts as shown; the reason why the heart rate is missing.
    patient : Patient
    st_levels : tuple of StLevel
    alarm : NumberAlarm or None
        The alarm of the heart rate.
    colours : NumberColours
        Of the heart rate; they alternate while its alarm flashes.
    rhythm_ink : str
        The colour of the rhythm: that of its alarm, or of the trace.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.patient = Patient()
        self.alarm: NumberAlarm | None = None
        self.reason = ""
        self.st_levels: tuple[StLevel, ...] = ()
        self._bright = False
        self._rhythm_priority: Priority | None = None
        self._compact = self._crowded = False
        self.apply_theme(theme)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.set_compact(self._compact, crowded=self._crowded)
        self.update()

    def set_compact(self, compact: bool, *, crowded: bool = False) -> None:
        """Reduce the height for small windows, and further where other widgets need the room."""
        self._compact, self._crowded = compact, crowded
        if crowded:
            height = _LOWEST_NUMBER_PX + _RHYTHM_PX if compact else _NUMBER_PX + _TEXTS_PX
        else:
            height = _LOW_NUMBER_PX + _TEXTS_PX - 8 if compact else _NUMBER_PX + _TEXTS_PX + 32
        self.setMinimumHeight(px(height))

    @property
    def _number_height(self) -> int:
        """Height of the part with the number: the rhythm below it is never cut."""
        usual = px(_LOW_NUMBER_PX if self._compact else _NUMBER_PX)
        return max(min(usual, self.height() - px(_RHYTHM_PX)), px(_LOWEST_NUMBER_PX))

    @property
    def value(self) -> str:
        """The heart rate as shown."""
        return heart_rate_text(self.patient)

    @property
    def rhythm(self) -> str:
        """The rhythm as shown."""
        vitals = self.patient.vitals
        return NO_VALUE if vitals is None or vitals.rhythm == "unknown" else text_of(rhythm_phrase(vitals.rhythm))

    @property
    def colours(self) -> NumberColours:
        """Colours of the heart rate."""
        return number_colours(self.theme, self.theme.ecg, self.alarm, bright=self._bright)

    @property
    def rhythm_ink(self) -> str:
        """Colour of the rhythm."""
        return self.theme.ecg if self._rhythm_priority is None else self.theme.priority[self._rhythm_priority]

    def show_frame(self, frame: Frame) -> None:
        """Show the values of a frame in the colours of their alarms."""
        alarm = number_alarms(frame.active).get("heart_rate")
        bright = is_bright(alarm, frame.now_ns, steady=not frame.worker or frame.pauses.alarms_s > 0)
        vitals = frame.patient.vitals
        priority = None if vitals is None else rhythm_priority(vitals.rhythm, frame.active)
        found = heart_rate_reason(frame)
        reason = "" if found is None else text_of(found)
        shown = (frame.patient, alarm, bright, priority, reason, frame.st_levels)
        if shown != (self.patient, self.alarm, self._bright, self._rhythm_priority, self.reason, self.st_levels):
            self.patient, self.alarm, self._bright, self._rhythm_priority, self.reason, self.st_levels = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw name, unit and value in the colour of the trace, a value in alarm and its limit in that of the alarm."""
        patient, alarm = self.patient, self.alarm
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), colour(self.theme.panel))
            painter.setPen(colour(self.theme.ecg))
            painter.setFont(font(20, bold=True))
            painter.drawText(_rect(14, 10, 60, 26), Qt.AlignmentFlag.AlignLeft, translate("Numbers", "HR"))
            if self.value != NO_VALUE:
                painter.setFont(font(26 if patient.beating else 18))
                painter.drawText(_rect(50, 6, 34, 34), Qt.AlignmentFlag.AlignCenter, "♥")
            if self._number_height >= px(_LOW_NUMBER_PX):
                painter.setFont(font(14))
                painter.drawText(_rect(14, 38, 80, 20), Qt.AlignmentFlag.AlignLeft, translate("Numbers", "1/min"))
            self._draw_limits(painter, alarm)
            ink, ground = self.colours
            place = QRect(px(_HEART_PX), 0, self.width() - px(16 + _HEART_PX), self._number_height)
            painter.setFont(self._fitting_font(place.width() - px(8)))
            metrics = painter.fontMetrics()
            if ground:
                width, height = metrics.horizontalAdvance(self.value) + px(16), metrics.capHeight() + px(24)
                box = QRect(place.right() - width + px(8), (place.height() - height) // 2, width, height)
                painter.fillRect(box, colour(ground))
            painter.setPen(colour(ink))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.value)
            if self.reason:
                painter.setFont(font(16, bold=True))
                painter.setPen(colour(self.theme.technical))
                painter.drawText(place, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight, self.reason)
            self._draw_texts(painter)

    def _fitting_font(self, room: int) -> QFont:
        """Return the largest font of the heart rate that leaves name and heart free."""
        pixels = _COMPACT_PX if self._compact else _LARGEST_PX
        while pixels > _COMPACT_PX and QFontMetrics(font(pixels, bold=True)).horizontalAdvance(self.value) > room:
            pixels -= 2
        return font(pixels, bold=True)

    def _draw_limits(self, painter: QPainter, alarm: NumberAlarm | None) -> None:
        limits, bottom = self.patient.limits, self._number_height
        low, high = (None, None) if limits is None else (limits.heart_rate_low, limits.heart_rate_high)
        for y, limit, side in ((bottom - px(40), high, "high"), (bottom - px(18), low, "low")):
            violated = alarm is not None and alarm.violated == side
            painter.setFont(font(20 if violated else 16, bold=violated))
            ink = self.theme.priority[alarm.priority] if alarm is not None and violated else self.theme.faint
            painter.setPen(colour(ink))
            text = NO_VALUE if limit is None else str(limit)
            painter.drawText(QRect(px(14), y, px(70), px(26)), Qt.AlignmentFlag.AlignLeft, text)

    def _draw_texts(self, painter: QPainter) -> None:
        vitals = self.patient.vitals
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(font(19, bold=True))
        painter.setPen(colour(self.rhythm_ink))
        upper = QRect(px(14), self._number_height + px(8), self.width() - px(28), px(26))
        painter.drawText(upper, left, self.rhythm)
        painter.setFont(font(15))
        painter.setPen(colour(self.theme.text))
        lower = QRect(px(14), self.height() - px(28), self.width() - px(28), px(24))
        if lower.top() < upper.top() + px(20):
            return
        self._draw_st(painter, QRect(upper.left(), upper.bottom(), upper.width(), lower.top() - upper.bottom()))
        painter.drawText(lower, left, translate("Numbers", "PVC/min {count}").format(count=pvc_text(self.patient)))
        quality = NO_VALUE if vitals is None or vitals.quality is None else f"{vitals.quality:.0%}"
        painter.drawText(lower, right, translate("Numbers", "signal {percent}").format(percent=quality))

    def _draw_st(self, painter: QPainter, place: QRect) -> None:
        """Draw the ST levels in one line, if there is room, and their changes if it is wide enough."""
        painter.save()
        painter.setFont(font(13))
        if place.height() >= painter.fontMetrics().height():
            align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, align, self._st_line(painter, place.width()))
        painter.restore()

    def _st_line(self, painter: QPainter, room: int) -> str:
        name = translate("Numbers", "ST mV")
        for change in (True, False):
            levels = st_text(self.st_levels, change=change)
            line = f"{name}  {levels}"
            if levels and painter.fontMetrics().horizontalAdvance(line) <= room:
                return line
        return ""


class EngineerPanel(ValueRows):
    """Values for engineers."""

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
        self.show_rows(rows)


def heart_rate_text(patient: Patient) -> str:
    """Return the heart rate in 1/min, or ``--``."""
    rate = None if patient.vitals is None else patient.vitals.heart_rate
    return NO_VALUE if rate is None else str(round(rate))


def pvc_text(patient: Patient) -> str:
    """Return the premature ventricular beats of the last minute, or ``--``, as in a rhythm without beats."""
    vitals = patient.vitals
    known = vitals is not None and vitals.pvc_per_min is not None and vitals.rhythm not in _WITHOUT_BEATS
    return str(vitals.pvc_per_min) if known and vitals is not None else NO_VALUE


def _rect(left: int, top: int, width: int, height: int) -> QRect:
    return QRect(px(left), px(top), px(width), px(height))


def _number(value: float | None, form: str) -> str:
    return NO_VALUE if value is None else format(value, f"z{form}")  # z: never "-0.0"
