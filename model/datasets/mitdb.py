"""Inter-patient splits of MIT-BIH, and stretches of signal to train on.

The split is de Chazal's (2004). 201 and 202 are one patient and lie on both sides of it, so training leaves 201 out;
208 is the record that the demo streams, so training leaves it out too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.gaps import hold
from stream.errors import UsageError
from stream.records import wfdb_reader as records
from stream.records.catalog import Catalog

DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
PACED = ("102", "104", "107", "217")
"""Left out: pacemakers. 217 is in neither set for the same reason."""

TRAIN = tuple(name for name in DS1 if name not in ("201", "208"))
"""The patients that training may see."""

HELD_BACK = ("112", "116", "215", "223")
"""The part of TRAIN that chooses and never trains."""

FITTED = tuple(name for name in TRAIN if name not in HELD_BACK)
"""The part of TRAIN that trains."""

Signals = Mapping[str, FloatArray]


def parse_records(text: str) -> tuple[str, ...]:
    """Return the MIT-BIH records that a user names: ``DS1``, ``DS2``, or names with commas between.

    Raises
    ------
    UsageError
        A name that is no record of MIT-BIH's 48.
    """
    named = {"ds1": DS1, "ds2": DS2}.get(text.strip().lower())
    if named:
        return named
    names = tuple(dict.fromkeys(name.strip().removeprefix("mitdb/") for name in text.split(",") if name.strip()))
    for name in names:
        if name not in DS1 + DS2 + PACED:
            raise UsageError(
                f"{name!r} is no record of the MIT-BIH Arrhythmia Database: give DS1, DS2, or numbers such as 100,208"
            )
    if not names:
        raise UsageError("no records named: give DS1, DS2, or numbers such as 100,208")
    return names


def without(records: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Return the records that are not excluded.

    Raises
    ------
    UsageError
        None is left.
    """
    names = [name for name in records if name not in exclude]
    if not names:
        raise UsageError("every record named is excluded: name at least one that is not")
    return names


def load_signals(names: Iterable[str], catalog: Catalog | None = None) -> dict[str, FloatArray]:
    """Read MIT-BIH records.

    Returns
    -------
    dict of str to ndarray of float64, shape (n, leads)
        mV at 360 Hz; an invalid sample holds the value before it.

    Raises
    ------
    RecordError
        A record that is nowhere or unreadable.
    """
    signals = {}
    for name in names:
        mv = records.load(f"mitdb/{name}", catalog).mv()
        signals[name], _ = hold(mv, np.zeros(mv.shape[1]))
    return signals
