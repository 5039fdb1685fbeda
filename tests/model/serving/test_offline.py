"""A record offline: the files, and that they hold what the live worker would have sent."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state_machine import AlarmContext
from model.pipeline import analysis
from model.pipeline.analysis import Models, load_models
from model.serving.analyzer import BED, SESSION
from model.serving.offline import Summary, analyze
from stream.errors import StorageError
from stream.records.record import Record
from stream.wire import codec
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Message
from stream.wire.topics import Kind, Topic


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def minute(excerpt: Record) -> Record:
    """A minute with ventricular beats, cut so that it ends within a patch and within a stride."""
    return replace(excerpt, adu=excerpt.adu[54_000:75_639])


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO())


@pytest.fixture(scope="module")
def done(models: Models, minute: Record, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return analyze(minute, models, tmp_path_factory.mktemp("out") / "new", console=Console(file=io.StringIO()))


def alarms_in(path: Path) -> list[Alarm]:
    alarms = [codec.decode(Topic(Kind.ALARMS, BED), line) for line in path.read_bytes().splitlines()]
    assert all(isinstance(alarm, Alarm) for alarm in alarms)
    return alarms  # type: ignore[return-value]


def test_forecasts_lie_on_the_stride_and_are_those_of_the_worker(done: Summary, models: Models, minute: Record) -> None:
    """The live worker takes chunks of 36 samples; the file holds what it would have published."""
    state = analysis.begin(models, ("MLII",), 0, 0)
    live = []
    for first in range(0, minute.n, 36):
        [(found, state)] = analysis.step(models, [state], [minute.mv()[first : first + 36]], [models.alarms.limits])
        live += found.forecasts
    with np.load(done.files[0]) as file:
        np.testing.assert_array_equal(file["origin"], np.arange(35, minute.n, 36))
        assert file["origin"].dtype == np.int64
        assert file["mean"].dtype == file["scale"].dtype == np.float32
        assert file["mean"].shape == file["scale"].shape == (minute.n // 36, 96, 1)
        np.testing.assert_allclose(file["mean"], [forecast.mean for forecast in live], rtol=0, atol=1e-5)
        np.testing.assert_allclose(file["scale"], [forecast.scale for forecast in live], rtol=0, atol=1e-5)
        assert file["leads"].tolist() == ["MLII"]
        assert (int(file["fs"]), str(file["record"])) == (360, "excerpt")


def test_alarms_are_those_of_the_worker(done: Summary, models: Models, minute: Record) -> None:
    state = analysis.begin(models, ("MLII",), 0, 0)
    sent: list[Message] = []
    manager = AlarmManager(models.alarms, sent.append)
    for first in range(0, minute.n, 36):
        [(found, state)] = analysis.step(models, [state], [minute.mv()[first : first + 36]], [models.alarms.limits])
        manager.process(found.changes, AlarmContext("bed-1", SESSION, "excerpt", first + 36, first))
    manager.process(analysis.finish(state), AlarmContext("bed-1", SESSION, "excerpt", minute.n, 0))
    live = [message for message in sent if isinstance(message, Alarm)]
    offline = alarms_in(done.files[1])
    assert [(a.event_id, a.kind, a.onset, a.end, a.priority) for a in offline] == [
        (a.event_id, a.kind, a.onset, a.end, a.priority) for a in live
    ]
    assert done.alarms == sum(alarm.phase == "raised" for alarm in live) > 0
    assert all(0 <= alarm.onset < minute.n for alarm in offline)
    # Every alarm that was raised has ended, if only with the record.
    assert 2 * done.alarms == len(offline)


def test_an_alarm_shows_the_sample_that_was_observed(done: Summary, minute: Record) -> None:
    mv = minute.mv()[:, 0]
    for alarm in alarms_in(done.files[1]):
        if alarm.kind != "residual":
            continue
        stretch = mv[alarm.onset : alarm.end or alarm.onset + round(alarm.duration_s * 360)]
        assert np.isclose(stretch, alarm.observed).any()


def test_the_summary_is_one_line(done: Summary, minute: Record) -> None:
    assert (done.samples, done.forecasts) == (minute.n, minute.n // 36)
    text = str(done)
    assert "\n" not in text
    assert "60 s of signal" in text
    assert f"{done.alarms} alarms" in text


def test_nothing_is_left_but_the_files(done: Summary) -> None:
    assert sorted(done.files[0].parent.iterdir()) == sorted(done.files)


def test_progress_is_shown(models: Models, minute: Record, tmp_path: Path, console: Console) -> None:
    analyze(replace(minute, adu=minute.adu[:7_200]), models, tmp_path, console=console)
    assert isinstance(console.file, io.StringIO)
    assert "20 of 20 s of signal" in console.file.getvalue()


def test_a_record_shorter_than_a_stride(models: Models, minute: Record, tmp_path: Path, console: Console) -> None:
    summary = analyze(replace(minute, adu=minute.adu[:35]), models, tmp_path, console=console)
    assert (summary.forecasts, summary.alarms) == (0, 0)
    with np.load(summary.files[0]) as file:
        assert file["mean"].shape == (0, 96, 1)
    assert summary.files[1].read_bytes() == b""


def test_a_folder_that_cannot_be_one_is_said_in_one_line(
    models: Models, minute: Record, tmp_path: Path, console: Console
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write to .*file.*another folder") as caught:
        analyze(minute, models, tmp_path / "file" / "out", console=console)
    assert "\n" not in str(caught.value)


def test_a_failure_leaves_the_old_files(
    models: Models, minute: Record, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("forecast.npz", "alarms.jsonl", "beats.atr", "vitals.csv"):
        (tmp_path / name).write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("model.serving.offline._zip", full)
    with pytest.raises(StorageError, match="No space left on device"):
        analyze(replace(minute, adu=minute.adu[:3_600]), models, tmp_path, console=console)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "forecast.npz": "old",
        "alarms.jsonl": "old",
        "beats.atr": "old",
        "vitals.csv": "old",
    }
