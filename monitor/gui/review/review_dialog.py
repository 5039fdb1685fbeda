"""The window of one event: its trace on ECG paper, what it was in words, calipers, and the way into a file."""

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
from monitor.gui.style.phrases import text_of
from monitor.gui.style.theme import STARS, Theme, colour, font, px
from monitor.gui.trace.calipers import Calipers
from monitor.view.event_review import Review
from monitor.view.event_summary import explain
from monitor.view.trace import GAINS, SPEEDS
from monitor.view.trace_scale import Ruler
from stream.wire.phrases import alarm_phrase

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter


class EventChart(QWidget):
    """Leads and score of an event, drawn once and kept until they change.

    Attributes
    ----------
    review : Review
    sheet : Sheet
    calipers : Calipers
    drawn, added : int
        How often all of it was drawn, and how often only what had come.
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
        """Take an event and a scale; where only more samples have come, only those will be drawn."""
        if self._cache is None or not _grows(self.review, review) or sheet != self.sheet:
            self._cache = self._since = None
        elif review.end > self.review.end:
            self._since = self.review.end if self._since is None else self._since
        self.review, self.sheet = review, sheet
        width, height = sheet.size(review)
        self.setFixedSize(round(width) + 1, round(height) + 1)
        self.setVisible(bool(review.leads))
        self.update()

    def ruler(self) -> Ruler | None:
        """Return the scale for the calipers; None where there is nothing to measure."""
        return self.sheet.ruler(self.review) if self.review.leads else None

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Copy the drawing."""
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
        """Draw what has come since a sample."""
        left = math.floor(self.sheet.ruler(self.review).x(since)) - 1
        place = QRectF(left, 0, self.width() - left, self.height())
        with QPainter(cache) as painter:
            painter.setClipRect(place)
            painter.fillRect(place, colour(self.theme.ground))
            draw(painter, self.review, self.sheet, self.theme, since)
        self.added += 1

    def _draw_names(self, painter: QPainter) -> None:
        """Repeat the names of the leads where the gutter is out of sight."""
        ruler, left = self.ruler(), self.visibleRegion().boundingRect().left()
        if ruler is None or left < ruler.left / 2:
            return
        painter.setFont(font(15, bold=True))
        painter.setPen(colour(self.theme.ecg))
        for lane in ruler.lanes:
            painter.drawText(QRectF(left + 6, lane.top + 2, px(200), px(20)), Qt.AlignmentFlag.AlignLeft, lane.lead)


def _grows(before: Review, now: Review) -> bool:
    """Return whether what was drawn of an event still holds."""
    return _drawn(before) == _drawn(now) and before.end <= now.end


def _drawn(review: Review) -> tuple[object, ...]:
    """Return what all of the drawing depends on."""
    alarm_id, annotated = review.alarm.alarm_id, bool(review.annotations)
    return alarm_id, review.alarm_span, review.leads, review.ranges, review.threshold, annotated


class ReviewDialog(QDialog):
    """Shows one event; the monitor goes on beneath.

    Parameters
    ----------
    theme : Theme
    review : Review
    write_record : callable or None
        Writes WFDB; without it that is not offered.
    parent : QWidget
    px_per_mm : float
        Of this screen.

    Attributes
    ----------
    review : Review
    chart : EventChart
    heading, note, scale, said : QLabel
        What it was; which samples are missing; mm/s and mm/mV; what came of saving.
    words : dict of str to str
        The explanation.
    files : ReviewFiles
    buttons : dict of str to QPushButton
        By PNG, PDF, CSV, WFDB; Speed, Size.
    """

    def __init__(
        self, theme: Theme, review: Review, write_record: RecordWriter | None, parent: QWidget, px_per_mm: float
    ) -> None:
        super().__init__(parent)
        self.theme, self.review = theme, review
        self.words: dict[str, str] = {}
        self.chart = EventChart(theme, review, px_per_mm)
        self.heading = Label(theme, lambda theme: theme.priority[self.review.alarm.priority], 20, bold=True)
        self.note = Label(theme, "technical", 14, bold=True)
        self.scale, self.said = Label(theme, "faint", 13), Label(theme, "simulation", 13)
        self.page, self._rows = QWidget(), QGridLayout()
        self.files = ReviewFiles(
            self.page, lambda: self.review, lambda: self.chart.calipers.text, self.say, write_record
        )
        self.buttons: dict[str, QPushButton] = {}
        self._labels: dict[str, QLabel] = {}
        self._build()
        self.apply_theme(theme)
        self.resize(self.sizeHint())

    def _build(self) -> None:
        self.heading.setWordWrap(True)
        warning = Label(self.theme, "simulation", 14, bold=True, says=simulation)
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
        # Where not all of it fits, the onset does.
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
        for name, do in (
            ("Speed", self.next_speed),
            ("Size", self.next_gain),
            *((form, lambda form=form: self.files.ask(form)) for form in self.files.forms),
            ("Close", self.close),
        ):
            button = self.buttons[name] = QPushButton(name)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, do=do: do())
            if name == "PNG":
                row.addStretch(1)
                row.addWidget(Label(self.theme, "text", 14, says=lambda: translate("Review", "Save as")))
            elif name == "Close":
                row.addStretch(1)
            row.addWidget(button)
        row.setContentsMargins(12, 0, 12, 8)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.page, 1)
        whole.addWidget(self.said)
        whole.addLayout(row)
        self.said.setContentsMargins(12, 0, 12, 0)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # however long a path is

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
        self.said.setFixedHeight(px(22))
        self.show_review(self.review)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size that holds the paper and the words, as far as the screen does."""
        room = self.screen().availableSize() * 0.95
        around = super().sizeHint().height() - self._area.sizeHint().height()
        return QSize(self.chart.width() + 26, self.chart.height() + around + 4).boundedTo(room)

    # --- what it shows --------------------------------------------------------------------------------------------

    def show_review(self, review: Review) -> None:
        """Take an event: another one, or more of the same."""
        other = review.alarm.alarm_id != self.review.alarm.alarm_id
        self.review = review
        if other:
            self.chart.calipers.remove()
            self.said.clear()
        alarm = review.alarm
        what = text_of(alarm_phrase(alarm))
        self.setWindowTitle(f"{alarm.bed.upper()}: {what}")
        self.heading.setText(f"{STARS[alarm.priority]} {what}".strip())
        self.heading.apply_theme(self.theme)
        self.note.setText(text_of(review.notes))
        self.note.setVisible(bool(review.notes))
        self.words = {text_of(name): text_of(text) for name, text in explain(review)}
        self._fill_rows()
        for form in ("CSV", "WFDB"):
            if form in self.buttons:
                self.buttons[form].setEnabled(bool(review.leads))
        self._set_sheet(self.chart.sheet)
        if other:
            self.resize(self.sizeHint())

    def _fill_rows(self) -> None:
        if list(self._labels) != list(self.words):
            while (item := self._rows.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.deleteLater()
            self._labels = {}
            half = (len(self.words) + 1) // 2
            for place, name in enumerate(self.words):
                row, column = place % half, place // half * 2
                title, label = Label(self.theme, "faint", 14), Label(self.theme, "text", 14)
                title.setText(name)
                label.setWordWrap(True)
                self._rows.addWidget(title, row, column, Qt.AlignmentFlag.AlignTop)
                self._rows.addWidget(label, row, column + 1, Qt.AlignmentFlag.AlignTop)
                self._labels[name] = label
        for name, text in self.words.items():
            if self._labels[name].text() != text:
                self._labels[name].setText(text)

    def _set_sheet(self, sheet: Sheet) -> None:
        self.chart.show_review(self.review, sheet)
        hint = translate("Review", "drag on the trace to measure, Esc takes the lines away")
        self.scale.setText(f"{sheet.text}  ·  {hint}")
        for widget in (self.scale, self._area):
            widget.setVisible(bool(self.review.leads))

    def _show_onset(self) -> None:
        ruler = self.chart.ruler()
        if ruler is not None:
            left = round(ruler.x(self.review.alarm.onset)) - self._area.viewport().width() // 2
            self._area.horizontalScrollBar().setValue(left)

    def say(self, text: str) -> None:
        """Tell what came of saving."""
        self.said.setText(text)
        self.said.setToolTip(text)

    # --- people ---------------------------------------------------------------------------------------------------

    def next_speed(self) -> None:
        """Take the next paper speed."""
        sheet = self.chart.sheet
        following = SPEEDS[(SPEEDS.index(sheet.mm_per_s) + 1) % len(SPEEDS)]
        self._set_sheet(Sheet(sheet.px_per_mm, following, sheet.mm_per_mv))

    def change_gain(self, by: int) -> None:
        """Take a larger or smaller amplitude."""
        sheet = self.chart.sheet
        at = min(max(GAINS.index(sheet.mm_per_mv) + by, 0), len(GAINS) - 1)
        self._set_sheet(Sheet(sheet.px_per_mm, sheet.mm_per_s, GAINS[at]))

    def next_gain(self) -> None:
        """Take the next amplitude; after the largest, the smallest."""
        last = self.chart.sheet.mm_per_mv == GAINS[-1]
        self.change_gain(-len(GAINS) if last else +1)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Let keys take lines away or close (Esc), change the scale (S, + and −); all others are for the monitor."""
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
