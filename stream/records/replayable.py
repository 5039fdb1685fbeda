"""Records by name as they are replayed: with ECG, or hourly numerics alone."""

from __future__ import annotations

from collections.abc import Iterable

from stream.records.catalog import Catalog
from stream.records.challenge2019 import is_hourly, load_all_hourly
from stream.records.hourly_record import HourlyRecord
from stream.records.record import Record, RecordedNumeric, of_numerics
from stream.records.synthetic.presets import PRESETS
from stream.records.wfdb_reader import load, read_numerics_alone
from stream.wire.numerics_message import UNIT_OF

HOUR_S = 3600.0


def load_replayable(names: Iterable[str], catalog: Catalog) -> dict[str, Record]:
    """Load records, each name once.

    Parameters
    ----------
    names : iterable of str
        Those of `stream.records.wfdb_reader.load`, and of `stream.records.challenge2019.load_hourly`.
    catalog : Catalog

    Raises
    ------
    RecordError
        Unknown or damaged, or without anything to replay.
    SourceError
        Neither on disk nor available from the network.
    """
    wanted = list(dict.fromkeys(names))
    hourly = load_all_hourly([name for name in wanted if is_hourly(name)], catalog)
    return {name: of_hours(hourly[name]) if name in hourly else _load(name, catalog) for name in wanted}


def _load(name: str, catalog: Catalog) -> Record:
    """Load a record with ECG or, such as `bedside record` makes of a bed without, one of numerics alone."""
    if name in PRESETS or name == "excerpt":
        return load(name, catalog)
    located = catalog.locate(name)
    alone = read_numerics_alone(located.stem, name=located.name, source=located.source)
    return load(name, catalog) if alone is None else alone


def of_hours(record: HourlyRecord) -> Record:
    """Return an hourly record as one that is replayed: the values of an hour are sent at its start."""
    numerics = tuple(
        RecordedNumeric(name, UNIT_OF[name], 1 / HOUR_S, values) for name, values in record.numerics.items()
    )
    return of_numerics(record.name, numerics, HOUR_S * record.n, record.source)
