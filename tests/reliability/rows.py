"""All rows, in the order of the table."""

from __future__ import annotations

from tests.reliability import access, clocks, kills, links, overloads, soak, stops, stores, strangers, streams
from tests.reliability.row import Row

ROWS: list[Row] = [
    *soak.ROWS,
    *kills.ROWS,
    *stops.ROWS,
    *streams.ROWS,
    *strangers.ROWS,
    *clocks.ROWS,
    *stores.ROWS,
    *access.ROWS,
    *links.ROWS,
    *overloads.ROWS,
]
"""The soak first: it lasts longest, and the others run beside it."""
