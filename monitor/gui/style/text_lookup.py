"""Rendering of phrases in the language of the window."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from monitor.gui.style.language import current_language
from monitor.view import display_texts
from stream.wire.alarm_texts import Phrase


def text_of(item: Phrase | Iterable[Phrase] | None) -> str:
    """Return a phrase, or several as sentences, in the language of the window; empty for None."""
    if item is None:
        return ""
    return _text(item if isinstance(item, Phrase) else tuple(item), current_language())


@lru_cache(maxsize=1024)  # called with the same phrases 60 times per second
def _text(item: Phrase | tuple[Phrase, ...], language: str) -> str:
    return display_texts.to_text(item, language)
