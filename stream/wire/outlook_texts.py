"""Texts of an outlook, rendered from its codes and values as those of alarms are; no Qt.

`stream.wire.alarm_texts.render` fills in `OUTLOOK_TABLES`, one table per language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from stream.wire import outlook_texts_en, outlook_texts_ja
from stream.wire.alarm_texts import NO_VALUE, Language, Phrase, Table, phrase, render
from stream.wire.numerics_message import UNIT_OF, NumericName
from stream.wire.outlook_message import Outlook, Reason, RiskName

OUTLOOK_TABLES: Mapping[Language, Table] = {"en": outlook_texts_en.OUTLOOK, "ja": outlook_texts_ja.OUTLOOK}
"""Templates of values, risks, parts of the score, and reasons."""

_DIGITS: Mapping[NumericName, int] = {"temperature": 1}


def value_text(name: NumericName, value: float | None) -> str:
    """Return a value with the digits that its name has on monitors."""
    return NO_VALUE if value is None else f"{value:z.{_DIGITS.get(name, 0)}f}"


def name_phrase(name: NumericName) -> Phrase:
    """Return the short name of a numeric."""
    return phrase(f"name.{name}")


def risk_phrase(name: RiskName) -> Phrase:
    """Return what a risk is of."""
    return phrase(f"risk.{name}")


def part_phrase(name: str) -> Phrase:
    """Return the name of a part of the score; an unknown one is returned unchanged."""
    code = f"part.{name}"
    return phrase(code if code in outlook_texts_en.OUTLOOK else "verbatim_part", name=name)


def reason_phrase(reason: Reason) -> Phrase:
    """Return why there is an advisory, such as ``MAP fell from 78 to 69 mmHg in 3 h``.

    For an unknown code it is name and value alone.
    """
    code = f"cause.{reason.code}"
    known = code in outlook_texts_en.OUTLOOK
    return phrase(
        code if known else "cause.value",
        name=name_phrase(reason.name),
        value=value_text(reason.name, reason.value),
        before=value_text(reason.name, reason.before),
        unit=UNIT_OF[reason.name],
        hours=NO_VALUE if reason.hours is None else str(reason.hours),
    )


def advisory_phrase(outlook: Outlook) -> Phrase | None:
    """Return the advisory of an outlook with its reasons; None without one."""
    if not outlook.advisory or outlook.advisory_risk is None:
        return None
    event, reasons = risk_phrase(outlook.advisory_risk), tuple(reason_phrases(outlook))
    if not reasons:
        return phrase("advisory", event=event)
    return phrase("advisory.reasons", event=event, reasons=reasons)


def with_text(outlook: Outlook) -> Outlook:
    """Return an outlook with its English text."""
    advisory = advisory_phrase(outlook)
    return replace(outlook, text="" if advisory is None else render(advisory, OUTLOOK_TABLES["en"]))


def reason_phrases(outlook: Outlook) -> Iterator[Phrase]:
    """Yield the reasons of an advisory."""
    return (reason_phrase(reason) for reason in outlook.reasons)
