"""All rows, in the order of the table."""

from __future__ import annotations

from tests.reliability import kills, stops, streams
from tests.reliability.row import Row

ROWS: list[Row] = [*kills.ROWS, *stops.ROWS, *streams.ROWS]
