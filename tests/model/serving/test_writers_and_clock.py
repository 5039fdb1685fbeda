"""The worker with two publishers, a paused one that dies, chunks out of order, and a clock that is stepped."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import msgspec
import pytest

from model.pipeline.analysis import Models
from model.serving.bed_watch import NO_DATA_NS, PAUSE_BELIEVED_NS
from stream.clock import unix_ns
from stream.records.record import Record
from stream.replay.playhead import ReplayConfig, replay
from stream.wire.alarm_messages import ActiveAlarms, Alarm, PauseAlarms, PauseAudio
from stream.wire.messages import Waveform
from stream.wire.other_writers import CONTEST_NS
from stream.wire.status_messages import ProcessStatus
from tests.model.serving.worker_harness import (
    BEGIN_NS,
    SESSION,
    WorkerHarness,
    assert_same_forecasts,
    chunks,
    command,
    publisher_status,
    run,
    until,
)

OTHER = "cd" * 16
HOUR_NS = 3_600_000_000_000
CHUNK_NS = 100_000_000


def other(patient: Record, seconds: float = 20) -> list[Waveform]:
    return until(replay(patient, ReplayConfig(), BEGIN_NS, OTHER), seconds)


def live(harness: WorkerHarness, *streams: Iterable[Waveform]) -> WorkerHarness:
    """Send streams side by side, a chunk of each per 100 ms, with the periodic checks."""
    for together in zip_longest(*streams):
        for chunk in together:
            harness.clock.now += CHUNK_NS // len(together)
            harness.worker.tick([chunk] if chunk is not None else [])
        harness.worker.advance_time()
    return harness


def wait(harness: WorkerHarness, duration_ns: int) -> WorkerHarness:
    for _ in range(-(-duration_ns // 500_000_000)):
        harness.clock.now += 500_000_000
        harness.worker.advance_time()
    return harness


def technical(harness: WorkerHarness) -> list[tuple[Any, ...]]:
    return [(a.kind, a.phase, a.reason) for a in harness.of(Alarm) if a.priority == "technical"]


def process(state: Any, instance: str = "p") -> ProcessStatus:
    return ProcessStatus(role="publisher", instance=instance, state=state, when="", beds=("bed-1",))


# --- one writer ------------------------------------------------------------------------------------------------------


def test_the_first_of_two_publishers_is_analysed_as_if_alone(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 12)
    harness = live(WorkerHarness(models), stream[:100], other(patient, 5))
    alone = run(models, [[c] for c in stream[:100]])
    assert_same_forecasts(harness.forecasts_of(SESSION), alone.forecasts_of(SESSION))
    assert technical(harness) == [("two_publishers", "raised", "two_sources")]
    assert harness.counters()["rejected"] == 50
    assert harness.counters()["samples_forecast"] == 3600
    assert [line[5] for line in harness.ledger].count("refused") == 50


def test_the_alarm_of_two_publishers_ends_within_ten_seconds(models: Models, patient: Record) -> None:
    assert CONTEST_NS < 9_000_000_000
    stream = until(chunks(patient), 20)
    harness = live(WorkerHarness(models), stream[:50], other(patient, 5))
    assert technical(harness) == [("two_publishers", "raised", "two_sources")]
    live(harness, stream[50:110])
    assert technical(harness)[1:] == [("two_publishers", "cleared", "rule_no_longer_met")]
    assert harness.of(ActiveAlarms)[-1].alarms == ()


def test_the_second_publisher_is_served_when_the_first_is_killed(models: Models, patient: Record) -> None:
    stream, two = until(chunks(patient), 5), other(patient, 10)
    harness = WorkerHarness(models)
    harness.worker.statuses.update(process("online"))
    harness.worker.statuses.update(publisher_status("playing"))
    live(harness, stream, two[:50])
    harness.worker.statuses.update(process("offline"))
    live(harness, two[50:])
    assert len(harness.forecasts_of(OTHER)) == 50
    assert ("two_publishers", "cleared", "rule_no_longer_met") in technical(harness)
    assert harness.of(ActiveAlarms)[-1].alarms == ()


def test_the_second_publisher_is_served_when_the_first_is_silent(models: Models, patient: Record) -> None:
    stream, two = until(chunks(patient), 5), other(patient, 15)
    harness = live(live(WorkerHarness(models), stream, two[:50]), two[50:])
    taken = [line for line in harness.ledger if line[1] == OTHER and line[5] in ("taken", "gap")]
    assert 100 - len(taken) in range(28, 34), "3 s"
    gap = [line for line in harness.ledger if line[5] == "gap"]
    assert len(gap) == 1
    assert sum(line[4] for line in taken) + gap[0][6] == two[-1].end - two[49].start


@pytest.mark.parametrize(
    "changes",
    [
        {"session": OTHER},
        {"seq": 2**50},
        {"seq": 2**50, "start": 2**50},
        {"epoch": 2**50},
        {"samples": bytes(4 * 10_000)},
    ],
)
def test_one_forged_chunk_does_not_stop_the_bed(models: Models, patient: Record, changes: dict[str, Any]) -> None:
    stream = until(chunks(patient), 8)
    forged = msgspec.structs.replace(stream[30], **changes)
    harness = live(live(live(WorkerHarness(models), stream[:30]), [forged]), stream[30:])
    taken = [line[2] for line in harness.ledger if line[1] == SESSION and line[5] in ("taken", "gap")]
    assert taken[-40:] == list(range(40, 80))


# --- order -----------------------------------------------------------------------------------------------------------


def test_swapped_neighbours_change_nothing(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 10)
    swapped = list(stream)
    for i in (20, 40, 60):
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
    harness = live(WorkerHarness(models), [*swapped[:80], swapped[79], *swapped[80:]])
    assert_same_forecasts(harness.forecasts_of(SESSION), run(models, [stream]).forecasts_of(SESSION))
    counters = harness.counters()
    assert (counters["gaps"], counters["duplicates"], counters["rejected"]) == (0, 1, 0)


@pytest.mark.parametrize("how", ["ended", "offline", "silent"])
def test_the_last_chunk_after_a_gap_is_processed(models: Models, patient: Record, how: str) -> None:
    stream = until(chunks(patient), 3)
    harness = WorkerHarness(models)
    harness.worker.statuses.update(publisher_status("playing"))
    live(harness, [*stream[:20], stream[22]])
    assert harness.counters()["samples_forecast"] == 720
    if how == "silent":
        wait(harness, NO_DATA_NS + 1_000_000_000)
    else:
        harness.worker.statuses.update(publisher_status("ended") if how == "ended" else process("offline"))
    assert harness.counters()["samples_forecast"] == 756
    assert harness.counters()["lost_samples"] == 72


# --- silence ---------------------------------------------------------------------------------------------------------


def test_a_publisher_that_is_paused_and_killed_raises_an_alarm(models: Models, patient: Record) -> None:
    harness = live(WorkerHarness(models), until(chunks(patient), 2))
    for _ in range(5):
        harness.worker.statuses.update(publisher_status("paused"))
        wait(harness, 2_000_000_000)
    assert technical(harness) == []
    harness.worker.statuses.update(process("offline"))
    wait(harness, NO_DATA_NS + 1_000_000_000)
    assert technical(harness) == [("no_data", "raised", "bed_silent")]
    assert harness.of(Alarm)[0].value == pytest.approx(NO_DATA_NS / 1e9, abs=1), "since its death, not since the pause"


def test_a_pause_that_is_not_repeated_is_not_believed(models: Models, patient: Record) -> None:
    """The broker died with the publisher: there is no last will."""
    harness = live(WorkerHarness(models), until(chunks(patient), 2))
    harness.worker.statuses.update(publisher_status("paused"))
    wait(harness, PAUSE_BELIEVED_NS + NO_DATA_NS + 1_000_000_000)
    assert technical(harness) == [("no_data", "raised", "bed_silent")]


def test_a_bed_that_resumes_after_a_long_pause_is_not_silent(models: Models, patient: Record) -> None:
    harness = live(WorkerHarness(models), until(chunks(patient), 2))
    for _ in range(60):
        harness.worker.statuses.update(publisher_status("paused"))
        wait(harness, 2_000_000_000)
    harness.worker.statuses.update(publisher_status("playing"))
    wait(harness, NO_DATA_NS - 1_000_000_000)
    assert technical(harness) == []


def test_a_false_report_of_the_end_does_not_hide_a_later_silence(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 4)
    harness = live(WorkerHarness(models), stream[:20])
    harness.worker.statuses.update(publisher_status("ended"))
    live(harness, stream[20:])
    wait(harness, NO_DATA_NS + 1_000_000_000)
    assert technical(harness) == [("no_data", "raised", "bed_silent")]


def test_a_stop_of_the_worker_itself_is_no_silence_of_the_bed(models: Models, patient: Record) -> None:
    harness = live(WorkerHarness(models), until(chunks(patient), 2))
    harness.clock.now += 60_000_000_000
    harness.worker.advance_time()
    wait(harness, NO_DATA_NS - 500_000_000)
    assert technical(harness) == []
    wait(harness, 1_000_000_000)
    assert technical(harness) == [("no_data", "raised", "bed_silent")]


# --- steps of the clock ----------------------------------------------------------------------------------------------


def step(harness: WorkerHarness, by_ns: int) -> None:
    harness.clock.now += by_ns
    harness.clock.stepped_ns += by_ns


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS])
def test_a_step_of_the_clock_is_no_silence_and_hides_none(models: Models, patient: Record, by_ns: int) -> None:
    harness = live(WorkerHarness(models), until(chunks(patient), 2))
    step(harness, by_ns)
    wait(harness, NO_DATA_NS - 500_000_000)
    assert technical(harness) == []
    wait(harness, 1_000_000_000)
    assert technical(harness) == [("no_data", "raised", "bed_silent")]
    assert harness.of(Alarm)[0].value < 7


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS])
@pytest.mark.parametrize("restored", [False, True])
def test_a_pause_lasts_as_long_as_it_was_meant_to(models: Models, patient: Record, by_ns: int, restored: bool) -> None:
    harness = WorkerHarness(models)
    if restored:
        harness.worker.restore_alarms(ActiveAlarms(bed="bed-1"))
    else:
        live(harness, until(chunks(patient), 2))
        harness.worker.statuses.update(publisher_status("ended"))
    harness.worker.commands.execute(command(PauseAudio(seconds=180), harness.clock.now, number=1))
    harness.worker.commands.execute(command(PauseAlarms(seconds=120), harness.clock.now, number=2))
    wait(harness, 60_000_000_000)
    step(harness, by_ns)
    harness.worker.advance_time()
    shown = harness.of(ActiveAlarms)[-1]
    assert unix_ns(shown.audio_paused_until) - harness.clock.now == 120_000_000_000, "what monitors show"
    assert unix_ns(shown.alarms_paused_until) - harness.clock.now == 60_000_000_000
    wait(harness, 59_000_000_000)
    assert harness.of(ActiveAlarms)[-1].alarms_paused_until is not None
    wait(harness, 1_000_000_000)
    assert harness.of(ActiveAlarms)[-1].alarms_paused_until is None
    assert harness.of(ActiveAlarms)[-1].audio_paused_until is not None
    wait(harness, 60_000_000_000)
    assert harness.of(ActiveAlarms)[-1].audio_paused_until is None


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS])
def test_a_pause_begun_just_after_a_step_is_not_moved(models: Models, by_ns: int) -> None:
    harness = WorkerHarness(models)
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1"))
    step(harness, by_ns)
    harness.worker.commands.execute(command(PauseAudio(seconds=180), harness.clock.now))
    wait(harness, 179_000_000_000)
    assert harness.of(ActiveAlarms)[-1].audio_paused_until is not None
    wait(harness, 1_000_000_000)
    assert harness.of(ActiveAlarms)[-1].audio_paused_until is None
