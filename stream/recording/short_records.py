"""How many short records a bed may begin: each takes some files, whatever it holds.

A seek, a loop or another publisher begins a new record, so whoever may publish could make a record of each message.
Records of at least `SHORT_S` are bounded by their signal instead.
"""

from __future__ import annotations

import logging

log = logging.getLogger("bedside.record")

SHORT_S = 10
"""Duration, or rows of a chart, below which a record counts."""

DEFAULT_SHORT = 360
"""Short records of a bed in an hour: one every 10 s is more than a class makes by hand."""

HOUR_NS = 3600 * 1_000_000_000


class ShortRecords:
    """The short records of a bed; so many at once, and as many again in each hour. Times are monotonic, in ns.

    Parameters
    ----------
    bed : str
    most : int
    """

    def __init__(self, bed: str, most: int) -> None:
        self._bed, self._most = bed, most
        self._count = 0.0
        self._since_ns = 0
        self._reported = False

    def add(self, now_ns: int) -> None:
        """Count a record that has ended."""
        self._forget(now_ns)
        self._count += 1

    def too_many(self, now_ns: int) -> bool:
        """Return whether no record may begin at present; that it has come to this is logged once."""
        self._forget(now_ns)
        full = self._count > self._most - 1
        if full and not self._reported:
            log.warning(
                "bed %s has had %d records of less than %d s: until some time has passed, it is not recorded. See who "
                "sends it, or set another bound with --short-records",
                self._bed,
                self._most,
                SHORT_S,
            )
        self._reported = full
        return full

    def _forget(self, now_ns: int) -> None:
        self._count = max(self._count - (now_ns - self._since_ns) * self._most / HOUR_NS, 0.0)
        self._since_ns = now_ns
