"""The records of one bed on the disk: where the next one goes, whether it may begin, and what exists already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stream.recording.short_records import ShortRecords


@dataclass(frozen=True, slots=True)
class BedFiles:
    """What a recording of a bed knows of its files.

    Attributes
    ----------
    bed : str
    new_stem : callable
        Returns the path of a new record; None if there may be none.
    complete : callable
        Called with the path of each complete record.
    recorded : dict of str to int
        Of sessions that an earlier process has recorded: the index after the last sample.
    short : ShortRecords
        Those of the bed: while there are too many, none begins.
    """

    bed: str
    new_stem: Callable[[], Path | None]
    complete: Callable[[Path], None]
    recorded: dict[str, int]
    short: ShortRecords

    def begin(self, now_ns: int) -> Path | None:
        """Return the path of a new record; None if none may begin. Monotonic time."""
        return None if self.short.too_many(now_ns) else self.new_stem()
