"""The records of a database: any folder with WFDB headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.datasets.beat_codes import AAMI_CLASS
from model.datasets.mitdb import DS1, DS2
from model.evaluation.challenge2015 import ToVerify, alarm_in_comments, before_alarm, listed_alarms
from model.evaluation.truth import Truth, truth_of
from stream.errors import RecordError, UsageError
from stream.records.catalog import Catalog, without_companions
from stream.records.record import Record
from stream.records.wfdb_reader import read, read_symbols
from stream.wire.messages import ANALYSED_LEADS

SPLITS = {"DS1": DS1, "DS2": DS2}
"""Names for lists of records of mitdb."""


@dataclass(frozen=True)
class Example:
    """A record with its annotations, cut before the alarm if there is one to verify."""

    record: Record
    truth: Truth
    alarm: ToVerify | None


@dataclass(frozen=True)
class Database:
    """A folder of WFDB records.

    Attributes
    ----------
    name : str
        The name of the folder.
    folder : Path
    records : tuple of str
        Records with a header, without the segments of other records, in ascending order.
    """

    name: str
    folder: Path
    records: tuple[str, ...]

    def chosen(self, text: str | None) -> tuple[str, ...]:
        """Return the records of a comma-separated list, in which DS1 and DS2 of mitdb can stand; all without a list.

        Raises
        ------
        UsageError
            A record is not in the folder, or none is named.
        """
        if text is None:
            return self.records
        words = [word.strip() for word in text.split(",") if word.strip()]
        names = dict.fromkeys(name for word in words for name in SPLITS.get(word, (word,)))
        for name in names:
            if name not in self.records:
                raise UsageError(f"--records {name}: {self.name} has no {name}.hea; it has {_some(self.records)}")
        if not names:
            raise UsageError(f"--records {text!r} names no record: {self.name} has {_some(self.records)}")
        return tuple(names)

    def example(self, name: str, leads: int | None = None) -> Example:
        """Read a record.

        Parameters
        ----------
        name : str
        leads : int, optional
            Keep only so many of the leads that are analysed.

        Raises
        ------
        RecordError
            The record is damaged or contains no ECG.
        """
        record = read(self.folder / name, name=f"{self.name}/{name}", source="local folder")
        record = record.first_leads(leads or ANALYSED_LEADS)
        alarm = self._listed.get(name) or alarm_in_comments(_comments(self._header(name)))
        if alarm is not None:
            record = before_alarm(record)
        truth = truth_of(record)
        if truth.style == "typed beats" and set(truth.reference.label) == {"N"}:
            truth = truth_of(record, types_known=self._types_known)
        return Example(record, truth, alarm)

    @cached_property
    def _listed(self) -> dict[str, ToVerify]:
        return listed_alarms(self.folder)

    @cached_property
    def _types_known(self) -> bool:
        """Whether a record has a beat that is not N, or none marks fibrillation: else all beats are N, as in cudb."""
        fibrillation = False
        for name in self.records:
            try:
                codes = set(read_symbols(self.folder / name))
            except RecordError:
                continue
            if any(AAMI_CLASS.get(code, "N") != "N" for code in codes):
                return True
            fibrillation |= "[" in codes
        return not fibrillation

    def _header(self, name: str) -> Path:
        return self.folder / f"{name}.hea"


def find_database(text: str, catalog: Catalog) -> Database:
    """Return the database of a name in the local data folder or in the cache, or of a path to a folder.

    Raises
    ------
    UsageError
        There is no such folder, or no header in it.
    """
    roots = [root for root in (catalog.data_dir, catalog.cache_dir) if root is not None]
    folder = next((path for path in (*(root / text for root in roots), Path(text)) if path.is_dir()), None)
    if folder is None:
        raise UsageError(f"--database {text}: no such folder, and not in --data-dir; name a folder of WFDB records")
    headers = sorted(folder.glob("*.hea"))
    segments = {segment for header in headers for segment in _segments(header)}
    names = tuple(without_companions(header.stem for header in headers if header.stem not in segments))
    if not names:
        raise UsageError(f"--database {text}: no header (.hea) in this folder; name a folder of WFDB records")
    return Database(folder.resolve().name, folder, names)


def _lines(header: Path) -> list[str]:
    try:
        return header.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []  # reading the record reports it


def _comments(header: Path) -> list[str]:
    return [line.lstrip("#").strip() for line in _lines(header) if line.startswith("#")]


def _segments(header: Path) -> list[str]:
    """Return the names of the segments of a multi-segment record; none for others."""
    lines = [line.split() for line in _lines(header) if line.strip() and not line.startswith("#")]
    if not lines or "/" not in lines[0][0]:
        return []
    return [line[0] for line in lines[1:] if line[0] != "~"]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" … ({len(names)} records)" if len(names) > 8 else "")
