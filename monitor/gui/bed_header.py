"""The line above the trace: which bed, which recording, and how far it can be trusted."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from monitor.frame import SWEEP_S, Frame
from monitor.gui.theme import Theme, font


class BedHeader(QWidget):
    """Bed, recording, SYNTHETIC, and the connection indicator with the age of the data."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.bed, self.record, self.synthetic, self.link = QLabel(), QLabel(), QLabel("SYNTHETIC"), QLabel()
        self.bed.setFont(font(22, bold=True))
        self.bed.setStyleSheet(f"color: {theme.text}")
        self.record.setFont(font(14))
        self.record.setStyleSheet(f"color: {theme.faint}")
        self.synthetic.setFont(font(16, bold=True))
        self.synthetic.setStyleSheet(f"color: {theme.ground}; background: {theme.simulation}; padding: 2px 8px")
        self.synthetic.hide()
        self.legend = QLabel(
            f'<span style="color:{theme.forecast}">━ forecast, 90 % band</span> &nbsp; '
            f'<span style="color:{theme.ghost}">━ what had been forecast 100 ms before</span>'
        )
        self.legend.setFont(font(13))
        self.link.setFont(font(20, bold=True))
        self._link_style = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 4)
        row.setSpacing(16)
        for label in (self.bed, self.record, self.synthetic):
            row.addWidget(label, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.legend, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.link, alignment=Qt.AlignmentFlag.AlignVCenter)

    def show_frame(self, frame: Frame, px_per_s: float, px_per_mm: float) -> None:
        """Take the texts of a frame, and the true paper speed on this screen."""
        _set(self.bed, (frame.bed or "no bed yet").upper())
        parts = []
        if frame.trace is not None:
            at = max(frame.position_s, 0)
            parts = [
                f"{frame.record} at {at // 60}:{at % 60:02}",
                f"{px_per_s / px_per_mm:.0f} mm/s",
                f"{SWEEP_S:g} s across",
            ]
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


def _set(label: QLabel, text: str) -> None:
    # Setting the text it has would lay out the window again.
    if label.text() != text:
        label.setText(text)
