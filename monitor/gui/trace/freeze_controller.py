"""Frozen trace in the window: keys, status text and calipers."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt

from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import Theme, px
from monitor.gui.trace.calipers import Calipers
from monitor.gui.trace.sweep import GUTTER, SweepView
from monitor.view import frozen_trace
from monitor.view.bed import Bed
from monitor.view.frozen_trace import FrozenTrace
from monitor.view.presenter import Presenter
from monitor.view.trace import Trace, View
from monitor.view.view_model import Frame

HINT = QT_TRANSLATE_NOOP("FreezeController", "Space: live  ·  ← → Home End: move  ·  drag: measure  ·  Esc: no lines")


class FreezeController(QObject):
    """Freezes the trace of a bed; everything else in the window stays live.

    Attributes
    ----------
    frozen : FrozenTrace or None
        None while the trace is live.
    hint : Label
        Help on keys and mouse.
    calipers : Calipers
    """

    def __init__(self, theme: Theme, sweep: SweepView, presenter: Presenter) -> None:
        super().__init__(sweep)
        self.frozen: FrozenTrace | None = None
        self.calipers = Calipers(theme, sweep, sweep.ruler)
        self.calipers.hide()
        self.hint = Label(
            theme, "calipers", 13, ground="panel", text_source=lambda: translate("FreezeController", HINT)
        )
        self.hint.setParent(sweep.parentWidget())
        self.hint.setWordWrap(True)
        self.hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hint.hide()
        self._sweep, self._presenter = sweep, presenter

    @property
    def text(self) -> str:
        """FROZEN with its time and position; empty while the trace is live."""
        if self.frozen is None:
            return ""
        frozen = translate("FreezeController", "FROZEN {clock}").format(clock=self.frozen.clock)
        return "   ".join(text for text in (frozen, self.frozen.position, text_of(self.frozen.note)) if text)

    def toggle(self, frame: Frame | None, view: View) -> None:
        """Freeze the trace of a frame, or return to the live trace."""
        if self.frozen is not None:
            self.unfreeze()
        elif frame is not None and frame.trace is not None and frame.bed is not None:
            self._set_frozen(frozen_trace.freeze(frame.bed, frame.trace, frame.now_ns, view))
            self.calipers.show()

    def unfreeze(self) -> None:
        """Return to the live trace."""
        self.frozen = None
        self.calipers.remove()
        self.calipers.hide()
        self.hint.hide()

    def trace(self, frame: Frame, view: View) -> tuple[Trace | None, bool]:
        """Return the trace to show, and whether it is dimmed as stale; a frozen trace is not."""
        if self.frozen is not None and self.frozen.bed != frame.bed:
            self.unfreeze()
        bed = self._bed()
        if self.frozen is None or bed is None:
            return frame.trace, frame.link.stale
        if view != self.frozen.view:
            self._set_frozen(frozen_trace.fit_view(self.frozen, bed, view))
        return self.frozen.trace, False

    def handle_key(self, key: int) -> bool:
        """Execute a key on the frozen trace; False if the key has no function here."""
        bed = self._bed()
        if self.frozen is None or bed is None:
            return False
        if key == Qt.Key.Key_Left:
            self._set_frozen(frozen_trace.scroll(self.frozen, bed, -1))
        elif key == Qt.Key.Key_Right:
            self._set_frozen(frozen_trace.scroll(self.frozen, bed, +1))
        elif key == Qt.Key.Key_Home:
            self._set_frozen(frozen_trace.oldest(self.frozen, bed))
        elif key == Qt.Key.Key_End:
            self._set_frozen(frozen_trace.newest(self.frozen, bed))
        elif key == Qt.Key.Key_Escape:
            return self.calipers.remove()
        else:
            return False
        return True

    def _bed(self) -> Bed | None:
        return None if self.frozen is None else self._presenter.bed(self.frozen.bed)

    def _set_frozen(self, frozen: FrozenTrace) -> None:
        self.frozen = frozen
        room = self._sweep.width() - px(GUTTER)
        width = min(self.hint.fontMetrics().horizontalAdvance(self.hint.text()) + px(24), room)
        height = self.hint.heightForWidth(width)
        place = self._sweep.geometry()
        self.hint.setGeometry(place.left() + px(GUTTER), place.bottom() - height, width, height)
        self.hint.raise_()
        self.hint.show()
        self.calipers.update()
