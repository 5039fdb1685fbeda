"""How conditions are put into words."""

from __future__ import annotations

from stream.wire.alarm_messages import AlarmKind

# The name first, up to a colon: where room is scarce, screens show no more than that.
BEGAN: dict[AlarmKind, str] = {
    "ventricular_fibrillation": "Ventricular fibrillation or flutter",
    "asystole": "Asystole: no QRS complex for {value} s",
    "ventricular_tachycardia": "Ventricular tachycardia: {beats} beats at {value}/min",
    "extreme_tachycardia": "Extreme tachycardia: {value}/min over {beats} beats, above {limit:g}/min",
    "extreme_bradycardia": "Extreme bradycardia: {value}/min over {beats} beats, below {limit:g}/min",
    "pvc_run": "PVC run: {beats} in a row at {value}/min",
    "heart_rate_high": "Heart rate high: {value}/min, above {limit:g}/min",
    "heart_rate_low": "Heart rate low: {value}/min, below {limit:g}/min",
    "atrial_fibrillation": "Atrial fibrillation: the beats come irregularly",
}

WAS: dict[AlarmKind, str] = {
    "ventricular_fibrillation": "Ventricular fibrillation or flutter for {seconds:.0f} s",
    "asystole": "Asystole: no QRS complex for {value} s",
    "ventricular_tachycardia": "Ventricular tachycardia: up to {beats} beats, up to {value}/min",
    "extreme_tachycardia": "Extreme tachycardia: up to {value}/min over {beats} beats",
    "extreme_bradycardia": "Extreme bradycardia: down to {value}/min over {beats} beats",
    "pvc_run": "PVC run: up to {beats} in a row, up to {value}/min",
    "heart_rate_high": "Heart rate high: up to {value}/min, above {limit:g}/min",
    "heart_rate_low": "Heart rate low: down to {value}/min, below {limit:g}/min",
    "atrial_fibrillation": "Atrial fibrillation for {seconds:.0f} s",
}


def began_text(kind: AlarmKind, value: float | None, limit: float | None, beats: int) -> str:
    """Say what begins."""
    return BEGAN[kind].format(value=_round(kind, value, limit), limit=limit, beats=beats)


def ended_text(
    kind: AlarmKind, value: float | None, limit: float | None, beats: int, seconds: float, why: str | None
) -> str:
    """Say what it was, and why it ended where the rule itself does not say so."""
    was = WAS[kind].format(value=_round(kind, value, limit), limit=limit, beats=beats, seconds=seconds)
    return was if why is None else f"{was}; {why}"


def replaced_text(graver: AlarmKind) -> str:
    """Say which graver condition took the place."""
    return f"became {graver.replace('_', ' ')}"


def _round(kind: AlarmKind, value: float | None, limit: float | None) -> str:
    """Round as people read it; a rate just past its limit must not read as the limit itself."""
    if value is None:
        return ""
    exact = kind == "asystole" or (limit is not None and round(value) == limit)
    return f"{value:.1f}" if exact else f"{value:.0f}"
