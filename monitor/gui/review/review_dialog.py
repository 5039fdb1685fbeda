"""Review dialog of one event: trace on ECG paper, summary, calipers, export."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from monitor.gui.review.ecg_paper import Sheet, draw, draw_annotations
from monitor.gui.review.review_files import ReviewFiles
from monitor.gui.style.footer import simulation
from monitor.gui.style.label import Label
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font, px
from monitor.gui.trace.calipers import Calipers
from monitor.view.event_review import Review
from monitor.view.event_summary import summary_rows
from monitor.view.trace import GAINS, SPEEDS
from monitor.view.trace_scale import Ruler
from stream.wire.alarm_texts import alarm_phrase

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter


class EventChart(QWidget):
    """Leads and score of an event, cached until they change.

    Attributes
    ----------
    review : Review
    sheet : Sheet
    calipers : Calipers
    drawn, added : int
        Number of full drawings, and of drawings of new samples only.
    """

    def __init__(self, theme: Theme, review: Review, px_per_mm: float) -> None:
        super().__init__()
        self.theme, self.review = theme, review
        self.drawn = self.added = 0
        self._since: int | None = None
        self.sheet = Sheet(px_per_mm, SPEEDS[0], 10.0)
        self._cache: QPixmap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.calipers = Calipers(theme, self, self.ruler)
        self.show_review(review, self.sheet)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme, self._cache = theme, None
        self.update()

    def show_review(self, review: Review, sheet: Sheet) -> None:
        """Show an event at a scale; if only samples were added, only these are drawn."""
        if self._cache is None or not _only_extended(self.review, review) or sheet != self.sheet:
            self._cache = self._since = None
        elif review.end > self.review.end:
            self._since = self.review.end if self._since is None else self._since
        self.review, self.sheet = review, sheet
        width, height = sheet.size(review)
        self.setFixedSize(round(width) + 1, round(height) + 1)
        self.setVisible(bool(review.leads))
        self.update()

    def ruler(self) -> Ruler | None:
        """Return the scale for the calipers; None without samples."""
        return self.sheet.ruler(self.review) if self.review.leads else None

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Copy the cached drawing, and draw annotations and lead names over it."""
        ratio = self.devicePixelRatio()
        if self._cache is None or self._cache.devicePixelRatio() != ratio:
            self._cache = QPixmap(self.size() * ratio)
            self._cache.setDevicePixelRatio(ratio)
            self._cache.fill(colour(self.theme.ground))
            with QPainter(self._cache) as painter:
                draw(painter, self.review, self.sheet, self.theme)
            self.drawn += 1
        elif self._since is not None:
            self._add(self._cache, self._since)
        self._since = None
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._cache)
            draw_annotations(painter, self.review, self.sheet, self.theme)
            self._draw_names(painter)

    def _add(self, cache: QPixmap, since: int) -> None:
        """Draw the samples added since a sample."""
        left = math.floor(self.sheet.ruler(self.review).x(since)) - 1
        place = QRectF(left, 0, self.width() - left, self.height())
        with QPainter(cache) as painter:
            painter.setClipRect(place)
            painter.fillRect(place, colour(self.theme.ground))
            draw(painter, self.review, self.sheet, self.theme, since)
        self.added += 1

    def _draw_names(self, painter: QPainter) -> None:
        """Repeat the lead names if the gutter is scrolled out of view."""
        ruler, left = self.ruler(), self.visibleRegion().boundingRect().left()
        if ruler is None or left < ruler.left / 2:
            return
        painter.setFont(font(15, bold=True))
        painter.setPen(colour(self.theme.ecg))
        for lane in ruler.lanes:
            painter.drawText(QRectF(left + 6, lane.top + 2, px(200), px(20)), Qt.AlignmentFlag.AlignLeft, lane.lead)


def _only_extended(before: Review, now: Review) -> bool:
    """Return whether the drawing of a review remains valid and can be extended."""
    return _drawing_key(before) == _drawing_key(now) and before.end <= now.end


def _drawing_key(review: Review) -> tuple[object, ...]:
    """Return the values on which the whole drawing depends."""
    alarm_id, annotated = review.alarm.alarm_id, bool(review.annotations)
    return alarm_id, review.alarm_span, review.leads, review.ranges, review.threshold, annotated


class ReviewDialog(QDialog):
    """Shows one event in a window that is not modal.

    Parameters
    ----------
    theme : Theme
    review : Review
    write_record : callable or None
        Writes WFDB records; None disables that format.
    parent : QWidget
    px_per_mm : float
        Resolution of the screen.

    Attributes
    ----------
    review : Review
    chart : EventChart
    heading, note, scale, message : QLabel
        Alarm text; missing samples; mm/s and mm/mV; result of saving.
    summary : dict of str to str
        Names and values of the summary.
    files : ReviewFiles
    buttons : dict of str to QPushButton
        Keys: PNG, PDF, CSV, WFDB, Speed, Size, Close.
    """

    def __init__(
        self, theme: Theme, review: Review, write_record: RecordWriter | None, parent: QWidget, px_per_mm: float
    ) -> None:
        super().__init__(parent)
        self.theme, self.review = theme, review
        self.summary: dict[str, str] = {}
        self.chart = EventChart(theme, review, px_per_mm)
        self.heading = Label(theme, lambda theme: theme.priority[self.review.alarm.priority], 20, bold=True)
        self.note = Label(theme, "technical", 14, bold=True)
        self.scale, self.message = Label(theme, "faint", 13), Label(theme, "simulation", 13)
        self.page, self._rows = QWidget(), QGridLayout()
        self.files = ReviewFiles(
            self.page, lambda: self.review, lambda: self.chart.calipers.text, self.show_message, write_record
        )
        self.buttons: dict[str, QPushButton] = {}
        self._labels: dict[str, QLabel] = {}
        self._build()
        self.apply_theme(theme)
        self.resize(self.sizeHint())

    def _build(self) -> None:
        self.heading.setWordWrap(True)
        warning = Label(self.theme, "simulation", 14, bold=True, text_source=simulation)
        self.note.setWordWrap(True)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        middle = QHBoxLayout(inside)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.addWidget(self.chart)
        self._area.setWidget(inside)
        self._area.setWidgetResizable(True)
        self._area.setAlignment(Qt.AlignmentFlag.AlignCenter)
        # If the trace does not fit, it is scrolled to the onset.
        self._area.horizontalScrollBar().rangeChanged.connect(self._show_onset)
        self._area.horizontalScrollBar().valueChanged.connect(lambda _value: self.chart.update())

        top, page, row, whole = QHBoxLayout(), QVBoxLayout(self.page), QHBoxLayout(), QVBoxLayout(self)
        top.addWidget(self.heading, 1)
        top.addWidget(warning)
        page.addLayout(top)
        page.addWidget(self._area, 1)
        page.addWidget(self.scale)
        page.addWidget(self.note)
        page.addLayout(self._rows)
        page.setContentsMargins(12, 8, 12, 4)
        self._rows.setColumnStretch(1, 1)
        self._rows.setColumnStretch(3, 1)
        self._rows.setHorizontalSpacing(12)
        for name, action in (
            ("Speed", self.next_speed),
            ("Size", self.next_gain),
            *((form, lambda form=form: self.files.open_dialog(form)) for form in self.files.formats),
            ("Close", self.close),
        ):
            button = self.buttons[name] = QPushButton(name)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, action=action: action())
            if name == "PNG":
                row.addStretch(1)
                row.addWidget(Label(self.theme, "text", 14, text_source=lambda: translate("Review", "Save as")))
            elif name == "Close":
                row.addStretch(1)
            row.addWidget(button)
        row.setContentsMargins(12, 0, 12, 8)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.page, 1)
        whole.addWidget(self.message)
        whole.addLayout(row)
        self.message.setContentsMargins(12, 0, 12, 0)
        self.message.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )  # independent of the length of a path

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.theme = theme
        self.setStyleSheet(
            f"QWidget {{ background: {theme.panel}; color: {theme.text} }}"
            f"QScrollArea, QScrollArea > QWidget > QWidget {{ background: {theme.ground} }}"
            f"QPushButton {{ border: 1px solid {theme.faint}; padding: {px(6)}px {px(14)}px }}"
            f"QScrollBar:horizontal {{ height: 10px }} QScrollBar:vertical {{ width: 10px }}"
            f"QScrollBar::handle {{ background: {theme.faint}; border-radius: 4px; min-width: 24px; min-height: 24px }}"
            "QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0 }"
            f"QPushButton:pressed {{ background: {theme.edge} }}"
            f"QPushButton:disabled {{ color: {theme.faint}; border-color: {theme.edge} }}"
        )
        for button in self.buttons.values():
            button.setFont(font(14, bold=True))
        self.buttons["Speed"].setText(translate("Review", "Speed  (S)"))
        self.buttons["Size"].setText(translate("Review", "Size  (+ −)"))
        self.buttons["Close"].setText(translate("Review", "Close  (Esc)"))
        self.message.setFixedHeight(px(22))
        self.show_review(self.review)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of chart and summary, limited by the screen."""
        available = self.screen().availableSize() * 0.95
        other_height = super().sizeHint().height() - self._area.sizeHint().height()
        return QSize(self.chart.width() + 26, self.chart.height() + other_height + 4).boundedTo(available)

    # --- content --------------------------------------------------------------------------------------------------

    def show_review(self, review: Review) -> None:
        """Show another event, or an update of the same one."""
        is_other = review.alarm.alarm_id != self.review.alarm.alarm_id
        self.review = review
        if is_other:
            self.chart.calipers.remove()
            self.message.clear()
        alarm = review.alarm
        text = text_of(alarm_phrase(alarm))
        self.setWindowTitle(f"{alarm.bed.upper()}: {text}")
        self.heading.setText(f"{STARS[alarm.priority]} {text}".strip())
        self.heading.apply_theme(self.theme)
        self.note.setText(text_of(review.notes))
        self.note.setVisible(bool(review.notes))
        self.summary = {text_of(name): text_of(text) for name, text in summary_rows(review)}
        self._fill_rows()
        for form in ("CSV", "WFDB"):
            if form in self.buttons:
                self.buttons[form].setEnabled(bool(review.leads))
        self._set_sheet(self.chart.sheet)
        if is_other:
            self.resize(self.sizeHint())

    def _fill_rows(self) -> None:
        if list(self._labels) != list(self.summary):
            while (item := self._rows.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.deleteLater()
            self._labels = {}
            half = (len(self.summary) + 1) // 2
            for place, name in enumerate(self.summary):
                row, column = place % half, place // half * 2
                title, label = Label(self.theme, "faint", 14), Label(self.theme, "text", 14)
                title.setText(name)
                label.setWordWrap(True)
                self._rows.addWidget(title, row, column, Qt.AlignmentFlag.AlignTop)
                self._rows.addWidget(label, row, column + 1, Qt.AlignmentFlag.AlignTop)
                self._labels[name] = label
        for name, text in self.summary.items():
            if self._labels[name].text() != text:
                self._labels[name].setText(text)

    def _set_sheet(self, sheet: Sheet) -> None:
        self.chart.show_review(self.review, sheet)
        hint = translate("Review", "drag on the trace to measure, Esc removes the lines")
        self.scale.setText(f"{sheet.text}  ·  {hint}")
        for widget in (self.scale, self._area):
            widget.setVisible(bool(self.review.leads))

    def _show_onset(self) -> None:
        ruler = self.chart.ruler()
        if ruler is not None:
            left = round(ruler.x(self.review.alarm.onset)) - self._area.viewport().width() // 2
            self._area.horizontalScrollBar().setValue(left)

    def show_message(self, text: str) -> None:
        """Show the result of saving."""
        self.message.setText(text)
        self.message.setToolTip(text)

    # --- user actions ---------------------------------------------------------------------------------------------

    def next_speed(self) -> None:
        """Select the next paper speed."""
        sheet = self.chart.sheet
        following = SPEEDS[(SPEEDS.index(sheet.mm_per_s) + 1) % len(SPEEDS)]
        self._set_sheet(Sheet(sheet.px_per_mm, following, sheet.mm_per_mv))

    def change_gain(self, by: int) -> None:
        """Select a larger or smaller gain."""
        sheet = self.chart.sheet
        at = min(max(GAINS.index(sheet.mm_per_mv) + by, 0), len(GAINS) - 1)
        self._set_sheet(Sheet(sheet.px_per_mm, sheet.mm_per_s, GAINS[at]))

    def next_gain(self) -> None:
        """Select the next gain; after the largest, the smallest."""
        last = self.chart.sheet.mm_per_mv == GAINS[-1]
        self.change_gain(-len(GAINS) if last else +1)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handle keys: Esc removes lines or closes, S, + and − change the scale; others go to the monitor window."""
        key, parent = event.key(), self.parentWidget()
        if key == Qt.Key.Key_Escape:
            if not self.chart.calipers.remove():
                self.close()
        elif key == Qt.Key.Key_Q:
            self.close()
        elif key == Qt.Key.Key_S:
            self.next_speed()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.change_gain(+1)
        elif key == Qt.Key.Key_Minus:
            self.change_gain(-1)
        elif parent is not None:
            QApplication.sendEvent(parent, event)
