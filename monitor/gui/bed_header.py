"""The line above the trace: which bed, which recording, and how far it can be trusted."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from monitor.frame import Frame
from monitor.gui.theme import Theme, font

_ROOMY = 1000


class BedHeader(QWidget):
    """Bed, recording, SYNTHETIC, FROZEN in place of the legend, and the connection with the age of the data.

    Attributes
    ----------
    replay : QPushButton
        Opens and closes what controls the replay.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.bed, self.record, self.synthetic, self.link = QLabel(), QLabel(), QLabel("SYNTHETIC"), QLabel()
        self.bed.setFont(font(22, bold=True))
        self.bed.setStyleSheet(f"color: {theme.text}")
        self.record.setFont(font(14))
        self.record.setStyleSheet(f"color: {theme.faint}")
        self.replay = QPushButton("Replay  (V)")
        self.replay.setFont(font(13, bold=True))
        self.replay.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.replay.setStyleSheet(
            f"QPushButton {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.faint};"
            f" padding: 3px 8px }} QPushButton:pressed {{ background: {theme.edge} }}"
        )
        self.synthetic.setFont(font(16, bold=True))
        self.synthetic.setStyleSheet(f"color: {theme.ground}; background: {theme.simulation}; padding: 2px 8px")
        self.synthetic.hide()
        self.legend = QLabel(
            f'<span style="color:{theme.forecast}">━ forecast, 90 % band</span> &nbsp; '
            f'<span style="color:{theme.ghost}">━ what had been forecast 100 ms before</span>'
        )
        self.legend.setFont(font(13))
        self.frozen = QLabel()
        self.frozen.setFont(font(18, bold=True))
        self.frozen.setStyleSheet(f"color: {theme.ground}; background: {theme.calipers}; padding: 1px 10px")
        self.frozen.hide()
        self.link.setFont(font(20, bold=True))
        self._link_style = ""
        # A glyph from another font would make the line taller, and the trace jump.
        self.setFixedHeight(38)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 4)
        row.setSpacing(16)
        for widget in (self.bed, self.record, self.replay, self.synthetic):
            row.addWidget(widget, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.legend, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.frozen, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.link, alignment=Qt.AlignmentFlag.AlignVCenter)

    def show_frame(self, frame: Frame, paper: str) -> None:
        """Take the texts of a frame, and the scale of the paper in words."""
        _set(self.bed, (frame.bed or "no bed yet").upper())
        parts = []
        if frame.trace is not None:
            at = max(frame.position_s, 0)
            parts = [f"{frame.record} at {at // 60}:{at % 60:02}", paper]
            if frame.speed != 1:
                parts.append(f"replayed at ×{frame.speed:g}")
        _set(self.record, " · ".join(parts))
        if self.synthetic.isHidden() == frame.synthetic:
            self.synthetic.setVisible(frame.synthetic)
        _set(self.link, f"● {frame.link.text}")
        style = f"color: {self.theme.link[frame.link.state]}"
        if style != self._link_style:
            self._link_style = style
            self.link.setStyleSheet(style)

    def show_frozen(self, text: str) -> None:
        """Say that the trace stands; an empty text brings the legend back."""
        if text != self.frozen.text():
            self.frozen.setText(text)
            self.frozen.setVisible(bool(text))
        narrow = self.width() < _ROOMY
        for label, hidden in ((self.record, bool(text) and narrow), (self.legend, bool(text) or narrow)):
            if label.isHidden() != hidden:
                label.setHidden(hidden)


def _set(label: QLabel, text: str) -> None:
    # Setting the text it has would lay out the window again.
    if label.text() != text:
        label.setText(text)
