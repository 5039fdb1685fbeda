"""Alarm verification on the training records of the PhysioNet/CinC Challenge 2015.

Each record contains the five minutes before an alarm of an ICU monitor. Our monitor confirms it if one of its own
alarms of that kind lies in the last 15 s. Nothing after the alarm is used.
"""

from __future__ import annotations

from collections.abc import Iterable

from model.console.progress import track
from model.evaluation.alarm_report import ChallengeScore
from model.evaluation.monitor_output import Monitor, MonitorOutput
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

KINDS: dict[str, tuple[AlarmKind, ...]] = {
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


def score_challenge(monitor: Monitor, catalog: Catalog) -> dict[str, ChallengeScore]:
    """Score the records in the local folder ``challenge2015``, by kind of alarm; empty if there are none."""
    scores: dict[str, ChallengeScore] = {}
    for name, kind, true in track(_alarms(catalog), "challenge2015"):
        record = load(f"challenge2015/{name}", catalog)
        confirmed = confirms(monitor(record.until(END)), KINDS[kind])
        scores[kind] = scores.get(kind, ChallengeScore()) + ChallengeScore(
            tp=confirmed and true,
            tn=not confirmed and not true,
            fp=confirmed and not true,
            fn=true and not confirmed,
        )
    return scores


def confirms(output: MonitorOutput, kinds: Iterable[AlarmKind]) -> bool:
    """Return whether an alarm of some kinds was active in the last `CONFIRM_S` seconds."""
    since = output.n - round(CONFIRM_S * FS)
    return any(stop >= since for _, stop in output.alarms(kinds))


def _alarms(catalog: Catalog) -> list[tuple[str, str, bool]]:
    """Return name, kind of alarm and whether it was true for each record."""
    path = None if catalog.data_dir is None else catalog.data_dir / "challenge2015" / "ALARMS"
    if path is None or not path.is_file():
        return []
    rows = [line.split(",") for line in path.read_text().splitlines() if line.strip()]
    return [(name, kind, true.strip() == "1") for name, kind, true in rows]
