"""What a tile of the central station shows of a frame, as text and states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.gui.bed.alarm_banner import alarm_name, alarm_short_name, banner_text, pause_text
from monitor.gui.bed.numerics import heart_rate_text
from monitor.gui.style.language import translate
from monitor.gui.style.number_colours import is_bright
from monitor.gui.style.text_lookup import text_of
from monitor.gui.style.theme import lit
from monitor.view.display_texts import rhythm_phrase, short_rhythm_phrase
from monitor.view.link import LinkState
from monitor.view.number_alarms import Number, NumberAlarm, number_alarms, rhythm_priority
from monitor.view.number_groups import BY_WAVE, NO_VALUE, main_reading, main_texts
from monitor.view.view_model import AlarmLine, Frame
from stream.wire.alarm_messages import Priority
from stream.wire.wave_message import Signal

NUMBERS: tuple[Signal, ...] = ("pleth", "abp")
"""Waves whose numbers a tile shows."""


@dataclass(frozen=True, slots=True)
class TileNumber:
    """A number beside the heart rate, such as ``SpO₂ 97``.

    Attributes
    ----------
    text, value : str
        With its name, and without.
    wave : str
        The wave whose colour it has.
    alarm : NumberAlarm or None
    dim : bool
        The value is old.
    """

    text: str
    value: str
    wave: Signal
    alarm: NumberAlarm | None
    dim: bool


@dataclass(frozen=True, slots=True)
class TileContent:
    """Texts and states of a tile.

    Attributes
    ----------
    bed, message, others : str
        The message is the alarm shown, or else a technical message; the others are the number of other alarms, like
        ``+2``.
    names : tuple of str
        Shorter forms of the message.
    state : LinkState
    priority : str or None
        Priority of the alarm shown.
    latched, bright : bool
        Whether that alarm has ended; False in the dark half of its flash cycle.
    synthetic : bool
    rate : str
        Heart rate.
    limits : tuple of str
        High and low limit of the heart rate; empty if not reported.
    rate_alarm : NumberAlarm or None
    rate_bright : bool
        Phase of the flash cycle of the heart rate.
    rhythms : tuple of str
        Name and short name of the rhythm; empty if unknown.
    rhythm_priority : str or None
    numbers : tuple of TileNumber
        Those that the bed has.
    """

    bed: str = ""
    message: str = ""
    names: tuple[str, ...] = ()
    others: str = ""
    state: LinkState = LinkState.WAITING
    priority: Priority | None = None
    latched: bool = False
    bright: bool = True
    synthetic: bool = False
    rate: str = NO_VALUE
    limits: tuple[str, ...] = ()
    rate_alarm: NumberAlarm | None = None
    rate_bright: bool = False
    rhythms: tuple[str, ...] = ()
    rhythm_priority: Priority | None = None
    numbers: tuple[TileNumber, ...] = ()


def tile_content(frame: Frame, line: AlarmLine | None) -> TileContent:
    """Return the content of a tile.

    Parameters
    ----------
    frame : Frame
    line : AlarmLine or None
        The alarm whose turn it is.
    """
    message = pause_text(frame.pauses) or (text_of(frame.notices[0]) if frame.notices else "")
    names: tuple[str, ...] = (re.split(r"[:,(、]", message)[0].strip(),)
    if line is not None:
        message, names = banner_text(line), (alarm_name(line), alarm_short_name(line))
        if line.latched:
            names = tuple(translate("BedTile", "{alarm}, ended").format(alarm=name) for name in names)
    priority = None if line is None else line.alarm.priority
    paused = not frame.worker or frame.pauses.alarms_s > 0
    steady = line is None or not line.unacknowledged or frame.pauses.alarms_s > 0
    vitals, limits = frame.patient.vitals, frame.patient.limits
    rhythm = None if vitals is None or vitals.rhythm == "unknown" else vitals.rhythm
    alarms = number_alarms(frame.active)
    rate_alarm = alarms.get("heart_rate")
    return TileContent(
        bed=frame.bed or "",
        message=message,
        names=names,
        others=f"+{len(frame.active) - 1}" if len(frame.active) > 1 else "",
        state=frame.link.state,
        priority=priority,
        latched=line is not None and line.latched,
        bright=priority is None or (frame.worker and (steady or lit(priority, frame.now_ns))),
        synthetic=frame.synthetic,
        rate=heart_rate_text(frame.patient),
        limits=() if limits is None else (str(limits.heart_rate_high), str(limits.heart_rate_low)),
        rate_alarm=rate_alarm,
        rate_bright=is_bright(rate_alarm, frame.now_ns, steady=paused),
        rhythms=() if rhythm is None else (text_of(rhythm_phrase(rhythm)), text_of(short_rhythm_phrase(rhythm))),
        rhythm_priority=None if rhythm is None else rhythm_priority(rhythm, frame.active),
        numbers=tuple(_number(frame, wave, alarms) for wave in NUMBERS if BY_WAVE[wave].main[0] in frame.readings),
    )


def _number(frame: Frame, wave: Signal, alarms: Mapping[Number, NumberAlarm]) -> TileNumber:
    group = BY_WAVE[wave]
    reading = main_reading(group, frame.readings)
    dim = reading is None or reading.state != "live"
    alarm = None if group.number is None else alarms.get(group.number)
    value = main_texts(group, frame.readings)[0]
    return TileNumber(f"{group.name} {value}", value, wave, alarm, dim)
