"""Beside the chart of the hours: the advisory with its reasons, the risks, and NEWS2 with its parts."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, font, px
from monitor.view.chart import PRESSURE_RISKS, HoursAhead, is_low
from monitor.view.early_warning import EarlyWarning, early_warning
from stream.wire.alarm_texts import NO_VALUE
from stream.wire.outlook_message import Outlook
from stream.wire.outlook_texts import part_phrase, reason_phrases, risk_phrase

_BAR_PX, _ROW_PX, _LOW_ROW_PX = 8, 44, 21
_FULL_PX = 400
"""Height from which everything is shown, px at normal font size; in a lower panel there are no bars and no parts."""

HINT = QT_TRANSLATE_NOOP(
    "Outlook", "SIMULATION: a model's estimate, not a diagnosis. Low pressure is forecast fairly well, sepsis modestly."
)


def percent(probability: float | None) -> str:
    """Return a probability as text."""
    return NO_VALUE if probability is None else f"{100 * probability:.0f} %"


def warning_text(warning: EarlyWarning) -> str:
    """Return since when a warning stands, and what has become of its risk."""
    if not warning.hours:
        return translate("Outlook", "since this hour")
    if warning.before is None or warning.now is None:
        return translate("Outlook", "since hour {hour}").format(hour=warning.since)
    if warning.over:
        text = translate("Outlook", "since hour {hour}: risk {before}, now {now}")
    else:
        text = translate("Outlook", "since hour {hour}: risk {before}, now {now}, below the threshold")
    return text.format(hour=warning.since, before=percent(warning.before), now=percent(warning.now))


class OutlookPanel(QWidget):
    """Shows advisory, risks and score of an outlook.

    Attributes
    ----------
    advisory, since, reasons, score, parts, missing, hint : Label
    risks : RiskBars
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._hours: HoursAhead | None = None
        self._low = False
        self.box = QFrame()
        self.box.setObjectName("advisory")  # labels are frames, too
        self.advisory = Label(theme, self._advisory_ink, 17, bold=True)
        self.since, self.reasons = Label(theme, "text", 14, bold=True), Label(theme, "text", 14)
        self.risks = RiskBars(theme)
        self.score = Label(theme, "text", 24, bold=True)
        self.parts, self.missing = Label(theme, "text", 13), Label(theme, "technical", 13)
        self.hint = Label(theme, "faint", 12, text_source=self._hint)
        inner, whole = QVBoxLayout(self.box), QVBoxLayout(self)
        inner.setContentsMargins(10, 6, 10, 8)
        for label in (self.advisory, self.since, self.reasons):
            label.setWordWrap(True)
            inner.addWidget(label)
        whole.setContentsMargins(6, 4, 6, 4)
        whole.setSpacing(6)
        for label in (self.parts, self.missing, self.hint):
            label.setWordWrap(True)
        for widget in (self.box, self.risks, self.score, self.parts, self.missing):
            whole.addWidget(widget)
        whole.addStretch(1)
        whole.addWidget(self.hint)
        self.apply_theme(theme)

    def _hint(self) -> str:
        return translate("Outlook", "not a diagnosis") if self._low else translate("Outlook", HINT)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave out what does not fit."""
        super().resizeEvent(event)
        low = self.height() < px(_FULL_PX)
        if low != self._low:
            self._low = low
            self.hint.apply_theme(self.theme)
            self._fill()

    def _advisory_ink(self, theme: Theme) -> str:
        outlook = self._outlook
        advised = outlook is not None and outlook.advisory
        return theme.priority["medium"] if advised else theme.faint

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the labels are updated separately."""
        self.theme = theme
        self._fill()

    @property
    def _outlook(self) -> Outlook | None:
        return None if self._hours is None else self._hours.outlook

    def show_hours(self, hours: HoursAhead | None) -> None:
        """Show the outlook on a bed."""
        changed = self._outlook != (None if hours is None else hours.outlook)
        self._hours = hours
        if changed:
            self._fill()

    def _fill(self) -> None:
        outlook, theme = self._outlook, self.theme
        advised = outlook is not None and outlook.advisory
        ground, edge = (
            (theme.priority_tint["medium"], theme.priority["medium"]) if advised else (theme.panel, theme.edge)
        )
        self.box.setStyleSheet(f"#advisory {{ background: {ground}; border-left: 6px solid {edge} }}")
        self.advisory.apply_theme(theme)
        warning = None if self._hours is None else early_warning(self._hours)
        self.since.setText("" if warning is None else warning_text(warning))
        self.since.setVisible(warning is not None)
        self.risks.show_outlook(outlook, low=self._low)
        self.parts.setVisible(not self._low)
        if outlook is None:
            self.advisory.setText(translate("Outlook", "No outlook"))
            for label in (self.reasons, self.score, self.parts, self.missing):
                label.setText("")
            return
        if outlook.advisory_risk is None:
            self.advisory.setText(translate("Outlook", "No forecast: the worker has no model for it"))
            for label in (self.reasons, self.score, self.parts, self.missing):
                label.setText("")
            return
        self.advisory.setText(self._advisory_text(outlook))
        self.reasons.setText("\n".join(f"• {text_of(reason)}" for reason in reason_phrases(outlook)))
        self.reasons.setVisible(bool(outlook.reasons))
        score = NO_VALUE if outlook.score is None else str(outlook.score)
        self.score.setText(translate("Outlook", "NEWS2  {score}").format(score=score))
        known = [
            f"{text_of(part_phrase(part.name))} {part.points}" for part in outlook.parts if part.points is not None
        ]
        self.parts.setText("  ·  ".join(known))
        missing = ", ".join(text_of(part_phrase(name)) for name in outlook.missing)
        self.missing.setText(translate("Outlook", "not known: {parts}").format(parts=missing) if missing else "")
        self.missing.setVisible(bool(missing))

    def _advisory_text(self, outlook: Outlook) -> str:
        if not outlook.advisory or outlook.advisory_risk is None:
            return translate("Outlook", "No early warning")
        if self._low:
            return translate("Outlook", "EARLY WARNING")
        event = text_of(risk_phrase(outlook.advisory_risk))
        return translate("Outlook", "EARLY WARNING: {event}").format(event=event)


class RiskBars(QWidget):
    """Draws each risk as a bar with its probability."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._outlook: Outlook | None = None
        self._low = False

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self._resize()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the default size."""
        return QSize(300, self.minimumHeight())

    def show_outlook(self, outlook: Outlook | None, *, low: bool) -> None:
        """Show the risks of an outlook; in low rows without bars."""
        self._outlook, self._low = outlook, low
        self._resize()

    @property
    def _row_px(self) -> int:
        return px(_LOW_ROW_PX if self._low else _ROW_PX)

    def _resize(self) -> None:
        rows = 0 if self._outlook is None else len(self._outlook.risks)
        self.setFixedHeight(self._row_px * rows)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the bars."""
        outlook, theme = self._outlook, self.theme
        if outlook is None:
            return
        with QPainter(self) as painter:
            for row, risk in enumerate(outlook.risks):
                top, height = row * self._row_px, self._row_px
                over = risk.name == outlook.advisory_risk and outlook.is_over(risk.probability)
                ink = theme.priority["medium"] if over else theme.text
                painter.setFont(font(13))
                painter.setPen(colour(theme.text))
                place = QRectF(4, top, self.width() - 8, height - (0 if self._low else px(_BAR_PX) + 8))
                painter.drawText(
                    place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text_of(risk_phrase(risk.name))
                )
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                low_now = risk.name in PRESSURE_RISKS and is_low(outlook)
                painter.setFont(font(13) if low_now else font(16, bold=True))
                painter.setPen(colour(theme.wave["abp"] if low_now else ink))
                text = translate("Outlook", "low now") if low_now else percent(risk.probability)
                painter.drawText(place, right, text)
                if self._low:
                    continue
                bar = QRectF(4, top + height - px(_BAR_PX) - 6, self.width() - 8, px(_BAR_PX))
                painter.fillRect(bar, colour(theme.edge))
                bar.setWidth(bar.width() * (risk.probability or 0.0))
                painter.fillRect(bar, colour(ink if over else theme.score))
