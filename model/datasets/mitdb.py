"""Inter-patient splits of the MIT-BIH Arrhythmia Database.

The split into DS1 (training) and DS2 (test) is that of de Chazal et al. (IEEE Trans Biomed Eng 2004;51:1196). Records
201 (DS1) and 202 (DS2) are from one patient, so training excludes 201. The demo streams 208, so training excludes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.gaps import fill_gaps
from stream.errors import UsageError
from stream.records import wfdb_reader
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
"""Records with a pacemaker, in neither set."""

TRAIN = tuple(name for name in DS1 if name not in ("201", "208"))
"""Records available for training."""

VALIDATION_RECORDS = ("112", "116", "215", "223")
"""Validation part of `TRAIN`: used to select weights, never to fit them."""

FIT_RECORDS = tuple(name for name in TRAIN if name not in VALIDATION_RECORDS)
"""Part of `TRAIN` to which weights are fitted."""

Signals = Mapping[str, FloatArray]
"""Samples in mV by record, shape (n, leads)."""


def parse_records(text: str) -> tuple[str, ...]:
    """Return the MIT-BIH records given as ``DS1``, ``DS2`` or a comma-separated list of names.

    Raises
    ------
    UsageError
        The text names no record, or one that is not in MIT-BIH.
    """
    named = {"ds1": DS1, "ds2": DS2}.get(text.strip().lower())
    if named:
        return named
    names = tuple(dict.fromkeys(name.strip().removeprefix("mitdb/") for name in text.split(",") if name.strip()))
    for name in names:
        if name not in DS1 + DS2 + PACED:
            raise UsageError(f"{name!r} is not a record of MIT-BIH: give DS1, DS2, or numbers such as 100,208")
    if not names:
        raise UsageError("no records named: give DS1, DS2, or numbers such as 100,208")
    return names


def without(records: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Return the records without the excluded ones.

    Raises
    ------
    UsageError
        No record remains.
    """
    names = [name for name in records if name not in exclude]
    if not names:
        raise UsageError("every record named is excluded: name at least one that is not")
    return names


def load_signals(names: Iterable[str], catalog: Catalog | None = None) -> dict[str, FloatArray]:
    """Read the samples of MIT-BIH records and fill gaps.

    Returns
    -------
    dict of str to ndarray of float64, shape (n, leads)
        mV at 360 Hz; invalid samples repeat the last valid one.

    Raises
    ------
    RecordError
        A record cannot be found or read.
    """
    signals = {}
    for name in names:
        mv = wfdb_reader.load(f"mitdb/{name}", catalog).mv()
        signals[name], _ = fill_gaps(mv, np.zeros(mv.shape[1]))
    return signals
