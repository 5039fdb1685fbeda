"""What is known of an event, while it comes, afterwards, and when it is gone; in words and as files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from monitor.view.event_export import counts, file_stem, table, write_wfdb
from monitor.view.event_review import MARGIN, Review, later, part, review
from monitor.view.event_summary import explain
from monitor.view.link import LinkState
from monitor.view.phrases import english
from stream.errors import StorageError
from stream.records.wfdb_reader import quiet_wfdb
from stream.records.wfdb_writer import write
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.messages import INVALID
from stream.wire.phrases import Phrase
from tests.monitor.stories import alarm, arrives
from tests.monitor.view.story import Story

ONSET = 15 * FS


def look(story: Story, alarm_id: str | None = None, link: LinkState = LinkState.LIVE) -> Review:
    bed = story.presenter.bed("bed-1")
    assert bed is not None
    found = review(bed, alarm_id or alarm(ONSET).alarm_id, link)
    assert found is not None
    return found


def event(seconds: int = 26, **changes: object) -> Story:
    story = Story().stream(10 * seconds)
    return story.say(alarm(ONSET, **changes), alarm(ONSET, "cleared", end=ONSET + 720, **changes))


# --- samples --------------------------------------------------------------------------------------------------------


def test_ten_seconds_before_and_after_with_forecast_and_score() -> None:
    seen = look(event())
    assert (seen.first, seen.stop, seen.end) == (ONSET - MARGIN, ONSET + MARGIN, ONSET + MARGIN)
    np.testing.assert_allclose(seen.mv[:, 0], (np.arange(seen.first, seen.stop) - 1024) / 200, atol=1e-5)
    assert np.nanmax(np.abs(seen.predicted)) == 0.0
    assert np.isfinite(seen.score).all()
    assert seen.threshold == 3.0
    assert (seen.alarm_span.first, seen.alarm_span.stop) == (ONSET, ONSET + 720)
    assert seen.notes == ()


def test_it_fills_up() -> None:
    story = Story().stream(170).say(alarm(ONSET))
    first = look(story)
    assert first.end == 17 * FS
    assert english(first.notes) == "8 s still to come …"
    assert first.lasting_s == pytest.approx(2.0)
    assert first.alarm_span.stop is None
    second = look(story.stream(30))
    assert second.end == 20 * FS
    assert second.key != first.key
    assert look(story.stream(60)).notes == ()


def test_an_event_at_the_start_has_nothing_before_sample_0() -> None:
    story = Story().stream(150).say(alarm(360))
    seen = look(story, alarm(360).alarm_id)
    assert (seen.first, seen.notes) == (0, ())


def test_what_will_not_come_is_said() -> None:
    story = Story().stream(170).say(alarm(ONSET))
    assert english(look(story, link=LinkState.ENDED).notes) == "The last 8.0 s were not received: ENDED."


def test_lost_samples_are_counted() -> None:
    story = Story().stream(100)
    story.next_seq = 110
    story.stream(200).say(alarm(ONSET))
    assert english(look(story).notes) == "1.0 s are missing or invalid."


def test_a_monitor_that_came_late_says_so() -> None:
    story = Story()
    story.next_seq = 100
    story.stream(200).say(alarm(ONSET))
    assert (
        english(look(story).notes)
        == "The first 5.0 s are gone: the monitor was opened, or the leads changed, after it."
    )


def test_what_is_too_old_is_gone() -> None:
    story = Story().stream(3, forecasts=False, n=3600).say(alarm(ONSET)).stream(70, forecasts=False, n=3600)
    seen = look(story)
    assert english(seen.notes) == "The samples of this event are gone: the monitor keeps 11 minutes."
    assert (seen.leads, seen.known) == ((), 0)


def test_another_session_is_gone() -> None:
    story = event()
    story.next_seq = 0
    story.stream(5, session="f" * 32)
    assert "another session" in english(look(story).notes)


def test_without_samples_it_says_so() -> None:
    assert english(look(Story().say(alarm(ONSET))).notes) == "No samples of this bed were received."


def test_an_alarm_that_was_never_heard_of_has_no_review() -> None:
    bed = event().presenter.bed("bed-1")
    assert bed is not None
    assert review(bed, "unknown", LinkState.LIVE) is None


def test_what_was_shown_is_kept_though_the_samples_go() -> None:
    story = Story().stream(170).say(alarm(ONSET))
    before = look(story)
    story.next_seq = 0
    story.stream(5, session="f" * 32).say(alarm(ONSET, "acknowledged", acknowledged_by="nurse 1"))
    after = later(before, look(story))
    np.testing.assert_array_equal(after.mv, before.mv)
    assert english(after.notes) == "The last 8.0 s were never received: the session has ended."
    assert after.alarm.acknowledged_by == "nurse 1"


def test_more_samples_replace_fewer() -> None:
    story = Story().stream(170).say(alarm(ONSET))
    before = look(story)
    now = look(story.stream(20))
    assert later(before, now) is now


def test_a_part_holds_the_same_samples() -> None:
    seen = look(event())
    some = part(seen, ONSET - FS, ONSET + FS)
    assert (some.first, some.stop, some.end) == (ONSET - FS, ONSET + FS, ONSET + FS)
    np.testing.assert_array_equal(some.mv, seen.mv[9 * FS : 11 * FS])


def rows(explained: tuple[tuple[Phrase, Phrase], ...]) -> dict[str, str]:
    return {english(name): english(text) for name, text in explained}


# --- words ----------------------------------------------------------------------------------------------------------


def test_a_residual_alarm_in_words() -> None:
    words = rows(explain(look(event())))
    assert words["Alarm"] == "forecast deviation, low priority"
    assert words["Waveform"] == "1.00 mV observed, 0.10 mV predicted"
    assert words["Anomaly score"] == "4.0, alarm from 3.0"
    assert words["Time"].endswith("lasted 2.0 s")
    assert words["Source"] == "BED-1, mitdb/208 (SYNTHETIC), sample 5400 of its session"
    assert words["Acknowledged"] == "not acknowledged"
    assert "Measured" not in words


@pytest.mark.parametrize(
    ("kind", "value", "limit", "text"),
    [
        ("heart_rate_high", 131.0, 120.0, "131.0/min, limit 120/min"),
        ("asystole", 4.2, 4.0, "4.2 s, limit 4 s"),
        ("no_data", 6.9, None, "6.9 s"),
        ("ventricular_tachycardia", 148.0, None, "148.0/min"),
    ],
)
def test_a_measured_value_has_its_unit_and_limit(kind: str, value: float, limit: float | None, text: str) -> None:
    none = {"observed": None, "predicted": None, "score": None, "threshold": None}
    words = rows(explain(look(event(kind=kind, value=value, limit=limit, **none))))
    assert words["Measured"] == text
    assert "Anomaly score" not in words


def test_who_has_seen_it_and_how_often_before() -> None:
    story = event(repeats=2).say(
        alarm(
            ONSET,
            "acknowledged",
            end=ONSET + 720,
            acknowledged_by="nurse 1",
            when="2026-01-31T12:00:09.000Z",
            repeats=2,
        )
    )
    words = rows(explain(look(story)))
    assert words["Acknowledged"].startswith("by nurse 1 at 2026-01-31 ")
    assert words["Repeats"] == "raised 2 times before, since one was last acknowledged"


def test_an_alarm_of_which_only_the_list_was_heard_has_no_invented_beginning() -> None:
    seen = alarm(ONSET, "acknowledged", acknowledged_by="nurse 1")
    story = Story().stream(170).say(ActiveAlarms(bed="bed-1", alarms=(seen,)))
    assert rows(explain(look(story)))["Time"] == "raised before this monitor was opened, lasts for 2 s now"


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_per_sample_that_came() -> None:
    story = Story().stream(170).say(alarm(ONSET))
    seen = look(story)
    rows = list(csv.DictReader(io.StringIO(table(seen))))
    assert list(rows[0]) == ["sample", "time_s", "MLII_mv", "MLII_forecast_mv", "score"]
    assert len(rows) == seen.end - seen.first
    at_onset = rows[ONSET - seen.first]
    assert at_onset == {
        "sample": str(ONSET),
        "time_s": "0.0000",
        "MLII_mv": f"{(ONSET - 1024) / 200:.5g}",
        "MLII_forecast_mv": "0",
        "score": "0.5",
    }


def test_a_sample_that_is_not_there_is_an_empty_cell() -> None:
    story = Story().stream(100)
    story.next_seq = 110
    seen = look(story.stream(200).say(alarm(ONSET)))
    rows = list(csv.DictReader(io.StringIO(table(seen))))
    assert rows[3600 - seen.first]["MLII_mv"] == ""


def test_the_counts_are_those_that_were_sent() -> None:
    story = Story().stream(200)
    story.presenter.process(arrives(200, samples=np.full(36, INVALID, "<i2").tobytes()))
    story.next_seq = 201
    seen = look(story.stream(100).say(alarm(ONSET)))
    expected = np.arange(seen.first, seen.end)
    expected[7200 - seen.first : 7236 - seen.first] = INVALID
    np.testing.assert_array_equal(counts(seen)[:, 0], expected)


def test_a_wfdb_record_reads_back(tmp_path: Path) -> None:
    seen = look(event())
    write_wfdb(seen, tmp_path / f"{file_stem(seen)}.hea", write)
    stem = str(tmp_path / "bed_1_residual_5400")
    with quiet_wfdb() as wfdb:
        record, notes = wfdb.rdrecord(stem, physical=False), wfdb.rdann(stem, "atr")
    np.testing.assert_array_equal(record.d_signal, counts(seen))
    assert notes.sample.tolist() == [MARGIN, MARGIN + 720]
    assert [note.rstrip("\0") for note in notes.aux_note] == ["residual begins", "residual ends"]
    assert "not a medical device" in record.comments[0]
    assert any("Anomaly score: 4.0" in comment for comment in record.comments)


def test_a_name_that_wfdb_cannot_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="letters, digits"):
        write_wfdb(look(event()), tmp_path / "my event.hea", write)
    assert list(tmp_path.iterdir()) == []
