"""The record library: records by name, with duration and annotated rhythms of those on disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from stream.errors import BedsideError, RecordError
from stream.records.catalog import Catalog, CatalogEntry
from stream.records.episodes import Episode, shipped
from stream.records.record import Record
from stream.records.replayable import load_replayable
from stream.records.synthetic.live_record import LiveRecord
from stream.records.synthetic.presets import LIVE, PRESETS, SECONDS, live_record, rhythms_of
from stream.records.wfdb_reader import read_summary
from stream.timebase import FS
from stream.wire.status_messages import MAX_OFFERS, Offer

log = logging.getLogger("bedside.records")


@dataclass(frozen=True)
class Library:
    """Access to records by name, never by path.

    Attributes
    ----------
    catalog : Catalog
    """

    catalog: Catalog

    def listing(self) -> Iterator[tuple[CatalogEntry, Offer | None]]:
        """Yield all records of the catalog, with duration and rhythms of those on disk.

        A record on disk that cannot be read is logged.
        """
        for listed in self.catalog.listing():
            yield listed, None if listed.where == "not yet" else self._read(listed.name)

    def episodes(self) -> tuple[Episode, ...]:
        """Return the episodes of the table whose records are on disk."""
        databases = dict.fromkeys(one.record.partition("/")[0] for one in shipped())
        at_hand = {record for database in databases for record in self.catalog.database(database)}
        return tuple(one for one in shipped() if one.record in at_hand)

    def has(self, name: str) -> bool:
        """Return whether a record is on disk, in the data folder or in the cache."""
        return self.catalog.is_on_disk(name)

    def load(self, name: str) -> Record | LiveRecord:
        """Load a record, or begin a live patient.

        Raises
        ------
        RecordError
            Unknown or damaged.
        SourceError
            Neither on disk nor available from the network.
        """
        return live_record() if name == LIVE else load_replayable([name], self.catalog)[name]

    def _read(self, name: str) -> Offer | None:
        try:
            if name == LIVE:
                return Offer(name=name, seconds=0)
            if name in PRESETS:
                return Offer(name=name, seconds=SECONDS, rhythms=rhythms_of(name))
            if name == "excerpt":  # small, and without annotations
                return Offer(name=name, seconds=self.load(name).n / FS)
            seconds, rhythms = read_summary(name, self.catalog)
            return Offer(name=name, seconds=seconds, rhythms=rhythms)
        except BedsideError as error:
            log.warning("record %s cannot be read: %s", name, error)
            return None


@dataclass(frozen=True)
class LoadedRecords:
    """A library of records in memory.

    Attributes
    ----------
    records : tuple of Record
        No two of the same name.
    """

    records: tuple[Record, ...]

    def listing(self) -> Iterator[tuple[CatalogEntry, Offer | None]]:
        """Yield the records, as many as a status may offer."""
        for record in self.records[:MAX_OFFERS]:
            yield CatalogEntry(record.name, record.leads, record.source), Offer(name=record.name, seconds=record.n / FS)

    def episodes(self) -> tuple[Episode, ...]:
        """Return none: a ward keeps to its records."""
        return ()

    def has(self, name: str) -> bool:
        """Return whether a record is one of them."""
        return any(record.name == name for record in self.records)

    def load(self, name: str) -> Record:
        """Return a record.

        Raises
        ------
        RecordError
            There is none of this name.
        """
        for record in self.records:
            if record.name == name:
                return record
        raise RecordError(f"record {name!r} is not one of this publisher")
