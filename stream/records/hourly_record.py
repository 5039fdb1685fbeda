"""A recording of numerics alone, one row an hour, as the chart of an intensive care unit has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.records.record import Samples
from stream.wire.numerics_message import NumericName


@dataclass(frozen=True, eq=False)
class HourlyRecord:
    """Numerics of one patient, hour by hour. All arrays are float64, read-only, of shape (n,); NaN is missing.

    Attributes
    ----------
    name : str
        ``challenge2019/p000009``, or the base name of a file; it never contains a local folder.
    source : str
        ``local folder``, ``local archive``, ``cache``, ``PhysioNet`` or ``file``.
    hours : ndarray
        Hours in intensive care, increasing by 1; an hour that the file leaves out has no value.
    numerics : dict of str to ndarray
        Those measured at least once, by the names of `stream.wire.numerics_message.NumericName`, in their order and in
        the units of `UNIT_OF`.
    others : dict of str to ndarray
        All other columns, by their names in the file: laboratory values, age, reference labels.
    """

    name: str
    source: str
    hours: Samples
    numerics: Mapping[NumericName, Samples]
    others: Mapping[str, Samples]

    @property
    def n(self) -> int:
        """Number of hours."""
        return int(self.hours.size)

    def at(self, row: int) -> dict[NumericName, float | None]:
        """Return the numerics measured in an hour; None if missing."""
        return {
            name: None if values[row] != values[row] else float(values[row]) for name, values in self.numerics.items()
        }
