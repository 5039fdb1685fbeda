"""Dialog that lists the records offered by a publisher, with their rhythms."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from monitor.gui.style.language import translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, font, px
from monitor.view.display_texts import reference_rhythm_phrase
from monitor.view.replay_status import clock
from stream.wire.status_messages import Offer

_NAME = Qt.ItemDataRole.UserRole


class RecordList(QDialog):
    """List of records with a text filter on number and rhythm.

    Attributes
    ----------
    chosen : Signal(str)
        The name of the selected record.
    filter : QLineEdit
    records : QListWidget
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, offers: tuple[Offer, ...], current: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Replay", "Replay another record"))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(translate("Replay", "number or rhythm, such as 208 or flutter"))
        self.records = QListWidget()
        for offer in offers:
            item = QListWidgetItem(offer_text(offer))
            item.setData(_NAME, offer.name)
            self.records.addItem(item)
            if offer.name == current:
                self.records.setCurrentItem(item)
        self.filter.textChanged.connect(self._apply_filter)
        self.filter.returnPressed.connect(lambda: self._select(self.records.currentItem()))
        self.records.itemClicked.connect(self._select)
        self.records.itemActivated.connect(self._select)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 8, 8, 8)
        whole.addWidget(self.filter)
        whole.addWidget(self.records)
        self.resize(px(560), px(420))
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.setFont(font(15))
        self.setStyleSheet(
            f"background: {theme.panel}; color: {theme.text}"
            f"; selection-background-color: {theme.edge}; selection-color: {theme.text}"
        )

    def _apply_filter(self, text: str) -> None:
        """Show the records whose line contains all words of the filter, and select the first."""
        words = text.lower().split()
        first = None
        for row in range(self.records.count()):
            item = self.records.item(row)
            hidden = not all(word in item.text().lower() for word in words)
            item.setHidden(hidden)
            if not hidden and first is None:
                first = item
        self.records.setCurrentItem(first)  # type: ignore[arg-type]  # None selects nothing

    def _select(self, item: QListWidgetItem | None) -> None:
        if item is None or not self.isVisible():  # a click may also activate the item
            return
        self.chosen.emit(item.data(_NAME))
        self.accept()


def offer_text(offer: Offer) -> str:
    """Return name, length and rhythms of a record."""
    rhythms = ", ".join(text_of(reference_rhythm_phrase(code)) for code in offer.rhythms)
    length = clock(round(offer.seconds)) if offer.seconds else "∞"
    return "   ".join(part for part in (offer.name, length, rhythms) if part)
