"""Which beds are scored, and when their records have ended."""

from __future__ import annotations

import msgspec
import pytest

from model.evaluation.score_board import DRAIN_S, GIVE_UP_S, ScoreBoard
from monitor.tools.score_table import score_table
from stream.mqtt.client import Received
from stream.wire.bed_places import PLACES_VARIABLE
from stream.wire.codec import topic_of
from stream.wire.messages import Annotation, Message
from stream.wire.status_messages import BedStatus, ProcessStatus
from tests.model.evaluation.test_live_scores import SESSION, second, tachycardia, truth

NOW_NS = 1_700_000_000_000_000_000


def status(role: str, state: str, last_seq: int, **changes: object) -> BedStatus:
    made = BedStatus(
        bed="bed-1", role=role, instance=f"{role}-1", state=state, when="", record="made", session=SESSION,  # type: ignore[arg-type]
        duration=3600, last_seq=last_seq,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def feed(board: ScoreBoard, messages: list[Message], at_s: float, *, retained: bool = False) -> None:
    for message in messages:
        board.receive(Received(topic_of(message), message, retained, NOW_NS, 0, 0, round(at_s * 1e9)))


def test_a_record_has_ended_once_the_worker_has_analysed_its_last_chunk() -> None:
    board = ScoreBoard()
    for seq in range(10):
        feed(board, second(seq), seq)
    feed(board, [status("publisher", "ended", 9), status("worker", "forecasting", 8)], 11.0)
    assert not board.ended(11.0 + DRAIN_S)
    feed(board, [status("worker", "forecasting", 9)], 12.0)
    assert not board.ended(12.0 + DRAIN_S / 2)
    assert board.ended(12.0 + DRAIN_S)
    [report] = board.report(NOW_NS, complete=True)
    assert (report.whole, report.cumulative.qrs.found) == (True, 10)
    assert board.report(NOW_NS, complete=True) == [], "it is complete"


def test_a_worker_that_does_not_come_is_not_awaited_forever() -> None:
    board = ScoreBoard()
    feed(board, second(0), 0.0)
    feed(board, [status("publisher", "playing", 0)], 0.5)
    gone = ProcessStatus(role="publisher", instance="publisher-1", state="offline", when="")
    feed(board, [gone], 1.0)
    assert not board.ended(0.9 + GIVE_UP_S)
    assert board.ended(1.0 + GIVE_UP_S)
    feed(board, second(1), 2.0)
    assert not board.ended(2.0 + GIVE_UP_S), "it sends again"


def test_the_rhythms_of_a_steered_patient_are_a_reference_also_before_the_signal() -> None:
    board = ScoreBoard()
    feed(board, [truth(0, "begin", what="rhythm", name="VT", synthetic=True)], 0.0)
    feed(board, [truth(0, "begin")], 0.0)  # noise, from the start on
    for seq in range(40):
        messages = [message for message in second(seq) if not isinstance(message, Annotation)]
        feed(board, messages, seq)
        if seq == 9:
            feed(board, [truth(10 * 360, "begin", what="rhythm", name="N", synthetic=True)], 9.0)
    feed(board, [tachycardia(900), tachycardia(35 * 360)], 40.0)
    [report] = board.report(NOW_NS, complete=True)
    [vt] = [row for row in report.cumulative.rhythms if row.name == "vt"]
    assert (report.style, vt.episodes, vt.found) == ("rhythm notes", 1, 1)
    assert (report.cumulative.false_alarms, report.cumulative.during_injections) == (0, 1)


def test_without_a_reference_there_is_nothing_to_score() -> None:
    board = ScoreBoard()
    feed(board, [message for message in second(0) if type(message).__name__ != "Annotation"], 0.0)
    feed(board, second(1), 1.0, retained=True)
    assert (board.scored, board.reports, board.ended(1e9)) == ([], [], False)


def test_outputs_of_a_worker_that_was_replaced_are_not_scored() -> None:
    board = ScoreBoard()
    for seq in range(20):
        feed(board, [replace_lease(message, 2) for message in second(seq)], seq)
    feed(board, [replace_lease(tachycardia(900), 1)], 20.0)
    [report] = board.report(NOW_NS, complete=True)
    assert report.cumulative.false_alarms == 0


def replace_lease(message: Message, lease: int) -> Message:
    return msgspec.structs.replace(message, lease=lease) if hasattr(message, "lease") else message


def test_the_table_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    board = ScoreBoard("bed-1")
    for seq in range(60):
        feed(board, second(seq), seq)
    feed(board, [tachycardia(900)], 60.0)
    board.report(NOW_NS, complete=True)
    Console(width=80).print(score_table(board.reports))
    text = capsys.readouterr().out
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())
    for part in ("SIMULATION", "bed-1: made, 60 s, complete", "60 of 120", "ventricular_tachycardia 1"):
        assert part in text


def test_the_table_says_from_when_on_beats_count(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    board = ScoreBoard("bed-1")
    for seq in range(20):
        feed(board, second(seq), seq)
    [report] = board.report(NOW_NS, complete=True)
    none = msgspec.structs.replace(report.cumulative.qrs, found=0, missed=0, false=0)
    early = msgspec.structs.replace(
        report, scored_from_s=300.0, cumulative=msgspec.structs.replace(report.cumulative, qrs=none)
    )
    Console(width=80).print(score_table([early]))
    assert "Beats and AF count from 5:00 of the replay on" in capsys.readouterr().out
    Console(width=80).print(score_table([report]))
    assert "of the replay on" not in capsys.readouterr().out


def test_invented_names_of_beds_do_not_bloat_it_and_the_bound_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(PLACES_VARIABLE, "3")
    board = ScoreBoard()
    for seq in range(12):
        feed(board, second(seq), seq)
    for number in range(500):
        feed(board, [msgspec.structs.replace(one, bed=f"invented-{number}") for one in second(0)], 12.0)  # type: ignore[call-arg]
    for number in range(500):
        feed(board, [msgspec.structs.replace(one, bed=f"later-{number}") for one in second(0)], 30.0)  # type: ignore[call-arg]
    assert len(board.scored) == 3
    assert "bed-1" in board.scored, "it is established"
    [first, _] = [record.getMessage() for record in caplog.records if "send already" in record.getMessage()]
    assert first == "3 beds send already: bed invented-2 is not scored; BEDSIDE_PLACES sets another bound"
    for seq in range(12, 15):
        feed(board, second(seq), seq + 20)
    assert [report.cumulative.qrs.found for report in board.report(NOW_NS, complete=True) if report.bed == "bed-1"] == [
        15
    ]
