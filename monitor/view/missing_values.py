"""Why a number is missing, in words for the people at the bed. No Qt."""

from __future__ import annotations

from monitor.view.bed_numerics import Reading
from monitor.view.link import LinkState, state_phrase
from monitor.view.number_groups import Group
from monitor.view.view_model import Frame
from stream.wire.alarm_messages import AlarmKind
from stream.wire.alarm_texts import Phrase, kind_phrase, phrase
from stream.wire.wave_message import Signal

_ECG_FAULTS: tuple[AlarmKind, ...] = ("lead_off", "saturation", "noise")
_SENSOR_FAULTS: dict[Signal, AlarmKind] = {"pleth": "pleth_off", "abp": "abp_fault", "resp": "resp_fault"}
_POOR = 0.5
"""Signal quality below which it is the reason why there is no heart rate."""


def heart_rate_reason(frame: Frame) -> Phrase | None:
    """Return why there is no heart rate; None if there is one, or no bed."""
    vitals = frame.patient.vitals
    if frame.trace is None or (vitals is not None and vitals.heart_rate is not None):
        return None
    if (of_stream := _stream_reason(frame)) is not None:
        return of_stream
    if vitals is None:
        return phrase("missing.learning")
    if vitals.rhythm in ("asystole", "ventricular fibrillation"):
        return phrase("missing.no_beats")
    fault = next((kind for kind in _ECG_FAULTS if kind in vitals.inops or _is_active(frame, kind)), None)
    if fault is not None:
        return kind_phrase(fault)
    if vitals.quality is not None and vitals.quality < _POOR:
        return phrase("missing.poor_signal")
    if frame.link.state is LinkState.LEARNING or vitals.rr_ms is None:
        return phrase("missing.learning")
    return phrase("missing.few_beats")


def number_reason(group: Group, reading: Reading | None, frame: Frame, *, off: bool) -> Phrase | None:
    """Return why a number other than the heart rate is missing; None if its age says it.

    Parameters
    ----------
    group : Group
        One whose value is missing.
    reading : Reading or None
        Of the group.
    frame : Frame
    off : bool
        Its wave has had no valid sample for seconds.
    """
    if (of_stream := _stream_reason(frame)) is not None and (reading is None or frame.link.stale):
        return of_stream
    if off or (group.wave in _SENSOR_FAULTS and _is_active(frame, _SENSOR_FAULTS[group.wave])):
        return phrase("missing.sensor_off")
    if group.number == "respiration" and _is_active(frame, "apnoea"):
        return phrase("missing.no_breath")
    return phrase("missing.not_measured") if reading is None else None


def _stream_reason(frame: Frame) -> Phrase | None:
    """Return the reason that concerns all numbers: no data, or no worker."""
    if frame.link.stale:
        return state_phrase(frame.link.state)
    return None if frame.worker else phrase("missing.no_analysis")


def _is_active(frame: Frame, kind: AlarmKind) -> bool:
    return any(line.alarm.kind == kind and line.alarm.end is None for line in frame.active)
