"""Texts that come in English from below the window or over the wire, said in the language of the window.

What a worker writes into its alarms stays English on the wire. Here each such text is found again by its template, with
its values, and said in other words. A template is matched as a whole; where one holds ``{what}`` or the like, that part
is said by itself. A text without a template stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from monitor.gui.style.language import QT_TRANSLATE_NOOP, current, translate

LINKS = (
    QT_TRANSLATE_NOOP("Phrases", "NO BROKER"),
    QT_TRANSLATE_NOOP("Phrases", "NO BROKER {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "WAITING FOR DATA"),
    QT_TRANSLATE_NOOP("Phrases", "ENDED"),
    QT_TRANSLATE_NOOP("Phrases", "ENDED {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "NO DATA"),
    QT_TRANSLATE_NOOP("Phrases", "NO DATA {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "NO WORKER"),
    QT_TRANSLATE_NOOP("Phrases", "NO WORKER {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "NO FORECAST"),
    QT_TRANSLATE_NOOP("Phrases", "NO FORECAST {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "LEARNING"),
    QT_TRANSLATE_NOOP("Phrases", "LEARNING {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "LIVE"),
    QT_TRANSLATE_NOOP("Phrases", "LIVE {age} s"),
)
REPLAY = (
    QT_TRANSLATE_NOOP("Phrases", "PAUSED"),
    QT_TRANSLATE_NOOP("Phrases", "PAUSED {age} s"),
    QT_TRANSLATE_NOOP("Phrases", "the replay is paused"),
    QT_TRANSLATE_NOOP("Phrases", "asked for: {wishes} …"),
    QT_TRANSLATE_NOOP("Phrases", "not done: {wishes}"),
    QT_TRANSLATE_NOOP("Phrases", "play"),
    QT_TRANSLATE_NOOP("Phrases", "pause"),
    QT_TRANSLATE_NOOP("Phrases", "go to {when}"),
    QT_TRANSLATE_NOOP("Phrases", "speed ×{speed}"),
    QT_TRANSLATE_NOOP("Phrases", "loop"),
    QT_TRANSLATE_NOOP("Phrases", "no loop"),
    QT_TRANSLATE_NOOP("Phrases", "record {record}"),
    QT_TRANSLATE_NOOP("Phrases", "rhythm"),
    QT_TRANSLATE_NOOP("Phrases", "reference"),
    QT_TRANSLATE_NOOP("Phrases", "detected"),
)
NOTICES = (
    QT_TRANSLATE_NOOP("Phrases", "NO CONNECTION TO THE BROKER"),
    QT_TRANSLATE_NOOP("Phrases", "no data yet"),
    QT_TRANSLATE_NOOP("Phrases", "the record has ended"),
    QT_TRANSLATE_NOOP("Phrases", "NO WORKER: no forecast, no alarms"),
    QT_TRANSLATE_NOOP("Phrases", "the worker is silent: no alarms"),
    QT_TRANSLATE_NOOP("Phrases", "learning this patient: no alarms yet"),
    QT_TRANSLATE_NOOP("Phrases", "connected to {address}"),
    QT_TRANSLATE_NOOP("Phrases", "connecting to {address} …"),
    QT_TRANSLATE_NOOP("Phrases", "connection to {address} lost; trying again"),
    QT_TRANSLATE_NOOP(
        "Phrases",
        "broker {address} cannot be reached ({problem}): check --broker, or start one with 'bedside broker'; "
        "trying again",
    ),
    QT_TRANSLATE_NOOP(
        "Phrases", "broker {address} refuses this client ({problem}): check user name and password; trying again"
    ),
)
RHYTHMS = (
    QT_TRANSLATE_NOOP("Phrases", "sinus"),
    QT_TRANSLATE_NOOP("Phrases", "bigeminy"),
    QT_TRANSLATE_NOOP("Phrases", "trigeminy"),
    QT_TRANSLATE_NOOP("Phrases", "paced"),
    QT_TRANSLATE_NOOP("Phrases", "atrial bigeminy"),
    QT_TRANSLATE_NOOP("Phrases", "atrial flutter"),
    QT_TRANSLATE_NOOP("Phrases", "ventricular bigeminy"),
    QT_TRANSLATE_NOOP("Phrases", "heart block, second degree"),
    QT_TRANSLATE_NOOP("Phrases", "idioventricular rhythm"),
    QT_TRANSLATE_NOOP("Phrases", "normal sinus rhythm"),
    QT_TRANSLATE_NOOP("Phrases", "nodal rhythm"),
    QT_TRANSLATE_NOOP("Phrases", "paced rhythm"),
    QT_TRANSLATE_NOOP("Phrases", "pre-excitation"),
    QT_TRANSLATE_NOOP("Phrases", "sinus bradycardia"),
    QT_TRANSLATE_NOOP("Phrases", "supraventricular tachyarrhythmia"),
    QT_TRANSLATE_NOOP("Phrases", "ventricular trigeminy"),
    QT_TRANSLATE_NOOP("Phrases", "ventricular flutter"),
)
KINDS = (
    QT_TRANSLATE_NOOP("Phrases", "asystole"),
    QT_TRANSLATE_NOOP("Phrases", "ventricular fibrillation"),
    QT_TRANSLATE_NOOP("Phrases", "ventricular tachycardia"),
    QT_TRANSLATE_NOOP("Phrases", "extreme tachycardia"),
    QT_TRANSLATE_NOOP("Phrases", "extreme bradycardia"),
    QT_TRANSLATE_NOOP("Phrases", "pvc run"),
    QT_TRANSLATE_NOOP("Phrases", "heart rate high"),
    QT_TRANSLATE_NOOP("Phrases", "heart rate low"),
    QT_TRANSLATE_NOOP("Phrases", "atrial fibrillation"),
    QT_TRANSLATE_NOOP("Phrases", "residual"),
    QT_TRANSLATE_NOOP("Phrases", "no data"),
    QT_TRANSLATE_NOOP("Phrases", "lead off"),
    QT_TRANSLATE_NOOP("Phrases", "saturation"),
    QT_TRANSLATE_NOOP("Phrases", "noise"),
)
ALARMS = (
    QT_TRANSLATE_NOOP("Phrases", "Ventricular fibrillation or flutter"),
    QT_TRANSLATE_NOOP("Phrases", "Ventricular fibrillation or flutter for {seconds} s"),
    QT_TRANSLATE_NOOP("Phrases", "Asystole: no QRS complex for {value} s"),
    QT_TRANSLATE_NOOP("Phrases", "Ventricular tachycardia: {beats} beats at {value}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Ventricular tachycardia: up to {beats} beats, up to {value}/min"),
    QT_TRANSLATE_NOOP("Phrases", "PVC run: {beats} in a row at {value}/min"),
    QT_TRANSLATE_NOOP("Phrases", "PVC run: up to {beats} in a row, up to {value}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Extreme tachycardia: {value}/min over {beats} beats, above {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Extreme tachycardia: up to {value}/min over {beats} beats"),
    QT_TRANSLATE_NOOP("Phrases", "Extreme bradycardia: {value}/min over {beats} beats, below {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Extreme bradycardia: down to {value}/min over {beats} beats"),
    QT_TRANSLATE_NOOP("Phrases", "Heart rate high: {value}/min, above {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Heart rate high: up to {value}/min, above {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Heart rate low: {value}/min, below {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Heart rate low: down to {value}/min, below {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "Atrial fibrillation: the beats come irregularly"),
    QT_TRANSLATE_NOOP("Phrases", "Atrial fibrillation for {seconds} s"),
    QT_TRANSLATE_NOOP(
        "Phrases",
        "Waveform left its forecast: observed {observed} mV where {predicted} mV was expected "
        "({lead}, {ahead} ms ahead)",
    ),
    QT_TRANSLATE_NOOP("Phrases", "No data for {seconds} s"),
    QT_TRANSLATE_NOOP("Phrases", "Lead off: {leads}"),
    QT_TRANSLATE_NOOP("Phrases", "Signal at the end of the amplifier's range: {leads}"),
    QT_TRANSLATE_NOOP("Phrases", "Noise hides the QRS complexes: {leads}"),
    QT_TRANSLATE_NOOP("Phrases", "Switched off by {who}"),
    QT_TRANSLATE_NOOP("Phrases", "switched off"),
    QT_TRANSLATE_NOOP("Phrases", "became {kind}"),
    QT_TRANSLATE_NOOP("Phrases", "not known any more: the signal is not usable"),
    QT_TRANSLATE_NOOP("Phrases", "the signal breaks off"),
    QT_TRANSLATE_NOOP("Phrases", "{what}; {why}"),
)
REVIEW = (
    QT_TRANSLATE_NOOP("Phrases", "Alarm"),
    QT_TRANSLATE_NOOP("Phrases", "When"),
    QT_TRANSLATE_NOOP("Phrases", "Observed"),
    QT_TRANSLATE_NOOP("Phrases", "Surprise"),
    QT_TRANSLATE_NOOP("Phrases", "Measured"),
    QT_TRANSLATE_NOOP("Phrases", "Seen by"),
    QT_TRANSLATE_NOOP("Phrases", "Repeats"),
    QT_TRANSLATE_NOOP("Phrases", "Where"),
    QT_TRANSLATE_NOOP("Phrases", "{kind}, high priority"),
    QT_TRANSLATE_NOOP("Phrases", "{kind}, medium priority"),
    QT_TRANSLATE_NOOP("Phrases", "{kind}, low priority"),
    QT_TRANSLATE_NOOP("Phrases", "{kind}, technical"),
    QT_TRANSLATE_NOOP("Phrases", "raised {when}, lasts for {seconds} s now"),
    QT_TRANSLATE_NOOP("Phrases", "raised {when}, lasted {seconds} s"),
    QT_TRANSLATE_NOOP("Phrases", "raised before this monitor looked, lasts for {seconds} s now"),
    QT_TRANSLATE_NOOP("Phrases", "raised before this monitor looked, lasted {seconds} s"),
    QT_TRANSLATE_NOOP("Phrases", "{observed} mV where {predicted} mV had been forecast"),
    QT_TRANSLATE_NOOP("Phrases", "{score}, alarm from {threshold}"),
    QT_TRANSLATE_NOOP("Phrases", "{value}/min, limit {limit}/min"),
    QT_TRANSLATE_NOOP("Phrases", "{value} s, limit {limit} s"),
    QT_TRANSLATE_NOOP("Phrases", "{value}, limit {limit}"),
    QT_TRANSLATE_NOOP("Phrases", "{value} s"),
    QT_TRANSLATE_NOOP("Phrases", "nobody has acknowledged it"),
    QT_TRANSLATE_NOOP("Phrases", "acknowledged by {who} at {when}"),
    QT_TRANSLATE_NOOP("Phrases", "acknowledged by {who}"),
    QT_TRANSLATE_NOOP("Phrases", "raised once before, since one was last acknowledged"),
    QT_TRANSLATE_NOOP("Phrases", "raised {count} times before, since one was last acknowledged"),
    QT_TRANSLATE_NOOP("Phrases", "{bed}, {record}, sample {sample} of its session"),
    QT_TRANSLATE_NOOP("Phrases", "No samples of this bed have come."),
    QT_TRANSLATE_NOOP("Phrases", "The samples of this event are gone: it is of another session."),
    QT_TRANSLATE_NOOP("Phrases", "The samples of this event are gone: {why}."),
    QT_TRANSLATE_NOOP("Phrases", "The first {seconds} s are gone: {why}."),
    QT_TRANSLATE_NOOP("Phrases", "{seconds} s are missing or invalid."),
    QT_TRANSLATE_NOOP("Phrases", "The last {seconds} s have not come: {why}."),
    QT_TRANSLATE_NOOP("Phrases", "{seconds} s still to come …"),
    QT_TRANSLATE_NOOP("Phrases", "The last {seconds} s never came: the session has ended."),
    QT_TRANSLATE_NOOP("Phrases", "the monitor keeps 11 minutes"),
    QT_TRANSLATE_NOOP("Phrases", "the monitor was opened, or the leads changed, after it"),
    QT_TRANSLATE_NOOP("Phrases", "other samples are gone: a new session has begun"),
)
TEMPLATES = (*LINKS, *REPLAY, *NOTICES, *RHYTHMS, *KINDS, *ALARMS, *REVIEW)

_NAMED = frozenset(
    {"address", "problem", "what", "why", "who", "when", "kind", "wishes", "leads", "lead", "bed", "record"}
)
_SAID = frozenset({"what", "why", "kind"})
_FIELD = re.compile(r"\\\{(\w+)\\\}")
_SENTENCES = re.compile(r"(?<=[.…]) (?=\S)")


def say(text: str) -> str:
    """Return an English text in the language of the window."""
    return text if current() == "en" else _say(current(), text)


@lru_cache(maxsize=1024)
def _say(language: str, text: str) -> str:
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            values = {name: say(value) if name in _SAID else value for name, value in found.groupdict().items()}
            if "wishes" in values:
                values["wishes"] = ", ".join(map(say, values["wishes"].split(", ")))
            return translate("Phrases", template).format(**values)
    sentences = _SENTENCES.split(text)
    return "".join(_say(language, sentence) for sentence in sentences) if len(sentences) > 1 else text


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each template with the pattern of what it can say: those with the most words of their own first."""
    ordered = sorted(TEMPLATES, key=lambda template: -len(re.sub(r"\{\w+\}", "", template)))
    return tuple((template, re.compile(_FIELD.sub(_field, re.escape(template)))) for template in ordered)


def _field(found: re.Match[str]) -> str:
    name = found[1]
    return f"(?P<{name}>.+?)" if name in _NAMED else rf"(?P<{name}>[-−+]?\d+(?:\.\d+)?)"
