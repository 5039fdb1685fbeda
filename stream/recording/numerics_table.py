"""Numerics of a segment as a table with one row per second, written as the record beside that of the waves.

Its name is that of the record with an ``n`` at its end, where readers look for it. What the publisher sends has the
names by which a reader knows it again; what a worker has measured is beside it, "… measured", and is not replayed: a
worker measures it anew. A value holds from its sample on until the next message, at most `MAX_HOLD_S`.

Values are stored as 16-bit numbers with the resolution of `GAIN_OF`; a missing one is invalid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stream.records.appended_record import AppendedRecord, Column
from stream.timebase import FS
from stream.wire.messages import INVALID, Vitals
from stream.wire.numerics_message import UNIT_OF, NumericName, Numerics

NAME_OF: Mapping[NumericName, str] = {
    "heart_rate": "HR",
    "pulse_rate": "PULSE",
    "pulse_rate_abp": "PULSE ABP",
    "spo2": "SpO2",
    "respiration_rate": "RESP",
    "abp_systolic": "ABP SYS",
    "abp_diastolic": "ABP DIAS",
    "abp_mean": "ABP MEAN",
    "pap_systolic": "PAP SYS",
    "pap_diastolic": "PAP DIAS",
    "pap_mean": "PAP MEAN",
    "cvp_mean": "CVP MEAN",
    "nibp_systolic": "NBP SYS",
    "nibp_diastolic": "NBP DIAS",
    "nibp_mean": "NBP MEAN",
    "etco2": "etCO2",
    "temperature": "TEMP",
    "perfusion_index": "PERF",
    "pulse_arrival": "PULSE ARRIVAL",
    "apnoea": "APNOEA",
    "st": "ST",
    "st_change": "ST CHANGE",
}
"""Names of the signals, those of MIMIC where it has one (`stream.records.signals` reads them)."""

UNIT_TEXT = {"1/min": "bpm", "°C": "degC"}
"""Units as WFDB headers write them, in ASCII, where they differ."""

GAIN_OF = {"1/min": 100.0, "%": 100.0, "mmHg": 100.0, "°C": 100.0, "ms": 1.0, "mV": 1000.0, "s": 10.0}
"""Steps per unit. What does not fit, such as a rate above 327 per minute, is invalid."""

MAX_HOLD_S = 150
"""Longest time, s, for which a value is repeated while no message comes; the rules of alarms use none for longer."""

MAX_COLUMNS = 64
"""Largest number of signals; another publisher may invent any number of leads; further ones are left out."""

_MEASURED = " measured"
_FULL_SCALE = 32767

Key = tuple[str, str]
"""Name of a signal, and its unit on the wire."""


class NumericsTable:
    """The rows of a segment, from its first second on."""

    def __init__(self) -> None:
        self._columns: list[Key] = []
        self._waiting: dict[int, dict[Key, float | None]] = {}
        self._held: dict[Key, tuple[float | None, int]] = {}
        self._record: AppendedRecord | None = None
        self._written: npt.NDArray[np.int16] = np.empty((0, 0), np.int16)
        self._layouts = 0

    def put(self, offset: int, message: Numerics | Vitals) -> None:
        """Put the values of a message that holds from a sample of the segment on, counted from its first."""
        row = max(math.ceil(offset / FS), len(self._written))
        self._waiting.setdefault(row, {}).update(_values(message))

    def write(self, stem: Path, rows: int, begin_ns: int, comments: Sequence[str]) -> None:
        """Write the table of the record ``stem`` up to a number of rows; nothing while there are no values.

        Raises
        ------
        StorageError
        """
        first = len(self._written)
        if rows <= first:
            return
        due = {row: self._waiting.pop(row) for row in sorted(self._waiting) if row < rows}
        known = len(self._columns)
        found = dict.fromkeys((*self._columns, *(key for values in due.values() for key in values)))
        self._columns = list(found)[:MAX_COLUMNS]
        if not self._columns:
            return
        more = np.full((rows - first, len(self._columns)), INVALID, np.int16)
        for row in range(first, rows):
            self._held |= {key: (value, row) for key, value in due.get(row, {}).items() if key in self._columns}
            for place, key in enumerate(self._columns):
                value, since = self._held.get(key, (None, row))
                if row - since <= MAX_HOLD_S:
                    more[row - first, place] = adu(value, key[1])
        before = np.full((first, len(self._columns)), INVALID, np.int16)
        before[:, :known] = self._written
        self._written = np.concatenate((before, more))
        if self._record is not None and known == len(self._columns):
            self._record.append(more)
            return
        self._lay_out(stem, begin_ns, comments)

    def finish(self, reason: str) -> None:
        """Note that the record is complete."""
        if self._record is not None:
            self._record.finish(reason)

    def _lay_out(self, stem: Path, begin_ns: int, comments: Sequence[str]) -> None:
        """Write the record anew, with the columns that are known now: the publisher's first."""
        order = sorted(range(len(self._columns)), key=lambda place: self._columns[place][0].endswith(_MEASURED))
        self._columns = [self._columns[place] for place in order]
        self._written = self._written[:, order]
        former, self._layouts = self._record, self._layouts + 1
        columns = [Column(name, UNIT_TEXT.get(unit, unit), GAIN_OF[unit], 0) for name, unit in self._columns]
        name = f"{stem.name}n"
        data = f"{name}.dat" if self._layouts == 1 else f"{name}_{self._layouts}.dat"
        path = stem.with_name(name)
        self._record = AppendedRecord(path, columns, Fraction(1), begin_ns, comments, frames=self._written, data=data)
        if former is not None:
            former.discard_data()


def adu(value: float | None, unit: str) -> int:
    """Return a value as it is stored; invalid if it is missing, or does not fit."""
    stored = INVALID if value is None else round(value * GAIN_OF[unit])
    return stored if abs(stored) <= _FULL_SCALE else INVALID


def _values(message: Numerics | Vitals) -> dict[Key, float | None]:
    if isinstance(message, Vitals):
        return {
            (f"HR{_MEASURED}", "1/min"): message.heart_rate,
            (f"PVC{_MEASURED}", "1/min"): message.pvc_per_min,
        }
    suffix = _MEASURED if message.derived else ""
    return {
        (f"{NAME_OF[one.name]}{f' {one.lead}' if one.lead else ''}{suffix}", UNIT_OF[one.name]): one.value
        for one in message.values
    }
