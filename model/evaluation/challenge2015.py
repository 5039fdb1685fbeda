"""Alarm verification as in the PhysioNet/CinC Challenge 2015.

Each record contains the five minutes before an alarm of an ICU monitor. Our monitor confirms it if one of its own
alarms of that kind lies in the last 15 s. Nothing after the alarm is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.evaluation.monitor_output import MonitorOutput
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

KINDS: Mapping[str, tuple[AlarmKind, ...]] = {
    "Asystole": ("asystole",),
    "Bradycardia": ("extreme_bradycardia",),
    "Tachycardia": ("extreme_tachycardia",),
    "Ventricular_Tachycardia": ("ventricular_tachycardia", "ventricular_fibrillation"),
    "Ventricular_Flutter_Fib": ("ventricular_fibrillation",),
}
"""Our alarm kinds by the name in the challenge."""

END = round(299.9 * FS)
"""The alarm sounds at 300 s. Resampling looks 40 ms ahead, so the signal is cut shortly before."""

CONFIRM_S = 15.0

ALARMS_FILE = "ALARMS"
"""The challenge's list of records, kinds of alarm, and 1 for a true or 0 for a false one."""


@dataclass(frozen=True, slots=True)
class ToVerify:
    """An alarm of an ICU monitor at the end of a record: its kind, a key of `KINDS`, and whether it was true."""

    kind: str
    true: bool


@dataclass(frozen=True)
class ChallengeScore:
    """Confirmed and rejected alarms of the challenge: score (TP + TN) / (TP + TN + FP + 5 FN)."""

    tp: int = 0
    tn: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def score(self) -> float:
        """The score of the challenge, 0 to 1; NaN without records."""
        total = self.tp + self.tn + self.fp + 5 * self.fn
        return (self.tp + self.tn) / total if total else math.nan

    def __add__(self, other: ChallengeScore) -> ChallengeScore:
        return ChallengeScore(self.tp + other.tp, self.tn + other.tn, self.fp + other.fp, self.fn + other.fn)


def before_alarm(record: Record) -> Record:
    """Return the part of a record that may be used to verify its alarm."""
    return record.until(END)


def verify(alarm: ToVerify, output: MonitorOutput) -> ChallengeScore:
    """Return the score of one record from the monitor's output on `before_alarm` of it."""
    confirmed = confirms(output, KINDS[alarm.kind])
    return ChallengeScore(
        tp=confirmed and alarm.true,
        tn=not confirmed and not alarm.true,
        fp=confirmed and not alarm.true,
        fn=alarm.true and not confirmed,
    )


def confirms(output: MonitorOutput, kinds: Iterable[AlarmKind]) -> bool:
    """Return whether an alarm of some kinds was active in the last `CONFIRM_S` seconds."""
    since = output.n - round(CONFIRM_S * FS)
    return any(stop >= since for _, stop in output.alarms(kinds))


def listed_alarms(folder: Path) -> dict[str, ToVerify]:
    """Return the alarms of the challenge's list in a folder, by record; lines of another form are ignored."""
    path = folder / ALARMS_FILE
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    rows = ([column.strip() for column in line.split(",")] for line in text.splitlines())
    return {
        row[0]: ToVerify(row[1], row[2] == "1")
        for row in rows
        if len(row) == 3 and row[1] in KINDS and row[2] in ("0", "1")
    }


def alarm_in_comments(comments: Iterable[str]) -> ToVerify | None:
    """Return the alarm that the comments of a header name (``Asystole``, ``False alarm``); None if they name none."""
    lines = [comment.strip() for comment in comments]
    kinds = [line for line in lines if line in KINDS]
    verdicts = [line.lower() for line in lines if line.lower() in ("true alarm", "false alarm")]
    return ToVerify(kinds[0], verdicts[0] == "true alarm") if kinds and verdicts else None
