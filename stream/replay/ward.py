"""A ward: many beds from few records, each at its own place in its record, so that beats fall at different times.

All beds share the samples of their records in memory. The beds' deadlines are spread over the duration of a chunk, so
that messages leave evenly and not in one burst; those of a large ward in groups, because each wake-up takes time.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stream.errors import RecordError, UsageError
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.replayable import load_replayable
from stream.records.wfdb_reader import load
from stream.replay.playhead import ReplayConfig
from stream.timebase import FS
from stream.wire.topics import check_bed

log = logging.getLogger("bedside.publisher")

MAX_BEDS = 4096
"""Largest ward of one publisher."""

MAX_NAMES_BYTES = 48 * 1024
"""Largest total length of the names of a ward: they travel in one status message, of at most 64 KiB."""

GROUPS = 50
"""Different deadlines within the duration of a chunk; with chunks of 100 ms, a group of beds sends every 2 ms."""

DATABASE_RECORDS = 16
"""Records that are read of a database, chosen at random; the 48 of MIT-BIH would take 125 MB and 20 s."""


@dataclass(frozen=True)
class WardConfig:
    """Parameters of a ward.

    Attributes
    ----------
    beds : int
        1 to `MAX_BEDS`.
    prefix : str
        The beds are named ``prefix001``, ``prefix002``, …
    seed : int
        Of the random numbers that choose records and places.
    leads : int
        Largest number of leads, 1 or 2.

    Raises
    ------
    UsageError
        A value is out of range, or the prefix makes names that are not valid or too long.
    """

    beds: int
    prefix: str = "icu-"
    seed: int = 1
    leads: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.beds <= MAX_BEDS:
            raise UsageError(f"a ward of {self.beds} beds: use 1 to {MAX_BEDS}; for more, start several publishers")
        check_bed(self.names[-1])
        if sum(len(name) + 3 for name in self.names) > MAX_NAMES_BYTES:
            raise UsageError(f"--prefix {self.prefix}: too long for the names of {self.beds} beds; use a shorter one")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the beds."""
        width = max(3, len(str(self.beds)))
        return tuple(f"{self.prefix}{number:0{width}}" for number in range(1, self.beds + 1))


def load_records(names: str, config: WardConfig, catalog: Catalog) -> list[Record]:
    """Load the records of a ward.

    Parameters
    ----------
    names : str
        Records and databases, separated by commas: ``mitdb,svdb/800,excerpt``. Of a database, a folder of records on
        disk, `DATABASE_RECORDS` at most are read.
    config : WardConfig
        Of each record, its number of leads at most are kept.
    catalog : Catalog

    Raises
    ------
    UsageError
        No name.
    RecordError
        A name is neither a record nor a database on disk, or a record cannot be read.
    """
    rng = random.Random(config.seed)
    records: dict[str, Record] = {}
    for name in filter(None, map(str.strip, names.split(","))):
        if database := catalog.database(name):
            found = _some_of(rng.sample(database, len(database)), min(DATABASE_RECORDS, config.beds), catalog)
            if not found:
                raise RecordError(f"database {name} has no record with ECG: choose another one")
        else:
            found = [load_replayable([name], catalog)[name]]
        records |= {record.name: record.first_leads(config.leads) for record in found}
    if not records:
        raise UsageError(f"--from {names!r} names no record: write --from mitdb,svdb/800")
    return list(records.values())


def _some_of(names: Sequence[str], count: int, catalog: Catalog) -> list[Record]:
    """Return the first ``count`` records that can be read: a database may hold numerics, too."""
    records: list[Record] = []
    for name in names:
        if len(records) == count:
            break
        try:
            records.append(load(name, catalog))
        except RecordError as error:
            log.warning("left out: %s", error)
    return records


def plan(records: Sequence[Record], config: WardConfig, replay: ReplayConfig) -> list[tuple[Record, ReplayConfig]]:
    """Return the record and the replay of each bed.

    Parameters
    ----------
    records : sequence of Record
    config : WardConfig
    replay : ReplayConfig
        Chunk and speed of all beds.
    """
    rng = random.Random(config.seed)
    chunk_s, groups = replay.chunk / (FS * replay.speed), min(config.beds, GROUPS)
    beds = []
    for number, name in enumerate(config.names):
        record = records[number % len(records)]
        start_s, delay_s = rng.randrange(record.n) / FS, chunk_s * (number % groups) / groups
        beds.append((record, replace(replay, bed=name, loop=True, start_s=start_s, delay_s=delay_s)))
    return beds
