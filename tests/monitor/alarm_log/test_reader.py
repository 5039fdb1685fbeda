"""Reading of an alarm store while a logger has it open."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from monitor.alarm_log.reader import PAST_NS, StoreReader
from monitor.alarm_log.store import AlarmLog
from monitor.common.strip_forecast import StripForecast
from stream.clock import unix_ns
from stream.errors import StorageError
from tests.monitor.alarm_log.test_store import alarm, cleared, strip

NOW = unix_ns("2026-01-31T12:00:30.000Z")


def test_strips_and_past_events_of_a_bed_are_read_while_the_logger_writes(tmp_path: Path) -> None:
    reader = StoreReader(tmp_path / "alarms.sqlite")
    with pytest.raises(StorageError, match=r"alarms\.sqlite does not exist"):
        reader.strip(alarm(1).alarm_id)
    kept = [alarm(1, kind="asystole"), alarm(1, kind="asystole", event_id="x", phase="cleared", end=361)]
    with AlarmLog(reader.path) as store:
        others = [alarm(2), cleared(2), alarm(3, kind="asystole", bed="bed-2")]
        store.add([(event, NOW) for event in (*kept, *others)])
        assert reader.strip(alarm(1).alarm_id) is None
        store.add_strips([strip(1, valid=100, complete=False)])
        assert reader.strip(alarm(1).alarm_id) == strip(1, valid=100, complete=False)
        assert reader.past_events("bed-1", NOW) == kept  # no advisories
        assert reader.past_events("bed-1", NOW + PAST_NS) == []


def test_a_damaged_store_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "alarms.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match="not a database"):
        StoreReader(tmp_path / "alarms.sqlite").past_events("bed-1", NOW)


@pytest.mark.parametrize("points", [bytes(7), np.full((10, 3), np.nan, "<f4").tobytes()])
def test_a_forecast_is_read_with_its_strip_and_a_damaged_one_has_a_reason(tmp_path: Path, points: bytes) -> None:
    one = strip(1)
    forecast = StripForecast(one.alarm_id, one.leads, bytes(4 * 3 * 10))
    with AlarmLog(tmp_path / "alarms.sqlite") as store:
        reader = StoreReader(store.path)
        store.add_strips([one], [forecast])
        assert reader.forecast(one.alarm_id) == forecast
        assert reader.forecast("another") is None
        with contextlib.closing(sqlite3.connect(store.path)) as db, db:
            db.execute("UPDATE forecasts SET points = ?", (points,))
        with pytest.raises(StorageError, match="is damaged"):
            reader.forecast(one.alarm_id)


def test_the_forecast_of_a_strip_that_a_restarted_logger_completes_is_whole(tmp_path: Path) -> None:
    one, points = strip(1), np.arange(30, dtype="<f4").reshape(10, 3)
    with AlarmLog(tmp_path / "alarms.sqlite") as store:
        for rows in (points[:6], points[5:]):
            store.add_strips([one], [StripForecast(one.alarm_id, one.leads, rows.tobytes())])
        assert StoreReader(store.path).forecast(one.alarm_id) == StripForecast(
            one.alarm_id, one.leads, points.tobytes()
        )
