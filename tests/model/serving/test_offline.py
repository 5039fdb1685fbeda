"""Offline analysis of a record: the files, and agreement with the live worker."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.pipeline.analysis import Models
from model.pipeline.beds import Beds
from model.serving.analyzer import BED, SESSION
from model.serving.offline import Summary, analyze, analyze_all
from stream.errors import StorageError
from stream.records.record import Record, RecordedWave
from stream.wire import codec
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Message
from stream.wire.topics import Kind, Topic
from tests.model.pulse_trains import every, pulse_wave


@pytest.fixture(scope="module")
def minute(excerpt: Record) -> Record:
    """A minute with ventricular beats that ends within a patch and within a stride."""
    return replace(excerpt, adu=excerpt.adu[54_000:75_639])


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO())


@pytest.fixture(scope="module")
def summary(models: Models, minute: Record, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return analyze(minute, models, tmp_path_factory.mktemp("out") / "new", console=Console(file=io.StringIO()))


def read_alarms(path: Path) -> list[Alarm]:
    alarms = [codec.decode(Topic(Kind.ALARMS, BED), line) for line in path.read_bytes().splitlines()]
    assert all(isinstance(alarm, Alarm) for alarm in alarms)
    return alarms  # type: ignore[return-value]


def test_forecasts_equal_those_of_the_worker(summary: Summary, models: Models, minute: Record) -> None:
    """The live worker processes chunks of 36 samples; the file contains what it publishes."""
    beds = Beds(models)
    bed = beds.begin(("MLII",), 0, 0)
    live = []
    for first in range(0, minute.n, 36):
        [found] = beds.step([bed], [minute.mv()[first : first + 36]], [models.alarms.limits])
        live += found.forecasts
    with np.load(summary.files[0]) as file:
        np.testing.assert_array_equal(file["origin"], np.arange(35, minute.n, 36))
        assert file["origin"].dtype == np.int64
        assert file["mean"].dtype == file["scale"].dtype == np.float32
        assert file["mean"].shape == file["scale"].shape == (minute.n // 36, 96, 1)
        np.testing.assert_allclose(file["mean"], [forecast.mean for forecast in live], rtol=0, atol=1e-5)
        np.testing.assert_allclose(file["scale"], [forecast.scale for forecast in live], rtol=0, atol=1e-5)
        assert file["leads"].tolist() == ["MLII"]
        assert (int(file["fs"]), str(file["record"])) == (360, "excerpt")


def test_alarms_equal_those_of_the_worker(summary: Summary, models: Models, minute: Record) -> None:
    beds = Beds(models)
    bed = beds.begin(("MLII",), 0, 0)
    sent: list[Message] = []
    manager = AlarmManager(models.alarms, sent.append)
    for first in range(0, minute.n, 36):
        [found] = beds.step([bed], [minute.mv()[first : first + 36]], [models.alarms.limits])
        manager.process(found.changes, AlarmContext("bed-1", SESSION, "excerpt", first + 36, first))
    manager.process(bed.finish().changes, AlarmContext("bed-1", SESSION, "excerpt", minute.n, 0))
    live = [message for message in sent if isinstance(message, Alarm)]
    offline = read_alarms(summary.files[1])
    assert [(a.event_id, a.kind, a.onset, a.end, a.priority) for a in offline] == [
        (a.event_id, a.kind, a.onset, a.end, a.priority) for a in live
    ]
    raised = summary.alarms + summary.advisories
    assert raised == sum(alarm.phase == "raised" for alarm in live) > 0
    assert summary.advisories == sum((alarm.kind, alarm.phase) == ("residual", "raised") for alarm in live) > 0
    assert all(0 <= alarm.onset < minute.n for alarm in offline)
    # Every raised alarm is cleared, at the latest at the end of the record.
    assert 2 * raised == len(offline)


def test_the_evidence_of_an_alarm_is_an_observed_sample(summary: Summary, minute: Record) -> None:
    mv = minute.mv()[:, 0]
    for alarm in read_alarms(summary.files[1]):
        if alarm.kind != "residual":
            continue
        interval = mv[alarm.onset : alarm.end or alarm.onset + round(alarm.duration_s * 360)]
        assert np.isclose(interval, alarm.observed).any()


def test_the_summary_is_one_line(summary: Summary, minute: Record) -> None:
    assert (summary.samples, summary.forecasts) == (minute.n, minute.n // 36)
    text = str(summary)
    assert "\n" not in text
    assert "60 s of signal" in text
    assert f"{summary.alarms} alarms and {summary.advisories} advisories" in text


def test_no_temporary_files_remain(summary: Summary) -> None:
    assert sorted(summary.files[0].parent.iterdir()) == sorted(summary.files)


def test_progress_is_shown(models: Models, minute: Record, tmp_path: Path, console: Console) -> None:
    analyze(replace(minute, adu=minute.adu[:7_200]), models, tmp_path, console=console)
    assert isinstance(console.file, io.StringIO)
    assert "20 of 20 s of signal" in console.file.getvalue()


def test_a_record_shorter_than_a_stride(models: Models, minute: Record, tmp_path: Path, console: Console) -> None:
    short = analyze(replace(minute, adu=minute.adu[:35]), models, tmp_path, console=console)
    assert (short.forecasts, short.alarms) == (0, 0)
    with np.load(short.files[0]) as file:
        assert file["mean"].shape == (0, 96, 1)
    assert short.files[1].read_bytes() == b""


def test_an_invalid_folder_is_an_error_of_one_line(
    models: Models, minute: Record, tmp_path: Path, console: Console
) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot write to .*file.*another folder") as caught:
        analyze(minute, models, tmp_path / "file" / "out", console=console)
    assert "\n" not in str(caught.value)


def test_a_failure_keeps_existing_files(
    models: Models, minute: Record, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("forecast.npz", "alarms.jsonl", "beats.atr", "vitals.csv"):
        (tmp_path / name).write_text("old")

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("model.serving.offline._zip", disk_full)
    with pytest.raises(StorageError, match="No space left on device"):
        analyze(replace(minute, adu=minute.adu[:3_600]), models, tmp_path, console=console)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "forecast.npz": "old",
        "alarms.jsonl": "old",
        "beats.atr": "old",
        "vitals.csv": "old",
    }


def test_several_records_are_analysed_together(
    models: Models, minute: Record, tmp_path: Path, console: Console, summary: Summary
) -> None:
    short = replace(minute, name="short", adu=minute.adu[:7_300])
    both = analyze_all({tmp_path / "a": minute, tmp_path / "b": short}, models, console=console)
    assert [(one.record, one.samples) for one in both] == [(minute.name, minute.n), ("short", 7_300)]
    assert (both[0].beats, both[0].alarms, both[0].advisories) == (summary.beats, summary.alarms, summary.advisories)
    for name in ("alarms.jsonl", "beats.atr"):
        assert (tmp_path / "a" / name).read_bytes() == (summary.files[0].parent / name).read_bytes()
    with np.load(tmp_path / "b" / "forecast.npz") as file:
        assert file["origin"].tolist() == list(range(35, 7_300, 36))
    assert isinstance(console.file, io.StringIO)
    assert "2 records" in console.file.getvalue()


def test_what_the_waves_give_is_a_file_of_a_record_with_waves(
    models: Models, minute: Record, tmp_path: Path, console: Console
) -> None:
    pleth = np.rint(5000 * pulse_wave(every(0.75, 11.9), 12)).astype(np.int16)
    record = replace(minute, adu=minute.adu[: 12 * 360], waves=(RecordedWave("pleth", "NU", 125.0, 5000.0, 0, pleth),))
    summary = analyze(record, models, tmp_path, console=console)
    rows = list(csv.DictReader(summary.files[-1].read_text().splitlines()))
    assert summary.files[-1].name == "derived.csv"
    rates = {float(row["time_s"]): row for row in rows if row["name"] == "pulse_rate"}
    assert rates[2]["value"] == ""
    assert float(rates[11]["value"]) == pytest.approx(80, abs=1)
    assert rates[11]["unit"] == "1/min"
