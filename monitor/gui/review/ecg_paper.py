"""ECG paper: draws an event in millimetres, on the screen or as vectors into a PDF.

Small squares are 1 mm, large squares 5 mm at every scale, as on paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from monitor.gui.style.language import translate
from monitor.gui.style.polyline import draw_line, thin
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, colour, unscaled_font
from monitor.view.annotations import NORMAL_BEAT, ROWS
from monitor.view.event_review import Review
from monitor.view.trace_scale import Lane, Ruler
from stream.timebase import FS
from stream.wire.alarm_texts import phrase

GUTTER_MM = 14.0
"""Space left of the trace for lead name and scale, mm."""

ANNOTATION_ROW_MM = 4.0
"""Height of a row of annotations, mm."""

AXIS_MM = 5.0
SCORE_MM = 20.0
MAX_SCORE = 8.0
"""Upper limit of the score axis; higher scores are drawn at the limit."""

_GAP_MM = 1.0
_REDRAW_MARGIN_PX = 6
_CENTRE = Qt.AlignmentFlag.AlignHCenter


@dataclass(frozen=True)
class Sheet:
    """Scale of a drawing.

    Attributes
    ----------
    px_per_mm : float
        Resolution of the painter.
    mm_per_s, mm_per_mv : float
    """

    px_per_mm: float
    mm_per_s: float
    mm_per_mv: float

    @property
    def text(self) -> str:
        """The scale as printed on ECG paper, and the size of a small square."""
        square = f"{1000 / self.mm_per_s:g} ms × {1 / self.mm_per_mv:g} mV"
        scale = f"{self.mm_per_s:g} mm/s · {self.mm_per_mv:g} mm/mV"
        return translate("Paper", "{scale} · small square {square}").format(scale=scale, square=square)

    def size(self, review: Review) -> tuple[float, float]:
        """Return width and height of the drawing of an event, in pixels."""
        width_mm = GUTTER_MM + (review.stop - review.first) / FS * self.mm_per_s
        lanes_mm = sum((high - low) * self.mm_per_mv + _GAP_MM for low, high in review.ranges)
        return width_mm * self.px_per_mm, (_annotations_mm(review) + lanes_mm + SCORE_MM + AXIS_MM) * self.px_per_mm

    def ruler(self, review: Review) -> Ruler:
        """Return the scale for calipers."""
        lanes, top = [], _annotations_mm(review) * self.px_per_mm
        for lead, (low, high) in zip(review.leads, review.ranges, strict=True):
            bottom = top + (high - low) * self.mm_per_mv * self.px_per_mm
            lanes.append(Lane(lead, top, bottom, low, high))
            top = bottom + _GAP_MM * self.px_per_mm
        per_sample = self.mm_per_s * self.px_per_mm / FS
        return Ruler(GUTTER_MM * self.px_per_mm, self.size(review)[0], review.first, per_sample, tuple(lanes))


def _annotations_mm(review: Review) -> float:
    return len(ROWS) * ANNOTATION_ROW_MM if review.annotations else 0.0


def draw(painter: QPainter, review: Review, sheet: Sheet, theme: Theme, since: int | None = None) -> None:
    """Draw leads, score and time axis; the painter's origin is the top left corner.

    With ``since``, curves start shortly before that sample: the caller clips, and has drawn the rest before.
    """
    _Drawing(painter, review, sheet, theme, since or review.first).draw()


def draw_annotations(painter: QPainter, review: Review, sheet: Sheet, theme: Theme) -> None:
    """Draw the annotations; they arrive later than the samples and are drawn over the cached trace."""
    if not review.annotations:
        return
    ruler, mm = sheet.ruler(review), sheet.px_per_mm
    inks = {"rhythm": theme.text, "reference": theme.text, "detected": theme.score}
    painter.save()
    painter.setFont(unscaled_font(2.2 * mm))
    for number, name in enumerate(ROWS):
        painter.setPen(colour(inks[name]))
        place = QRectF(0, number * ANNOTATION_ROW_MM * mm, ruler.left - mm, ANNOTATION_ROW_MM * mm)
        painter.drawText(
            place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text_of(phrase(f"row.{name}"))
        )
    painter.setClipRect(QRectF(ruler.left, 0, ruler.right - ruler.left, _annotations_mm(review) * mm))
    for label in review.annotations:
        painter.setPen(colour(inks[label.row]))
        painter.setFont(unscaled_font((4.4 if label.text == NORMAL_BEAT else 3.2) * mm, bold=True))
        x = ruler.x(label.index)
        left, align = (x, Qt.AlignmentFlag.AlignLeft) if label.row == "rhythm" else (x - 10 * mm, _CENTRE)
        place = QRectF(left, ROWS.index(label.row) * ANNOTATION_ROW_MM * mm, 20 * mm, ANNOTATION_ROW_MM * mm)
        painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, label.text)
    painter.restore()


class _Drawing:
    def __init__(self, painter: QPainter, review: Review, sheet: Sheet, theme: Theme, since: int) -> None:
        self.painter, self.review, self.sheet, self.theme = painter, review, sheet, theme
        self.mm, self.ruler = sheet.px_per_mm, sheet.ruler(review)
        self.height = sheet.size(review)[1]
        self.every = round(1 / self.ruler.per_sample)
        # The clip starts up to two pixels before the sample; end and cap of the line must be outside of it.
        self.since = max(since - review.first - math.ceil(_REDRAW_MARGIN_PX / self.ruler.per_sample), 0)
        self.x = self.ruler.left + np.arange(review.stop - review.first) * self.ruler.per_sample
        begin = max(review.alarm.onset, review.first)
        stop = review.end if review.alarm_span.stop is None else min(max(review.alarm_span.stop, begin + 1), review.end)
        self.inside = slice(begin - review.first, max(stop - review.first, begin - review.first))

    def draw(self) -> None:
        """Draw all lanes, the score and the time axis."""
        painter, mm = self.painter, self.mm
        width = self.ruler.right - self.ruler.left
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for lead, lane in enumerate(self.ruler.lanes):
            self._tint(lane.top, lane.bottom)
            self._grid(lane)
            painter.save()
            painter.setClipRect(QRectF(self.ruler.left, lane.top, width, lane.bottom - lane.top))
            self._line(lane, self.review.predicted[:, lead], self.theme.predicted, 0.4)
            self._line(lane, self.review.mv[:, lead], self.theme.ecg, 0.5)
            alarmed = np.full(len(self.x), np.nan, np.float32)
            alarmed[self.inside] = self.review.mv[self.inside, lead]
            self._line(lane, alarmed, self.theme.priority[self.review.alarm.priority], 0.6)
            painter.restore()
            self._scale(lane)
        bottom = self.height - AXIS_MM * mm
        self._score(Lane("anomaly score", bottom - (SCORE_MM - 1) * mm, bottom, 0.0, MAX_SCORE))
        self._time(bottom)
        painter.restore()

    # --- background -----------------------------------------------------------------------------------------------

    def _tint(self, top: float, bottom: float) -> None:
        if self.inside.stop > self.inside.start:
            left = self.ruler.left + self.inside.start * self.ruler.per_sample
            width = (self.inside.stop - self.inside.start) * self.ruler.per_sample
            tint = colour(self.theme.priority_tint[self.review.alarm.priority])
            self.painter.fillRect(QRectF(left, top, max(width, 0.5 * self.mm), bottom - top), tint)

    def _grid(self, lane: Lane) -> None:
        onset = self.review.alarm.onset
        for step_mm, ink, mm in ((1.0, self.theme.grid_fine, 0.1), (5.0, self.theme.grid, 0.2)):
            step_s, step_mv = step_mm / self.sheet.mm_per_s, step_mm / self.sheet.mm_per_mv
            # Lines are counted from the onset and from 0 mV, so that both are on a line.
            first = math.ceil((self.review.first - onset) / (step_s * FS) - 1e-6)
            last = math.floor((self.review.stop - onset) / (step_s * FS) + 1e-6)
            xs = [self.ruler.x(onset + number * step_s * FS) for number in range(first, last + 1)]
            ys = [
                lane.y(number * step_mv)
                for number in range(math.ceil(lane.low / step_mv - 1e-6), math.floor(lane.high / step_mv + 1e-6) + 1)
            ]
            lines = [QLineF(x, lane.top, x, lane.bottom) for x in xs]
            lines += [QLineF(self.ruler.left, y, self.ruler.right, y) for y in ys]
            self.painter.setPen(QPen(colour(ink), mm * self.mm))
            self.painter.drawLines(lines)

    # --- curves ---------------------------------------------------------------------------------------------------

    def _line(self, lane: Lane, mv: np.ndarray, ink: str, mm: float) -> None:
        known = np.flatnonzero(np.isfinite(mv))
        if not len(known):
            return
        begin = max(self.since, int(known[0]))
        if self.every:
            begin -= (begin - int(known[0])) % self.every  # the same blocks, independent of the start
        rows = slice(begin, int(known[-1]) + 1)
        y = lane.bottom - (mv[rows].astype(np.float64) - lane.low) / (lane.high - lane.low) * (lane.bottom - lane.top)
        pen = QPen(colour(ink), mm * self.mm, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        draw_line(self.painter, *thin(self.x[rows].astype(np.float64), y, self.every), pen)

    def _score(self, lane: Lane) -> None:
        painter, theme, left, right = self.painter, self.theme, self.ruler.left, self.ruler.right
        self._tint(lane.top, lane.bottom)
        painter.setPen(QPen(colour(theme.edge), 0.2 * self.mm))
        painter.drawRect(QRectF(left, lane.top, right - left, lane.bottom - lane.top))
        self._line(lane, np.clip(self.review.score, 0.0, MAX_SCORE), theme.score, 0.35)
        self._font(2.4)
        painter.setPen(colour(theme.faint))
        for value in (0, 4, 8):
            place = QRectF(0, lane.y(value) - 2 * self.mm, left - self.mm, 4 * self.mm)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(value))
        painter.drawText(
            QRectF(left + self.mm, lane.top, right - left, 4 * self.mm),
            Qt.AlignmentFlag.AlignVCenter,
            translate("Paper", "anomaly score"),
        )
        if self.review.threshold is not None:
            y = lane.y(min(self.review.threshold, MAX_SCORE))
            painter.setPen(QPen(colour(theme.threshold), 0.25 * self.mm, Qt.PenStyle.DashLine))
            painter.drawLine(QLineF(left, y, right, y))
            place = QRectF(left, y - 4 * self.mm, right - left - self.mm, 4 * self.mm)
            text = translate("Paper", "unusual from {score}").format(score=f"{self.review.threshold:.1f}")
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    # --- labels ---------------------------------------------------------------------------------------------------

    def _scale(self, lane: Lane) -> None:
        """Draw the lead's name and a calibration pulse of 1 mV and 200 ms."""
        painter, mm = self.painter, self.mm
        painter.setPen(colour(self.theme.ecg))
        self._font(4.0, bold=True)
        painter.drawText(QRectF(0, lane.top, self.ruler.left - mm, 6 * mm), Qt.AlignmentFlag.AlignCenter, lane.lead)
        bottom = lane.y((lane.low + lane.high) / 2 - 0.5)
        top = lane.y((lane.low + lane.high) / 2 + 0.5)
        width = 0.2 * FS * self.ruler.per_sample
        left = self.ruler.left / 2 - width / 2
        corners = [(left - mm, bottom), (left, bottom), (left, top), (left + width, top), (left + width, bottom)]
        painter.setPen(QPen(colour(self.theme.faint), 0.3 * mm))
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in [*corners, (left + width + mm, bottom)]]))
        self._font(2.4)
        painter.drawText(QRectF(0, bottom, self.ruler.left - mm, 4 * mm), Qt.AlignmentFlag.AlignCenter, "1 mV")

    def _time(self, top: float) -> None:
        """Draw the time axis: seconds from the onset."""
        painter, mm, onset = self.painter, self.mm, self.review.alarm.onset
        self._font(2.8)
        painter.setPen(colour(self.theme.faint))
        for second in range(math.ceil((self.review.first - onset) / FS), (self.review.stop - onset) // FS + 1):
            x = self.ruler.x(onset + second * FS)
            painter.drawLine(QLineF(x, top, x, top + mm))
            if second % 2 == 0:
                signed = f"{second:+d}".replace("-", "−")
                text = (
                    translate("Paper", "{seconds} s").format(seconds=signed) if second else translate("Paper", "onset")
                )
                left = min(x - 10 * mm, self.ruler.right - 20 * mm)
                align = Qt.AlignmentFlag.AlignHCenter
                if x + 6 * mm > self.ruler.right:
                    left, align = self.ruler.right - 20 * mm, Qt.AlignmentFlag.AlignRight
                painter.drawText(QRectF(left, top + mm, 20 * mm, AXIS_MM * mm - mm), align, text)

    def _font(self, mm: float, bold: bool = False) -> None:
        self.painter.setFont(unscaled_font(mm * self.mm, bold))
