"""Which episode of a rhythm a bed shows next. Records of the urgent rhythms are loaded before anybody asks for them.

Reading a record, resampling it to 360 Hz, and importing what that needs, takes up to two seconds; an episode is to be
seen within one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from stream.errors import BedsideError
from stream.records.episodes import Episode, choose, counts
from stream.records.library import Library, LoadedRecords
from stream.records.wfdb_reader import prepare
from stream.replay.playhead import AnyRecord

log = logging.getLogger("bedside.publisher")

URGENT = ("VF", "VT", "VFL", "ASYS")
"""Rhythms whose next records are kept in memory, 3 MB each."""


class NextEpisodes:
    """The episodes at hand, and which ones the beds have shown.

    Parameters
    ----------
    library : Library or LoadedRecords
    episodes : sequence of Episode
        Those whose records are on disk.
    """

    def __init__(self, library: Library | LoadedRecords, episodes: Sequence[Episode]) -> None:
        self.episodes = episodes
        self._library = library
        self._turns: Counter[tuple[str, str]] = Counter()
        self._ahead: dict[str, AnyRecord] = {}

    def choose(self, bed: str, rhythm: str) -> Episode:
        """Return the episode of a rhythm that a bed shows next.

        Raises
        ------
        UsageError
            There is none.
        """
        return choose(self.episodes, rhythm, self._turns[bed, rhythm])

    def note_shown(self, bed: str, rhythm: str) -> None:
        """Note that a bed has shown the episode of `choose`."""
        self._turns[bed, rhythm] += 1

    async def load(self, name: str) -> AnyRecord:
        """Return a record, from memory if it was loaded ahead.

        Raises
        ------
        RecordError, SourceError
            See `stream.records.library.Library.load`.
        """
        for record in self._ahead.values():
            if record.name == name:
                return record
        return await asyncio.to_thread(self._library.load, name)

    async def load_ahead(self, bed: str) -> None:
        """Load the records of the urgent rhythms that a bed may show next, in a thread; one at a time."""
        known = counts(self.episodes)
        if known:
            await asyncio.to_thread(prepare)
        for rhythm in URGENT:
            if rhythm not in known:
                continue
            name = self.choose(bed, rhythm).record
            try:
                self._ahead[rhythm] = await self.load(name)
            except BedsideError as error:
                log.warning("an episode of %s cannot be prepared: %s", rhythm, error)
