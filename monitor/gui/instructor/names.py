"""Names of rhythms, injections and vital signs, and of what is done to a bed, in the language of the window."""

from __future__ import annotations

from monitor.debriefing.texts import TABLES
from monitor.gui.style.language import current_language, translate
from monitor.gui.style.text_lookup import text_of
from monitor.view.display_texts import reference_rhythm_phrase
from monitor.view.instruction import place
from stream.wire.alarm_texts import Table
from stream.wire.truth_message import Truth


def _table() -> Table:
    return TABLES["ja" if current_language() == "ja" else "en"]


def rhythm_name(code: str) -> str:
    """Return the name of a rhythm."""
    return text_of(reference_rhythm_phrase(code))


def name_of(code: str) -> str:
    """Return the name of an injection or a vital sign; the code if it has none."""
    return _table().get(f"name.{code}", code.replace("_", " "))


def action_name(do: str) -> str:
    """Return the name of what a student may do."""
    return _table().get(f"do.{do}", do)


def kind_name(kind: str) -> str:
    """Return the name of a kind of alarm."""
    return _table().get(f"kind.{kind}", kind)


def _expected(truth: Truth) -> str:
    """Return what a student should do, or whether it was done."""
    action, values = action_name(truth.name), truth.values
    if truth.phase != "end":
        expected = translate("Instructor", "student: {action} within {seconds} s")
        return expected.format(action=action, seconds=f"{values.get('within_s', 0):g}")
    if values.get("done"):
        done = translate("Instructor", "{action}: done after {seconds} s")
        return done.format(action=action, seconds=f"{values.get('seconds', 0):.0f}")
    return translate("Instructor", "{action}: missed").format(action=action)


def truth_line(truth: Truth) -> str:
    """Return a line on something that is done to a bed."""
    phase = {
        "begin": translate("Instructor", "begins"),
        "end": translate("Instructor", "ends"),
        "at": "",
    }[truth.phase]
    name = rhythm_name(truth.name) if truth.what in ("rhythm", "episode", "reference") else name_of(truth.name)
    if truth.what == "note":
        name = translate("Instructor", "note: {text}").format(text=truth.text)
    elif truth.what == "scenario":
        name = translate("Instructor", "scenario {name}").format(name=truth.name)
    elif truth.what == "expected_action":
        name, phase = _expected(truth), ""
    level = "" if truth.level is None else f"{truth.level:g} {truth.unit or ''}".strip()
    lead = truth.lead or ""
    return "   ".join(part for part in (place(truth), name, lead, level, phase) if part)
