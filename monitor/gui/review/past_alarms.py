"""Adds the past alarms of the alarm store to each bed that is shown, once."""

from __future__ import annotations

from monitor.alarm_log.reader import StoreReader
from monitor.view.presenter import Presenter
from stream.errors import StorageError

RETRY_NS = 5_000_000_000
"""Time until the next attempt if the store cannot be read, as before its logger has created it, ns."""


class PastAlarms:
    """Reads the store when a bed is first shown.

    Parameters
    ----------
    store : StoreReader
    presenter : Presenter
    """

    def __init__(self, store: StoreReader, presenter: Presenter) -> None:
        self._store, self._presenter = store, presenter
        self._retry_ns = 0

    def show(self, name: str | None, now_ns: int) -> None:
        """Read the past alarms of a bed, unless they were read before; ``now_ns`` is Unix time."""
        bed = self._presenter.bed(name)
        if bed is None or bed.alarms.has_past or now_ns < self._retry_ns:
            return
        try:
            bed.alarms.add_past(self._store.past_events(bed.name, now_ns))
        except StorageError:  # the review of an alarm says why
            self._retry_ns = now_ns + RETRY_NS
