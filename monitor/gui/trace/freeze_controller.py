"""The standing trace in the window: keys, the words over it, and the calipers on it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from monitor.gui.style.label import Label
from monitor.gui.style.language import QT_TRANSLATE_NOOP, translate
from monitor.gui.style.phrases import text_of
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
_HINT_AT, _HINT_BELOW = (GUTTER + 300, 2), (GUTTER, 22)


class FreezeController(QObject):
    """Holds the trace while people look at it; everything else in the window goes on.

    Attributes
    ----------
    frozen : FrozenTrace or None
        What stands; None while the trace is live.
    hint : Label
        Says what keys and mouse do.
    calipers : Calipers
    """

    def __init__(self, theme: Theme, sweep: SweepView, strip: QWidget, presenter: Presenter) -> None:
        super().__init__(sweep)
        self.frozen: FrozenTrace | None = None
        self.calipers = Calipers(theme, sweep, sweep.ruler)
        self.calipers.hide()
        self.hint = Label(theme, "calipers", 13, ground="panel", says=lambda: translate("FreezeController", HINT))
        self.hint.setParent(strip)
        self.hint.setWordWrap(True)
        self.hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hint.hide()
        self._strip, self._presenter = strip, presenter

    @property
    def text(self) -> str:
        """FROZEN, since when, and how far back; empty while the trace is live."""
        if self.frozen is None:
            return ""
        frozen = translate("FreezeController", "FROZEN {clock}").format(clock=self.frozen.clock)
        return "   ".join(text for text in (frozen, self.frozen.position, text_of(self.frozen.note)) if text)

    def toggle(self, frame: Frame | None, view: View) -> None:
        """Let the trace of a frame stand still, or go back to the live one."""
        if self.frozen is not None:
            self.thaw()
        elif frame is not None and frame.trace is not None and frame.bed is not None:
            self._stand(frozen_trace.freeze(frame.bed, frame.trace, frame.now_ns, view))
            self.calipers.show()

    def thaw(self) -> None:
        """Go back to the live trace."""
        self.frozen = None
        self.calipers.remove()
        self.calipers.hide()
        self.hint.hide()

    def trace(self, frame: Frame, view: View) -> tuple[Trace | None, bool]:
        """Return the trace to show, and whether it dims because it is not of now: one that stands says so itself."""
        if self.frozen is not None and self.frozen.bed != frame.bed:
            self.thaw()
        bed = self._bed()
        if self.frozen is None or bed is None:
            return frame.trace, frame.link.stale
        if view != self.frozen.view:
            self._stand(frozen_trace.fit_view(self.frozen, bed, view))
        return self.frozen.trace, False

    def press(self, key: int) -> bool:
        """Do what a key asks of a standing trace; False where it asks nothing."""
        bed = self._bed()
        if self.frozen is None or bed is None:
            return False
        if key == Qt.Key.Key_Left:
            self._stand(frozen_trace.scroll(self.frozen, bed, -1))
        elif key == Qt.Key.Key_Right:
            self._stand(frozen_trace.scroll(self.frozen, bed, +1))
        elif key == Qt.Key.Key_Home:
            self._stand(frozen_trace.oldest(self.frozen, bed))
        elif key == Qt.Key.Key_End:
            self._stand(frozen_trace.newest(self.frozen, bed))
        elif key == Qt.Key.Key_Escape:
            return self.calipers.remove()
        else:
            return False
        return True

    def _bed(self) -> Bed | None:
        return None if self.frozen is None else self._presenter.bed(self.frozen.bed)

    def _stand(self, frozen: FrozenTrace) -> None:
        self.frozen = frozen
        wide = self.hint.fontMetrics().horizontalAdvance(self.hint.text()) + px(24)
        left, top = map(px, _HINT_AT if px(_HINT_AT[0]) + wide <= self._strip.width() else _HINT_BELOW)
        wide = min(wide, self._strip.width() - left)
        self.hint.setGeometry(left, top, wide, self.hint.heightForWidth(wide))
        self.hint.show()
        self.calipers.update()
