"""The pictures of a debriefing as SVG: its timeline, and the ECG of an event with the forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple
from unicodedata import east_asian_width

import numpy as np
import numpy.typing as npt

from monitor.common.strip import MARGIN_SAMPLES, Strip
from monitor.debriefing.assessment import Assessment
from monitor.debriefing.spans import Span
from monitor.debriefing.texts import Texts
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import Command
from stream.wire.answer import Answer
from stream.wire.messages import INVALID

WIDTH = 960
"""Of each picture, px."""

COLOURS = {"high": "#c62828", "medium": "#e08a00", "low": "#3b7ea1", "technical": "#3b7ea1"}
"""Of alarms, by priority."""

_BEFORE_S, _AFTER_S = 4.0, 6.0
_PX_PER_S = WIDTH / (_BEFORE_S + _AFTER_S)
_PX_PER_MV = _PX_PER_S * 0.4
"""25 mm/s and 10 mm/mV have this ratio."""

_LABEL_PX = 130
_Z90 = 1.645
_MAX_LABELS = 40


class _Bar(NamedTuple):
    """A bar of the timeline: from where to where, px; colour and label."""

    left: float
    right: float
    colour: str
    label: str


def timeline(found: Assessment, texts: Texts) -> str:
    """Return the timeline: what happened, alarms, and what was done."""
    begin_ns, end_ns = found.begin_ns, max(found.end_ns, found.begin_ns + 1_000_000_000)
    per_ns = (WIDTH - _LABEL_PX - 10) / (end_ns - begin_ns)

    def x(moment_ns: int) -> float:
        return _LABEL_PX + (min(max(moment_ns, begin_ns), end_ns) - begin_ns) * per_ns

    happened = [
        _Bar(
            x(one.span.begin_ns),
            x(_end_ns(one.span, end_ns)),
            "#7b4fa3",
            texts.happening(one.truth.name),
        )
        for one in found.happenings
    ]
    alarms = [
        _Bar(x(one.raised_ns), x(one.cleared_ns or end_ns), COLOURS[one.priority], texts.kind(one.kind))
        for one in found.alarms
    ]
    actions = [_Bar(x(unix_ns(one.when)), x(unix_ns(one.when)), "#1b7a3d", _label(one, texts)) for one in found.actions]
    parts, y = [], 8.0
    for label, bars in (("row.truth", happened), ("row.alarm", alarms), ("row.action", actions)):
        lanes = _lanes(bars)
        parts.append(_text(0, y + 13, texts(label), "#333", bold=True))
        for number, lane in enumerate(lanes):
            parts += [_bar(bar, y + 22 * number) for bar in lane]
        y += 22 * max(len(lanes), 1) + 10
    parts.append(_axis(begin_ns, end_ns, x, y))
    return _svg(y + 24, parts)


def strip(stored: Strip, onset: int, forecast: npt.NDArray[np.float32] | None) -> str:
    """Return the ECG around the start of an event, all leads below each other.

    Parameters
    ----------
    stored : Strip
    onset : int
        Sample of the session.
    forecast : ndarray of float32, shape (k, 1 + 2 × leads), or None
        As in `monitor.alarm_log.class_reader.ClassSession`.
    """
    adu = stored.adu().astype(np.float64)
    mv = (adu - np.asarray(stored.zero)) / np.asarray(stored.gain)
    mv[stored.adu() == INVALID] = np.nan
    origin = onset - stored.start if onset - stored.start <= 2 * MARGIN_SAMPLES else MARGIN_SAMPLES
    first = origin - round(_BEFORE_S * FS)
    parts: list[str] = []
    top = 0.0
    for lead, name in enumerate(stored.leads):
        rows = np.arange(first, first + round((_BEFORE_S + _AFTER_S) * FS))
        valid = (rows >= 0) & (rows < len(mv))
        trace = np.full(len(rows), np.nan)
        trace[valid] = mv[rows[valid], lead]
        known = trace[~np.isnan(trace)]
        middle = float(np.median(known)) if known.size else 0.0
        reach = float(np.percentile(np.abs(known - middle), 99.5)) if known.size else 0.5
        half = min(max(reach + 0.25, 0.75), 2.5)
        height = 2 * half * _PX_PER_MV
        centre = top + height / 2
        parts.append(_paper(top, height))
        if forecast is not None:
            parts.append(_forecast(forecast, lead, len(stored.leads), first, middle, centre, height))
        parts.append(_trace(trace, middle, centre, height))
        parts.append(_text(6, top + 15, name, "#333", bold=True))
        top += height + 6
    at = _BEFORE_S * _PX_PER_S
    parts.append(f'<path d="M{at:.1f} 0 V{top - 6:.1f}" stroke="#7b4fa3" stroke-width="1.5" stroke-dasharray="5 3"/>')
    return _svg(top - 6, parts)


def _end_ns(span: Span, last_ns: int) -> int:
    """Return the wall time of an end; a value that is set is a moment."""
    if span.truth.what == "vitals":
        return span.begin_ns
    return last_ns if span.ended_by is None else unix_ns(span.ended_by.when)


def _lanes(bars: Iterable[_Bar]) -> list[list[_Bar]]:
    """Return bars in rows in which neither they nor their labels overlap; the latest of very many are left out."""
    lanes: list[list[_Bar]] = []
    ends: list[float] = []
    for bar in sorted(bars)[:_MAX_LABELS]:
        left, right = _extent(bar)
        row = next((i for i, end in enumerate(ends) if end <= left), len(ends))
        if row == len(ends):
            lanes.append([])
            ends.append(0.0)
        lanes[row].append(bar)
        ends[row] = right + 9
    return lanes


def _extent(bar: _Bar) -> tuple[float, float]:
    """Return where a bar begins and ends, with its label."""
    right = max(bar.right, bar.left + 3)
    label_px = 3 + sum(13 if east_asian_width(letter) in "WF" else 7 for letter in bar.label)
    if right + label_px <= WIDTH:
        return bar.left, right + label_px
    return (bar.left, right) if right - bar.left > label_px else (bar.left - label_px, right)


def _bar(bar: _Bar, top: float) -> str:
    """Return a bar with its label at its right; if there is no room, inside it or at its left."""
    left, right = _extent(bar)
    width = max(bar.right - bar.left, 3)
    if right > max(bar.right, bar.left + 3):
        label = _text(bar.left + width + 3, top + 13, bar.label, bar.colour, size=11)
    elif left < bar.left:
        label = _text(bar.left - 3, top + 13, bar.label, bar.colour, size=11, anchor="end")
    else:
        label = _text(bar.left + 5, top + 13, bar.label, "#fff", size=11)
    return f'<rect x="{bar.left:.1f}" y="{top:.1f}" width="{width:.1f}" height="16" rx="2" fill="{bar.colour}"/>{label}'


def _label(command: Command, texts: Texts) -> str:
    """Return what was done; of an answer the rhythm."""
    if isinstance(command.action, Answer):
        return f"? {texts.happening(command.action.rhythm)}"
    return texts.action(action_name(command))


def action_name(command: Command) -> str:
    """Return ``action.do`` of a command."""
    return str(type(command.action).__struct_config__.tag)


def _axis(begin_ns: int, end_ns: int, x: Callable[[int], float], y: float) -> str:
    seconds = (end_ns - begin_ns) / 1e9
    step = next((one for one in (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600) if seconds / one <= 12), 7200)
    parts = [f'<path d="M{_LABEL_PX} {y:.1f} H{WIDTH - 10}" stroke="#888"/>']
    for tick in range(0, int(seconds) + 1, step):
        at = x(begin_ns + tick * 1_000_000_000)
        parts.append(f'<path d="M{at:.1f} {y:.1f} v5" stroke="#888"/>')
        parts.append(_text(at - 12, y + 18, clock(tick), "#555", size=11))
    return "".join(parts)


def clock(seconds: float) -> str:
    """Return a time since the start, such as 1:05 or 1:00:05."""
    whole = max(round(seconds), 0)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _paper(top: float, height: float) -> str:
    vertical = np.arange(0, WIDTH + 1, 0.2 * _PX_PER_S)
    horizontal = np.arange(top, top + height + 1, 0.5 * _PX_PER_MV)
    lines = "".join(f"M{at:.1f} {top:.1f}v{height:.1f}" for at in vertical)
    lines += "".join(f"M0 {at:.1f}h{WIDTH}" for at in horizontal if at <= top + height)
    return (
        f'<rect x="0" y="{top:.1f}" width="{WIDTH}" height="{height:.1f}" fill="#fffafa"/>'
        f'<path d="{lines}" stroke="#f0c8c8" stroke-width="1" fill="none"/>'
    )


def _trace(mv: npt.NDArray[np.float64], middle: float, centre: float, height: float) -> str:
    path = _path(np.arange(len(mv)), mv, middle, centre, height)
    return f'<path d="{path}" stroke="#111" stroke-width="1.3" fill="none"/>'


def _path(
    at: npt.NDArray[np.integer] | npt.NDArray[np.floating],
    mv: npt.NDArray[np.floating],
    middle: float,
    centre: float,
    height: float,
) -> str:
    """Return a path through samples; missing ones interrupt it."""
    x = at * (_PX_PER_S / FS)
    y = np.clip(centre - (mv - middle) * _PX_PER_MV, centre - height / 2, centre + height / 2)
    parts, pen = [], "M"
    for left, down in zip(x, y, strict=True):
        if np.isnan(down):
            pen = "M"
            continue
        parts.append(f"{pen}{left:.1f} {down:.1f}")
        pen = "L"
    return "".join(parts)


def _forecast(
    points: npt.NDArray[np.float32], lead: int, leads: int, first: int, middle: float, centre: float, height: float
) -> str:
    """Return the predicted mean and its 90 % interval."""
    at = points[:, 0].astype(np.float64) - first
    inside = (at >= 0) & (at < (_BEFORE_S + _AFTER_S) * FS)
    order = np.argsort(at[inside])
    at = at[inside][order]
    if not at.size:
        return ""
    mean, scale = (points[inside, 1 + lead + k * leads][order].astype(np.float64) for k in (0, 1))
    parts = []
    for part in np.split(np.arange(at.size), np.flatnonzero(np.diff(at) > FS / 4) + 1):
        upper = _path(at[part], (mean + _Z90 * scale)[part], middle, centre, height)
        lower = _path(at[part][::-1], (mean - _Z90 * scale)[part][::-1], middle, centre, height)
        parts.append(f'<path d="{upper}L{lower[1:]}z" fill="#4a90d9" fill-opacity="0.25"/>')
        line = _path(at[part], mean[part], middle, centre, height)
        parts.append(f'<path d="{line}" stroke="#1f66b0" stroke-width="1.1" fill="none"/>')
    return "".join(parts)


def _text(
    x: float, y: float, text: str, colour: str, *, size: int = 12, bold: bool = False, anchor: str = "start"
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" fill="{colour}"{weight}>{escape(text)}</text>'


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="sans-serif">{"".join(parts)}</svg>'
    )
