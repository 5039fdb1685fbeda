"""User-visible texts in several languages, rendered from codes and values; no Qt.

A `Phrase` is a code with its values. A table, one per language, has a template for each code; `render` fills it in.
Values are strings (numbers have the same format in all languages here) or phrases, which are rendered first.

`alarm_phrase` returns the phrase of an alarm event, from its kind, reason and values. The event contains its English
text; receivers with the tables can render it in another language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from stream.wire import alarm_texts_en, alarm_texts_ja
from stream.wire.alarm_messages import REASONS, Alarm, AlarmKind
from stream.wire.limit_ranges import LimitName

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

Table = Mapping[str, str]
"""Templates by code, for `str.format`."""

ALARM_TABLES: Mapping[Language, Table] = {"en": alarm_texts_en.ALARMS, "ja": alarm_texts_ja.ALARMS}
"""Templates of alarms: name of each kind, active (``.began``) and ended (``.ended``) condition, and each reason."""

NO_VALUE = "–"
"""Shown in place of a missing value."""

_MAX_DIGITS = 2

_OF_NUMBERS: frozenset[AlarmKind] = frozenset(
    {*get_args(LimitName), "abp_disconnected", "pulse_mismatch"} - {"heart_rate_low", "heart_rate_high"}
)
"""Kinds of values that are not of the ECG: if such an alarm ends because its value is unknown, the text says this."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text, independent of the language.

    Attributes
    ----------
    code : str
        Key of a template.
    values : tuple of (str, value)
        The template's fields; a tuple of values is rendered as a list. Created by `phrase`.
    """

    code: str
    values: tuple[tuple[str, Value], ...] = ()


Value = str | Phrase | tuple["str | Phrase", ...]


def phrase(code: str, **values: Value) -> Phrase:
    """Return a phrase with its values."""
    return Phrase(code, tuple(values.items()))


def render(item: Phrase, table: Table) -> str:
    """Return a phrase as text.

    Raises
    ------
    KeyError
        The table lacks the code, or the phrase lacks a field of the template.
    """
    return table[item.code].format(**{name: _text(value, table) for name, value in item.values})


def kind_phrase(kind: AlarmKind) -> Phrase:
    """Return the name of a kind of alarm."""
    return phrase(f"kind.{kind}")


def alarm_phrase(alarm: Alarm) -> Phrase:
    """Return the phrase of an alarm event; missing values are rendered as `NO_VALUE`.

    If the reason is unknown, it is the name of the kind alone.
    """
    if alarm.reason not in REASONS:
        return kind_phrase(alarm.kind)
    condition = phrase(
        f"{alarm.kind}.{'began' if alarm.end is None else 'ended'}",
        value=_value(alarm),
        limit=_number(alarm.limit, "g"),
        beats=_number(alarm.beats, "d"),
        leads=alarm.leads or NO_VALUE,
        observed=_number(alarm.observed, ".2f"),
        predicted=_number(alarm.predicted, ".2f"),
        horizon=_number(alarm.horizon_ms, ".0f"),
        seconds=_number(alarm.duration_s, ".0f"),
    )
    no_value = alarm.reason == "signal_unusable" and alarm.kind in _OF_NUMBERS
    return phrase(
        "reason.no_value" if no_value else f"reason.{alarm.reason}",
        condition=condition,
        value=_value(alarm),
        replacement=NO_VALUE if alarm.replaced_by is None else kind_phrase(alarm.replaced_by),
        who=alarm.switched_off_by or NO_VALUE,
        seconds=_number(alarm.duration_s, ".0f"),
    )


def with_text(alarm: Alarm) -> Alarm:
    """Return the event with its English text."""
    return msgspec.structs.replace(alarm, text=render(alarm_phrase(alarm), ALARM_TABLES["en"]))


def _text(value: Value, table: Table) -> str:
    if isinstance(value, Phrase):
        return render(value, table)
    if isinstance(value, tuple):
        return table["separator"].join(_text(part, table) for part in value)
    return value


def _value(alarm: Alarm) -> str:
    """Return the rounded value; a value just beyond its limit must not be rounded to the limit."""
    value, limit = alarm.value, alarm.limit
    digits = 1 if alarm.kind == "asystole" or alarm.reason == "samples_lost" else 0
    if value is not None and round(value, digits) == limit:
        digits = 1 if round(value, 1) != limit or value == limit else _MAX_DIGITS
    return _number(value, f".{digits}f")


def _number(value: float | None, form: str) -> str:
    return NO_VALUE if value is None else format(value, form)
