"""Records as they are replayed: with ECG, or hourly numerics alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.records.challenge2019 import parse
from stream.records.replayable import load_replayable, of_hours
from stream.wire.outlook_message import HOUR
from tests.stream.records.test_challenge2019 import NAME, TEXT, folder_of


def test_a_patient_of_the_challenge_and_a_record_with_ecg_are_loaded_by_name(tmp_path: Path) -> None:
    folder_of(tmp_path / "challenge2019", "p000009")
    loaded = load_replayable([NAME, "synthetic/ecg", NAME], Catalog(tmp_path, tmp_path / "cache"))
    assert [(name, record.alone) for name, record in loaded.items()] == [(NAME, True), ("synthetic/ecg", False)]
    assert loaded[NAME].n == 3 * HOUR
    assert loaded[NAME].source == "local folder"


def test_a_value_holds_from_its_hour_on_never_before_it_and_a_missing_one_has_an_age() -> None:
    record = of_hours(parse(TEXT, NAME, "file"))
    [pressure] = [one for one in record.numerics if one.name == "nibp_mean"]
    assert pressure.at(HOUR - 1) == (None, pytest.approx(3600, abs=0.01))
    assert pressure.at(HOUR) == (81.0, 0.0)
    assert pressure.at(2 * HOUR - 1) == (81.0, pytest.approx(3600, abs=0.01))
    [rate] = [one for one in record.numerics if one.name == "respiration_rate"]
    assert rate.at(2 * HOUR) == (None, 3600.0)
    assert [record.next_numerics(at) // HOUR for at in (0, 1, HOUR, HOUR + 1, 2 * HOUR + 1)] == [0, 1, 1, 2, 3]


def test_a_patient_without_any_numeric_cannot_be_replayed() -> None:
    with pytest.raises(RecordError, match="neither ECG nor a numeric"):
        of_hours(parse("HR|ICULOS\nNaN|1\nNaN|2\n", "empty", "file"))
