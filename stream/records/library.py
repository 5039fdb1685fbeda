"""The records that a publisher offers: those on disk, with what their annotations say of the rhythm."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from stream.errors import BedsideError
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load, outline
from stream.timebase import FS
from stream.wire.messages import Offer

log = logging.getLogger("bedside.publisher")


@dataclass(frozen=True)
class Library:
    """Records by name, never by path.

    Attributes
    ----------
    catalog : Catalog
    """

    catalog: Catalog

    def offers(self) -> tuple[Offer, ...]:
        """Return the records that need no download, with their rhythms; one that cannot be read is left out."""
        found = []
        for listed in self.catalog.listing():
            if listed.where == "not yet":
                continue
            try:
                found.append(self._offer(listed.name))
            except BedsideError as error:
                log.warning("record %s is not offered: %s", listed.name, error)
        return tuple(found)

    def load(self, name: str) -> Record:
        """Load a record.

        Raises
        ------
        RecordError
            Unknown or damaged.
        SourceError
            No source could deliver it.
        """
        return load(name, self.catalog)

    def _offer(self, name: str) -> Offer:
        if "/" not in name:  # the excerpt and the synthetic patient: small, and without annotations
            return Offer(name=name, seconds=self.load(name).n / FS)
        seconds, rhythms = outline(name, self.catalog)
        return Offer(name=name, seconds=seconds, rhythms=rhythms)
