"""Rendering of phrases in the language of the window; in a quiz without those that tell the rhythm."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from monitor.gui.style.language import current_language
from monitor.view import display_texts
from stream.wire.alarm_texts import Phrase

_in_quiz = [False]


def set_quiz(on: bool) -> None:
    """Begin or end hiding what tells the rhythm (`monitor.view.quiz`)."""
    _in_quiz[0] = on


def text_of(item: Phrase | Iterable[Phrase] | None) -> str:
    """Return a phrase, or several as sentences, in the language of the window; empty for None."""
    if item is None:
        return ""
    return _text(item if isinstance(item, Phrase) else tuple(item), current_language(), _in_quiz[0])


def plain_text_of(item: Phrase) -> str:
    """Return a phrase in the language of the window; in a quiz, too: for lists of all that there is."""
    return _text(item, current_language(), False)


@lru_cache(maxsize=1024)  # called with the same phrases 60 times per second
def _text(item: Phrase | tuple[Phrase, ...], language: str, quiz: bool) -> str:
    return display_texts.to_text(item, language, quiz=quiz)
