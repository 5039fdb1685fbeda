"""Splits of MIT-BIH, lists of records, reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.datasets.mitdb import DS1, DS2, FIT_RECORDS, PACED, TRAIN, VALIDATION_RECORDS, load_signals, parse_records
from stream.errors import UsageError
from stream.records.catalog import Catalog


def test_splits_are_disjoint() -> None:
    assert len(DS1) == len(DS2) == 22
    assert not set(DS1) & set(DS2)
    assert not set(PACED) & set(DS1 + DS2)
    assert set(TRAIN) == set(DS1) - {"201", "208"}
    assert set(FIT_RECORDS) | set(VALIDATION_RECORDS) == set(TRAIN)
    assert not set(FIT_RECORDS) & set(VALIDATION_RECORDS)


def test_lists_of_records_are_parsed() -> None:
    assert parse_records("DS2") == DS2
    assert parse_records("ds1") == DS1
    assert parse_records("100, mitdb/208,100") == ("100", "208")
    for text, bad in (("100,999", "999"), ("DS3", "DS3"), (" , ", "no records")):
        with pytest.raises(UsageError, match=bad) as caught:
            parse_records(text)
        assert "\n" not in str(caught.value)


def test_load_signals_fills_gaps(mitdb_dir: Path) -> None:
    signals = load_signals(["114"], Catalog.from_environment(mitdb_dir))
    assert signals["114"].shape == (650_000, 2)
    assert np.isfinite(signals["114"]).all()
