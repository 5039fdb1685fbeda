"""Texts of the monitor as codes and values, like those of alarms (`stream.wire.alarm_texts`). No Qt.

The view model contains phrases; the window renders them in its language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.view import display_texts_en, display_texts_ja
from monitor.view.quiz import quiz_table
from monitor.view.view_model import AdvisoryCount
from stream.wire.alarm_messages import AlarmKind
from stream.wire.alarm_texts import ALARM_TABLES, Phrase, Table, kind_phrase, phrase, render
from stream.wire.outlook_texts import OUTLOOK_TABLES

TABLES: Mapping[str, Table] = {
    "en": {**OUTLOOK_TABLES["en"], **ALARM_TABLES["en"], **display_texts_en.VIEW},
    "ja": {**OUTLOOK_TABLES["ja"], **ALARM_TABLES["ja"], **display_texts_ja.VIEW},
}
"""All templates of each language, by language code."""

QUIZ_TABLES: Mapping[str, Table] = {language: quiz_table(table, language) for language, table in TABLES.items()}
"""The same of a quiz."""


def english(item: Phrase | Iterable[Phrase]) -> str:
    """Return a phrase, or several as sentences, in English: for logs and files."""
    return to_text(item, "en")


def to_text(item: Phrase | Iterable[Phrase], language: str, *, quiz: bool = False) -> str:
    """Return a phrase, or several as sentences, in a language; in a quiz without what tells the rhythm."""
    table = (QUIZ_TABLES if quiz else TABLES)[language]
    if isinstance(item, Phrase):
        return render(item, table)
    return table["sentence_separator"].join(render(one, table) for one in item)


def advisories_phrase(counted: AdvisoryCount, kind: AlarmKind) -> Phrase:
    """Return the phrase of the entry that counts advisories, the latest of which is of a kind."""
    if counted.count:
        return phrase(f"{kind}.counted", count=str(counted.count), recent=str(counted.recent))
    return phrase(f"{kind}.none")


def rhythm_phrase(rhythm: str) -> Phrase:
    """Return the name of a rhythm reported by the worker, one of `stream.wire.messages.Rhythm`."""
    return phrase(f"rhythm.{rhythm.replace(' ', '_')}")


def short_rhythm_phrase(rhythm: str) -> Phrase:
    """Return the short name of a rhythm reported by the worker other than ``unknown``."""
    return phrase(f"rhythm.short.{rhythm.replace(' ', '_')}")


def short_kind_phrase(kind: AlarmKind) -> Phrase:
    """Return the short name of a kind of alarm; its name if that is short."""
    short = f"kind.short.{kind}"
    return phrase(short) if short in display_texts_en.VIEW else kind_phrase(kind)


def reference_rhythm_phrase(code: str) -> Phrase:
    """Return the name of a rhythm code of MIT-BIH annotations; unknown codes are returned unchanged."""
    known = f"mitbih.{code}"
    return phrase(known) if known in display_texts_en.VIEW else phrase("verbatim", text=code)
