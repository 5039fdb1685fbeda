"""The debriefing as one HTML page without scripts and without anything from elsewhere."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from html import escape

from monitor.alarm_log.class_log import strip_id
from monitor.alarm_log.class_reader import ClassSession
from monitor.debriefing import pictures
from monitor.debriefing.alarm_lives import AlarmLife
from monitor.debriefing.assessment import Assessment, Expected, Given, Happening, assess
from monitor.debriefing.pictures import clock
from monitor.debriefing.texts import Texts
from stream.clock import rfc3339, unix_ns
from stream.wire.alarm_texts import Language
from stream.wire.truth_message import Truth

MAX_STRIPS = 12
"""Strips of a session; events beyond are in the table alone."""

Picture = Callable[[str], str]
"""Returns the HTML of an SVG picture."""

_STYLE = """
body{font-family:sans-serif;color:#222;max-width:980px;margin:0 auto;padding:8px;font-size:14px}
h1{font-size:22px;margin:8px 0 2px}h2{font-size:16px;margin:18px 0 6px;border-bottom:1px solid #bbb}
.simulation{background:#7b4fa3;color:#fff;font-weight:bold;padding:4px 8px}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:3px 6px;text-align:left}
td{vertical-align:top}th{color:#555;font-weight:normal}.good{color:#1b7a3d;font-weight:bold}.bad{color:#c62828;font-weight:bold}
.score{font-size:16px;font-weight:bold}
.small{color:#666;font-size:12px}figure{margin:8px 0}svg{max-width:100%;height:auto}
"""


def report(sessions: Sequence[ClassSession], language: Language, picture: Picture = str) -> str:
    """Return the page of some sessions.

    Parameters
    ----------
    sessions : sequence of ClassSession
    language : {"en", "ja"}
    picture : callable
        Places an SVG picture; by default inline.
    """
    texts = Texts(language)
    parts = [_session(one, assess(one), texts, picture) for one in sessions]
    title = texts("title", bed=", ".join(dict.fromkeys(one.bed for one in sessions)))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}"
        f'<p class="simulation">{escape(texts("simulation"))}</p></body></html>\n'
    )


def _session(session: ClassSession, found: Assessment, texts: Texts, picture: Picture) -> str:
    since = _since(found)
    records = dict.fromkeys(one.record for one in session.events)
    head = texts("session", begin=rfc3339(found.begin_ns)[:19].replace("T", " "), length=clock(since(found.end_ns)))
    parts = [
        f'<p class="simulation">{escape(texts("simulation"))}</p>',
        f"<h1>{escape(texts('title', bed=session.bed))}</h1><p>{escape(head)}",
        f"<br>{escape(texts('records', names=', '.join(records)))}" if records else "",
        f'</p><p class="score">{" · ".join(map(escape, _scores(found, texts)))}</p>',
        f"<h2>{escape(texts('timeline'))}</h2><figure>{picture(pictures.timeline(found, texts))}</figure>",
    ]
    if found.happenings:
        heads = ["head.time", "head.happened", "head.alarm", "head.answer", "head.reaction"]
        rows = [_happening(one, texts, since) for one in found.happenings]
        parts.append(f"<h2>{escape(texts('happened'))}</h2>{_table(map(texts, heads), rows)}")
    if found.expected:
        heads = ["head.time", "head.expected", "head.verdict"]
        rows = [_expected(one, texts, since) for one in found.expected]
        parts.append(f"<h2>{escape(texts('expected'))}</h2>{_table(map(texts, heads), rows)}")
    loose = [one for one in found.answers if all(one is not happening.answer for happening in found.happenings)]
    if loose:
        heads = ["head.time", "head.given", "head.true"]
        rows = [[clock(since(one.when_ns)), _answer(one, texts), _true(one, texts)] for one in loose]
        parts.append(f"<h2>{escape(texts('answers'))}</h2>{_table(map(texts, heads), rows)}")
    if found.unfounded:
        lines = [_unfounded(one, texts, since) for one in found.unfounded]
        parts.append(f"<h2>{escape(texts('unfounded'))}</h2><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>")
    if found.notes:
        lines = [f"{clock(since(unix_ns(one.when)))}: {escape(_note(one))}" for one in found.notes]
        parts.append(f"<h2>{escape(texts('notes'))}</h2><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>")
    parts.append(_strips(session, found, texts, picture, since))
    return "".join(parts)


def _since(found: Assessment) -> Callable[[int], float]:
    return lambda moment_ns: (moment_ns - found.begin_ns) / 1e9


def _scores(found: Assessment, texts: Texts) -> Iterable[str]:
    judged = [one for one in found.answers if one.right is not None]
    if judged:
        yield texts("score.answers", right=sum(bool(one.right) for one in judged), count=len(judged))
    if len(found.answers) > len(judged):
        yield texts("score.unknown", count=len(found.answers) - len(judged))
    if found.expected:
        done = sum(one.verdict == "done" for one in found.expected)
        yield texts("score.expected", done=done, count=len(found.expected))
    yield texts("score.alarms", count=len(found.alarms))
    if found.happenings:
        yield texts("score.missed", count=found.missed)
    if found.unfounded:
        yield texts("score.unfounded", count=len(found.unfounded))
    reactions = [one.reaction[1] for one in found.happenings if one.reaction is not None and one.alarm is not None]
    if reactions:
        yield texts("score.reaction", seconds=f"{statistics.median(reactions):.0f}")


def _happening(one: Happening, texts: Texts, since: Callable[[int], float]) -> list[str]:
    if one.alarms:
        named = (
            texts("alarm.after", kind=texts.kind(life.kind), seconds=f"{after:.1f}")
            if after >= 0
            else texts("alarm.before", kind=texts.kind(life.kind))
            for life, after in one.alarms
        )
        alarm = "<br>".join(map(escape, named))
    elif one.missed:
        alarm = f'<span class="bad">{escape(texts("alarm.missed"))}</span>'
    else:
        alarm = escape(texts("alarm.none"))
    reaction = escape(texts("reaction.none"))
    if one.reaction is not None:
        command, delay_s = one.reaction
        name = texts.action(pictures.action_name(command))
        since_alarm = bool(one.alarms) and one.alarms[0][1] >= 0
        key = "reaction.alarm" if since_alarm else "reaction.begin"
        reaction = escape(texts(key, action=name, who=command.who, seconds=f"{delay_s:.1f}"))
    answer = _answer(one.answer, texts) if one.answer is not None else "–"
    return [clock(since(one.span.begin_ns)), _what(one, texts), alarm, answer, reaction]


def _what(one: Happening, texts: Texts) -> str:
    truth = one.truth
    level = f" {truth.level:g} {truth.unit or ''}" if truth.level is not None else ""
    where = f" ({truth.lead})" if truth.lead else ""
    text = f" – {truth.text}" if truth.text and truth.what not in ("injection", "wire_fault") else ""
    return escape(f"{texts.happening(truth.name)}{level}{where}{text}")


def _answer(one: Given, texts: Texts) -> str:
    verdict, style = {True: ("right", "good"), False: ("wrong", "bad"), None: ("unknown", "small")}[one.right]
    text = texts(f"answer.{verdict}", rhythm=texts.happening(one.rhythm), who=one.who)
    return f'<span class="{style}">{escape(text)}</span>'


def _true(one: Given, texts: Texts) -> str:
    return escape(texts("true.unknown") if one.true is None else texts.happening(one.true))


def _expected(one: Expected, texts: Texts, since: Callable[[int], float]) -> list[str]:
    action = texts.action(one.truth.name)
    if one.within_s is not None:
        action = texts("within", action=action, seconds=f"{one.within_s:g}")
    text = f" – {one.truth.text}" if one.truth.text else ""
    verdict = texts(
        f"verdict.{one.verdict}",
        seconds=f"{one.seconds or 0:.1f}",
        within=f"{one.within_s or 0:g}",
        action=texts.action(pictures.action_name(one.instead)) if one.instead is not None else "",
    )
    style = "good" if one.verdict == "done" else "bad"
    when = clock(since(unix_ns(one.truth.when)))
    return [when, escape(f"{action}{text}"), f'<span class="{style}">{escape(verdict)}</span>']


def _note(truth: Truth) -> str:
    """Return the text of a note; of a scenario its title alone."""
    return (truth.text.partition("\n")[0] if truth.what == "scenario" else truth.text) or truth.name


def _unfounded(one: AlarmLife, texts: Texts, since: Callable[[int], float]) -> str:
    priority = texts(f"priority.{one.priority}")
    return escape(
        texts("unfounded.one", time=clock(since(one.raised_ns)), kind=texts.kind(one.kind), priority=priority)
    )


def _strips(
    session: ClassSession, found: Assessment, texts: Texts, picture: Picture, since: Callable[[int], float]
) -> str:
    """Return the strips of what happened, of alarms of high and medium priority without one, and of unfounded ones."""
    drawn = {id(life) for one in found.happenings for life, _ in one.alarms}
    events = [
        (one.span.begin_ns, strip_id(one.truth), one.truth.index, texts.happening(one.truth.name))
        for one in found.happenings
    ]
    events += [
        (one.raised_ns, one.first.alarm_id, one.first.onset, texts.kind(one.kind))
        for one in found.alarms
        if one.priority in ("high", "medium") and id(one) not in drawn
    ]
    stored = sorted(one for one in events if one[1] in session.strips)
    if not stored:
        return ""
    parts = [f"<h2>{escape(texts('strips'))}</h2>", f'<p class="small">{escape(texts("legend"))}</p>']
    for moment_ns, key, onset, name in stored[:MAX_STRIPS]:
        svg = pictures.strip(session.strips[key], onset, session.forecasts.get(key))
        caption = texts("strip.caption", time=clock(since(moment_ns)), text=name)
        parts.append(f"<p><b>{escape(caption)}</b></p><figure>{picture(svg)}</figure>")
    if len(stored) > MAX_STRIPS:
        parts.append(f'<p class="small">{escape(texts("strips.more", count=len(stored) - MAX_STRIPS))}</p>')
    return "".join(parts)


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; heads are text, cells HTML."""
    first = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{first}</tr>{body}</table>"
