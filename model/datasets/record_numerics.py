"""The numerics of a record as its publisher sends them: all values, once per second of signal."""

from __future__ import annotations

from model.conditions.numeric_values import NumericSamples
from stream.records.record import Record


def numeric_samples(record: Record) -> tuple[NumericSamples, ...]:
    """Return the numerics of a record in order of time; of one that is its own session, from sample 0 on."""
    return tuple(NumericSamples(index, record.numerics_at(index)) for index in record.numerics_positions())
