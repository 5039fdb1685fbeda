"""The records with which the beds of a scenario begin."""

from __future__ import annotations

import pytest

from stream.errors import UsageError
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.scenario_records import first_records
from stream.scenario.file import parse
from tests.stream.replay.test_playhead import traceable

TEXT = """
name = "two"
seconds = 20
title = { en = "Two", ja = "二" }
about = { en = "Two beds.", ja = "二床。" }
[[beds]]
[[beds]]
name = "bed-2"
record = "mitdb/100"
start_s = START
"""


def minute(name: str) -> Record:
    assert name == "mitdb/100"
    return traceable(60 * 360)


def test_a_record_has_what_the_scenario_needs_of_it_and_a_patient_is_made_while_it_is_replayed() -> None:
    (patient, begins_s), (record, start_s) = first_records(parse(TEXT.replace("START", "30"), "two.toml"), minute)
    assert isinstance(patient, LiveRecord)
    assert (patient.n, begins_s) == (20 * 360, 0)
    assert isinstance(record, Record)
    assert (record.n, start_s) == (50 * 360, 30)


def test_a_start_beyond_the_end_of_its_record_is_refused() -> None:
    with pytest.raises(UsageError, match=r"bed-2 starts at 60 s: traceable ends at 60\.0 s"):
        first_records(parse(TEXT.replace("START", "60"), "two.toml"), minute)
