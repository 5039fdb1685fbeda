"""The numerics of a record as its publisher sends them: all values, once per second of signal."""

from __future__ import annotations

from model.conditions.numeric_values import NumericSamples
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.numerics_message import Numeric, NumericSource


def numeric_samples(record: Record) -> tuple[NumericSamples, ...]:
    """Return the numerics of a record in order of time; of one that is its own session, from sample 0 on."""
    if not record.numerics:
        return ()
    source: NumericSource = "simulated" if record.synthetic else "recorded"
    every = max(FS, round(FS / max(one.fs for one in record.numerics)))
    found = []
    for index in range(0, record.n, every):
        values = []
        for one in record.numerics:
            value, age_s = one.at(index)
            values.append(Numeric(name=one.name, value=value, unit=one.unit, source=source, age_s=age_s))
        found.append(NumericSamples(index, tuple(values)))
    return tuple(found)
