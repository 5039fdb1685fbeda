"""Review of an event: while samples arrive, afterwards, and after they were dropped; its summary and its files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitor.common.strip import MARGIN_SAMPLES as MARGIN
from monitor.common.strip import Strip
from monitor.common.strip_forecast import StripForecast
from monitor.view.display_texts import english
from monitor.view.event_export import file_stem, to_adu, to_csv, write_wfdb
from monitor.view.event_review import Review, build_review, crop, newer_review, with_strip
from monitor.view.event_summary import summary_rows
from monitor.view.link import LinkState
from stream.errors import StorageError
from stream.records.wfdb_reader import quiet_wfdb
from stream.records.wfdb_writer import write
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.alarm_texts import Phrase
from stream.wire.messages import INVALID
from tests.monitor.message_samples import alarm, received_chunk
from tests.monitor.view.scenario import Scenario

ONSET = 15 * FS


def review_of(scenario: Scenario, alarm_id: str | None = None, link: LinkState = LinkState.LIVE) -> Review:
    bed = scenario.presenter.bed("bed-1")
    assert bed is not None
    found = build_review(bed, alarm_id or alarm(ONSET).alarm_id, link)
    assert found is not None
    return found


def event(seconds: int = 26, **changes: object) -> Scenario:
    scenario = Scenario().stream(10 * seconds)
    return scenario.receive(alarm(ONSET, **changes), alarm(ONSET, "cleared", end=ONSET + 720, **changes))


# --- samples --------------------------------------------------------------------------------------------------------


def test_ten_seconds_before_and_after_with_forecast_and_score() -> None:
    found = review_of(event())
    assert (found.first, found.stop, found.end) == (ONSET - MARGIN, ONSET + MARGIN, ONSET + MARGIN)
    np.testing.assert_allclose(found.mv[:, 0], (np.arange(found.first, found.stop) - 1024) / 200, atol=1e-5)
    assert np.nanmax(np.abs(found.predicted)) == 0.0
    assert np.isfinite(found.score).all()
    assert found.threshold == 3.0
    assert (found.alarm_span.first, found.alarm_span.stop) == (ONSET, ONSET + 720)
    assert found.notes == ()


def test_it_grows_while_samples_arrive() -> None:
    scenario = Scenario().stream(170).receive(alarm(ONSET))
    first = review_of(scenario)
    assert first.end == 17 * FS
    assert english(first.notes) == "8 s still to come …"
    assert first.duration_s == pytest.approx(2.0)
    assert first.alarm_span.stop is None
    second = review_of(scenario.stream(30))
    assert second.end == 20 * FS
    assert second.key != first.key
    assert review_of(scenario.stream(60)).notes == ()


def test_a_review_starts_at_sample_0_at_the_earliest() -> None:
    scenario = Scenario().stream(150).receive(alarm(360))
    found = review_of(scenario, alarm(360).alarm_id)
    assert (found.first, found.notes) == (0, ())


def test_samples_that_will_not_arrive_are_noted() -> None:
    scenario = Scenario().stream(170).receive(alarm(ONSET))
    assert english(review_of(scenario, link=LinkState.ENDED).notes) == "The last 8.0 s were not received: ENDED."


def test_lost_samples_are_counted() -> None:
    scenario = Scenario().stream(100)
    scenario.next_seq = 110
    scenario.stream(200).receive(alarm(ONSET))
    assert english(review_of(scenario).notes) == "1.0 s are missing or invalid."


def test_samples_before_the_monitor_was_opened_are_noted() -> None:
    scenario = Scenario()
    scenario.next_seq = 100
    scenario.stream(200).receive(alarm(ONSET))
    assert (
        english(review_of(scenario).notes)
        == "The first 5.0 s are not available: the monitor was opened, or the leads changed, later."
    )


def test_dropped_samples_are_noted() -> None:
    scenario = Scenario().stream(3, forecasts=False, n=3600).receive(alarm(ONSET)).stream(70, forecasts=False, n=3600)
    found = review_of(scenario)
    assert english(found.notes) == "The samples of this event are not available: the monitor keeps 11 minutes."
    assert (found.leads, found.sample_count) == ((), 0)


def test_samples_of_another_session_are_not_available() -> None:
    scenario = event()
    scenario.next_seq = 0
    scenario.stream(5, session="f" * 32)
    assert "another session" in english(review_of(scenario).notes)


def test_without_samples_there_is_a_note() -> None:
    assert english(review_of(Scenario().receive(alarm(ONSET))).notes) == "No samples of this bed were received."


def test_an_unknown_alarm_has_no_review() -> None:
    bed = event().presenter.bed("bed-1")
    assert bed is not None
    assert build_review(bed, "unknown", LinkState.LIVE) is None


def test_a_review_keeps_its_samples_when_they_are_dropped() -> None:
    scenario = Scenario().stream(170).receive(alarm(ONSET))
    before = review_of(scenario)
    scenario.next_seq = 0
    scenario.stream(5, session="f" * 32).receive(alarm(ONSET, "acknowledged", acknowledged_by="nurse 1"))
    after = newer_review(before, review_of(scenario))
    np.testing.assert_array_equal(after.mv, before.mv)
    assert english(after.notes) == "The last 8.0 s were not received: the session has ended."
    assert after.alarm.acknowledged_by == "nurse 1"


def test_a_review_with_more_samples_replaces_the_old_one() -> None:
    scenario = Scenario().stream(170).receive(alarm(ONSET))
    before = review_of(scenario)
    now = review_of(scenario.stream(20))
    assert newer_review(before, now) is now


def test_a_cropped_review_has_the_same_samples() -> None:
    found = review_of(event())
    some = crop(found, ONSET - FS, ONSET + FS)
    assert (some.first, some.stop, some.end) == (ONSET - FS, ONSET + FS, ONSET + FS)
    np.testing.assert_array_equal(some.mv, found.mv[9 * FS : 11 * FS])


def rows(explained: tuple[tuple[Phrase, Phrase], ...]) -> dict[str, str]:
    return {english(name): english(text) for name, text in explained}


# --- summary --------------------------------------------------------------------------------------------------------


def test_the_summary_of_an_anomaly_alarm() -> None:
    summary = rows(summary_rows(review_of(event())))
    assert summary["Alarm"] == "unusual complexes, low priority"
    assert summary["Waveform"] == "1.00 mV observed, 0.10 mV predicted"
    assert summary["Anomaly score"] == "4.0, unusual from 3.0"
    assert summary["Time"].endswith("lasted 2.0 s")
    assert summary["Source"] == "BED-1, mitdb/208 (SYNTHETIC), sample 5400 of its session"
    assert summary["Acknowledged"] == "not acknowledged"
    assert summary["Measured"] == "6 unusual complexes"


@pytest.mark.parametrize(
    ("kind", "value", "limit", "text"),
    [
        ("heart_rate_high", 131.0, 120.0, "131.0/min, limit 120/min"),
        ("asystole", 4.2, 4.0, "4.2 s, limit 4 s"),
        ("no_data", 6.9, None, "6.9 s"),
        ("desaturation", 76.0, 80.0, "76.0 %, limit 80 %"),
        ("abp_mean_low", 48.5, 60.0, "48.5 mmHg, limit 60 mmHg"),
        ("abp_disconnected", 3.0, None, "3.0 mmHg"),
        ("respiration_high", 34.0, 30.0, "34.0/min, limit 30/min"),
        ("apnoea", 21.0, 20.0, "21.0 s, limit 20 s"),
        ("ventricular_tachycardia", 148.0, None, "148.0/min"),
    ],
)
def test_a_measured_value_has_its_unit_and_limit(kind: str, value: float, limit: float | None, text: str) -> None:
    none = {"observed": None, "predicted": None, "score": None, "threshold": None}
    summary = rows(summary_rows(review_of(event(kind=kind, value=value, limit=limit, **none))))
    assert summary["Measured"] == text
    assert "Anomaly score" not in summary


def test_who_has_found_it_and_how_often_before() -> None:
    scenario = event(repeats=2).receive(
        alarm(
            ONSET,
            "acknowledged",
            end=ONSET + 720,
            acknowledged_by="nurse 1",
            when="2026-01-31T12:00:09.000Z",
            repeats=2,
        )
    )
    summary = rows(summary_rows(review_of(scenario)))
    assert summary["Acknowledged"].startswith("by nurse 1 at 2026-01-31 ")
    assert summary["Repeats"] == "raised 2 times before since the last acknowledgement"


def test_without_the_raised_event_the_summary_has_no_start_time() -> None:
    acknowledged = alarm(ONSET, "acknowledged", acknowledged_by="nurse 1")
    scenario = Scenario().stream(170).receive(ActiveAlarms(bed="bed-1", alarms=(acknowledged,)))
    assert rows(summary_rows(review_of(scenario)))["Time"] == "raised before this monitor was opened, active for 2 s"


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_csv_has_a_row_per_received_sample() -> None:
    scenario = Scenario().stream(170).receive(alarm(ONSET))
    found = review_of(scenario)
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert list(rows[0]) == ["sample", "time_s", "MLII_mv", "MLII_forecast_mv", "score"]
    assert len(rows) == found.end - found.first
    at_onset = rows[ONSET - found.first]
    assert at_onset == {
        "sample": str(ONSET),
        "time_s": "0.0000",
        "MLII_mv": f"{(ONSET - 1024) / 200:.5g}",
        "MLII_forecast_mv": "0",
        "score": "0.5",
    }


def test_a_missing_sample_is_an_empty_cell() -> None:
    scenario = Scenario().stream(100)
    scenario.next_seq = 110
    found = review_of(scenario.stream(200).receive(alarm(ONSET)))
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert rows[3600 - found.first]["MLII_mv"] == ""


def test_adu_are_exported_as_sent() -> None:
    scenario = Scenario().stream(200)
    scenario.presenter.process(received_chunk(200, samples=np.full(36, INVALID, "<i2").tobytes()))
    scenario.next_seq = 201
    found = review_of(scenario.stream(100).receive(alarm(ONSET)))
    expected = np.arange(found.first, found.end)
    expected[7200 - found.first : 7236 - found.first] = INVALID
    np.testing.assert_array_equal(to_adu(found)[:, 0], expected)


def test_a_wfdb_record_can_be_read_back(tmp_path: Path) -> None:
    found = review_of(event())
    write_wfdb(found, tmp_path / f"{file_stem(found)}.hea", write)
    stem = str(tmp_path / "bed_1_unusual_complexes_5400")
    with quiet_wfdb() as wfdb:
        record, notes = wfdb.rdrecord(stem, physical=False), wfdb.rdann(stem, "atr")
    np.testing.assert_array_equal(record.d_signal, to_adu(found))
    assert notes.sample.tolist() == [MARGIN, MARGIN + 720]
    assert [note.rstrip("\0") for note in notes.aux_note] == ["unusual complexes begins", "unusual complexes ends"]
    assert "not a medical device" in record.comments[0]
    assert any("Anomaly score: 4.0" in comment for comment in record.comments)


def test_an_invalid_wfdb_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="use letters, digits"):
        write_wfdb(review_of(event()), tmp_path / "my event.hea", write)
    assert list(tmp_path.iterdir()) == []


# --- samples of the alarm store -------------------------------------------------------------------------------------


def stored(event_alarm: Alarm, valid: slice = slice(None), **changes: object) -> Strip:
    """Return a strip with the sample's index in its session as adu."""
    start = event_alarm.onset - MARGIN
    adu = np.full(2 * MARGIN, INVALID, "<i2")
    adu[valid] = np.arange(start, start + 2 * MARGIN)[valid]
    own = (event_alarm.alarm_id, event_alarm.bed, event_alarm.session, event_alarm.priority, start)
    whole = Strip(*own, leads=("MLII",), gain=(200.0,), zero=(1024,), samples=adu.tobytes(), complete=True)
    return replace(whole, **changes)


def test_a_strip_replaces_samples_that_the_monitor_does_not_have() -> None:
    before_restart = alarm(ONSET, session="f" * 32)
    scenario = Scenario().stream(5).receive(ActiveAlarms(bed="bed-1", alarms=(before_restart,)))
    lacking = review_of(scenario)
    assert lacking.has_gaps
    found = with_strip(lacking, stored(before_restart, slice(360, None)))
    assert (found.first, found.end, found.stop) == (ONSET - MARGIN, ONSET + MARGIN, ONSET + MARGIN)
    np.testing.assert_allclose(found.mv[360:, 0], (np.arange(found.first + 360, found.stop) - 1024) / 200, atol=1e-5)
    assert np.isnan(found.mv[:360]).all()
    assert np.isnan(found.predicted).all()
    assert english(found.notes) == (
        "From the alarm store, which has no forecast of it and keeps no score. 1.0 s are missing or invalid."
    )
    assert newer_review(found, lacking).mv is found.mv
    assert english(with_strip(lacking, None).notes).endswith("The alarm store has no samples of it.")


def test_a_strip_completes_the_samples_of_the_monitor() -> None:
    scenario = Scenario()
    scenario.next_seq = 100
    scenario.stream(200).receive(alarm(ONSET))
    found = with_strip(review_of(scenario), stored(alarm(ONSET)))
    np.testing.assert_allclose(found.mv[:, 0], (np.arange(found.first, found.stop) - 1024) / 200, atol=1e-5)
    assert np.isfinite(found.predicted[-1, 0])
    assert english(found.notes) == "5.0 s are from the alarm store, without forecast and score."
    other_leads = stored(alarm(ONSET), leads=("V1",))
    assert with_strip(review_of(scenario), other_leads).mv is not found.mv
    assert "5.0 s are not available" in english(with_strip(review_of(scenario), other_leads).notes)


def forecast_of(strip: Strip, at: np.ndarray) -> StripForecast:
    """Return a forecast that is a sine of 1 Hz, known at some samples."""
    mean = np.sin(2 * np.pi * at / FS)
    return StripForecast(strip.alarm_id, strip.leads, np.column_stack((at, mean, mean)).astype("<f4").tobytes())


def test_a_strip_has_its_forecast_and_none_where_none_was_made() -> None:
    before_restart = alarm(ONSET, session="f" * 32)
    lacking = review_of(Scenario().stream(5).receive(ActiveAlarms(bed="bed-1", alarms=(before_restart,))))
    strip = stored(before_restart)
    known = np.concatenate((np.arange(36, 3600, 4), np.arange(4000, 7000, 4), np.arange(4000, 4100, 4)))  # twice
    found = with_strip(lacking, strip, forecast_of(strip, known))
    sample = np.arange(found.stop - found.first)
    inside = ((sample >= 36) & (sample <= 3596)) | ((sample >= 4000) & (sample <= 6996))
    np.testing.assert_array_equal(np.isfinite(found.predicted[:, 0]), inside)
    np.testing.assert_allclose(found.predicted[inside, 0], np.sin(2 * np.pi * sample[inside] / FS), atol=0.002)
    assert english(found.notes) == "From the alarm store, which keeps no score."
    assert not np.isfinite(with_strip(lacking, strip, forecast_of(strip, known[:1])).predicted).any()
    assert not np.isfinite(
        with_strip(lacking, strip, replace(forecast_of(strip, known), leads=("V1",))).predicted
    ).any()


def test_the_forecast_of_a_strip_completes_that_of_the_monitor() -> None:
    scenario = Scenario()
    scenario.next_seq = 100
    scenario.stream(200).receive(alarm(ONSET))
    strip = stored(alarm(ONSET))
    before = review_of(scenario)
    found = with_strip(before, strip, forecast_of(strip, np.arange(0, 7200, 4)))
    own = np.isfinite(before.predicted)
    np.testing.assert_array_equal(found.predicted[own], before.predicted[own])
    assert np.isfinite(found.predicted[:1800]).all()
    assert english(found.notes) == "5.0 s are from the alarm store, without score."
