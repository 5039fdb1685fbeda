"""Header above the trace: bed, recording and connection state."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from monitor.gui.style.label import ElidedLabel, Label, button_style
from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, font, px
from monitor.view.link import LinkState
from monitor.view.view_model import Frame

_WIDE_PX = 1120
"""Width from which the legend is shown, px at normal font size."""

_HEIGHT = 38


class BedHeader(QWidget):
    """Shows bed, recording, SYNTHETIC, the legend or FROZEN, and the connection with the data age.

    Attributes
    ----------
    replay : QPushButton
        Shows or hides the replay controls.
    hours : QPushButton
        Shows or hides the hours of a bed with ECG, if there is an outlook on them; in the colour of an early warning.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.bed, self.record = Label(theme, "text", 22, bold=True), _RecordLabel(theme, "faint", 14)
        self.replay = QPushButton()
        self.hours = QPushButton()
        for button in (self.replay, self.hours):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hours.hide()
        self._warned = False
        self.synthetic = Label(
            theme, "ground", 16, bold=True, ground="simulation", text_source=lambda: translate("BedHeader", "SYNTHETIC")
        )
        self.synthetic.hide()
        self.legend = Label(theme, "faint", 13)
        self.legend.setTextFormat(Qt.TextFormat.RichText)  # a fixed text, with coloured lines
        self.frozen = Label(theme, "ground", 18, bold=True, ground="calipers")
        self.frozen.hide()
        self._state, self._forecast = LinkState.WAITING, "ahead"
        self.link = Label(theme, lambda theme: theme.link(self._state), 20, bold=True)
        self.record.setMinimumWidth(1)  # it gives way in a narrow window, not the state of the connection
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 14, 4)
        row.setSpacing(16)
        for widget in (self.bed, self.record, self.replay, self.hours, self.synthetic):
            row.addWidget(widget, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.legend, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.frozen, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self.link, alignment=Qt.AlignmentFlag.AlignVCenter)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; the labels are updated separately."""
        self.theme = theme
        # A glyph of a fallback font would make the line taller and move the trace.
        self.setFixedHeight(px(_HEIGHT))
        self.replay.setText(translate("BedHeader", "Replay  (V)"))
        for button in (self.replay, self.hours):
            button.setFont(font(13, bold=True))
        self.replay.setStyleSheet(button_style(theme))
        self._update_hours()
        self.show_legend(self._forecast)

    def _update_hours(self) -> None:
        """Name the hours; while an early warning stands, by its name and in its colour."""
        theme, warned = self.theme, self._warned
        name = translate("BedHeader", "Early warning  (H)") if warned else translate("BedHeader", "Hours  (H)")
        self.hours.setText(name)
        ink = f" QPushButton, QPushButton:disabled {{ color: {theme.priority['medium']} }}" if warned else ""
        self.hours.setStyleSheet(button_style(theme) + ink)

    def show_legend(self, forecast: str) -> None:
        """Show what is drawn of forecasts: a value of the preference ``forecast``."""
        self._forecast = forecast
        now, before = translate("BedHeader", "forecast, 90 % band"), translate("BedHeader", "forecast 100 ms before")
        parts = {"ahead": [(self.theme.forecast, now)], "off": []}
        shown = parts.get(forecast, [(self.theme.forecast, now), (self.theme.predicted, before)])
        self.legend.setText(" &nbsp; ".join(f'<span style="color:{ink}">━</span> {name}' for ink, name in shown))

    def show_frame(self, frame: Frame, scale: str) -> None:
        """Show the texts of a frame, and a text with paper speed and gain."""
        parts, chunk = [], frame.waveform
        if frame.trace is not None and chunk is not None:
            at = max(frame.position_s, 0)
            place = f"{at // 60}:{at % 60:02}"
            parts = [translate("BedHeader", "{record} at {place}").format(record=chunk.record, place=place), scale]
            parts += _speed_texts(chunk.speed)
        self._show(frame, parts)

    def show_chart(self, frame: Frame) -> None:
        """Show the texts of a frame of a bed without ECG; there is neither a scale nor a legend."""
        parts, chart = [], frame.chart
        if chart is not None:
            parts = [translate("BedHeader", "{record} at hour {hour}").format(record=chart.record, hour=chart.hour)]
            parts += _speed_texts(chart.speed)
        for label in (self.legend, self.frozen):
            if not label.isHidden():
                label.hide()
        self._show(frame, parts)

    def _show(self, frame: Frame, parts: list[str]) -> None:
        offered = frame.hours is not None and frame.chart is None
        if self.hours.isHidden() == offered:
            self.hours.setVisible(offered)
        warned = frame.hours is not None and frame.hours.outlook.advisory
        if warned != self._warned:
            self._warned = warned
            self._update_hours()
        _set(self.bed, (frame.bed or translate("BedHeader", "no bed yet")).upper())
        _set(self.record, " · ".join(parts))
        if self.synthetic.isHidden() == frame.synthetic:
            self.synthetic.setVisible(frame.synthetic)
        _set(self.link, f"● {text_of(frame.link.phrase)}")
        if frame.link.state is not self._state:
            self._state = frame.link.state
            self.link.apply_theme(self.theme)

    def show_frozen(self, text: str) -> None:
        """Show the text of a frozen trace; an empty text restores the legend."""
        if text != self.frozen.text():
            self.frozen.setText(text)
            self.frozen.setVisible(bool(text))
        narrow = self.width() < px(_WIDE_PX)
        for label, hidden in ((self.record, bool(text) and narrow), (self.legend, bool(text) or narrow)):
            if label.isHidden() != hidden:
                label.setHidden(hidden)


class _RecordLabel(ElidedLabel):
    """Label that takes no more room than its text needs, and less in a narrow window."""

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the text."""
        return Label.sizeHint(self)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return no width."""
        return QSize(0, self.sizeHint().height())


def _speed_texts(speed: float) -> list[str]:
    return [] if speed == 1 else [translate("BedHeader", "replayed at ×{speed}").format(speed=f"{speed:g}")]


def _set(label: QLabel, text: str) -> None:
    # Setting an unchanged text would trigger a new layout of the window.
    if label.text() != text:
        label.setText(text)
