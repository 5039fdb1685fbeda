"""The live score is that of the record offline; what is injected is counted apart; passes add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest

from model.evaluation.database_report import scores_dict
from model.evaluation.live_scores import BedScore
from model.evaluation.monitor_output import monitor_of
from model.evaluation.passages import SETTLED
from model.evaluation.record_scores import score_record
from model.evaluation.truth import truth_of
from model.pipeline.analysis import Models, load_models
from model.pipeline.beds import Beds
from stream.records.catalog import Catalog
from stream.records.record import Annotations, Record
from stream.records.wfdb_reader import load
from stream.replay.bed_output import annotations_of
from stream.timebase import FS
from stream.wire import codec
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Annotation, Beat, Message, Rhythm, Vitals, Waveform
from stream.wire.score_message import BeatTally, Score
from stream.wire.truth_message import Truth
from tests.model.serving.worker_harness import SESSION, WorkerHarness, chunks, publisher_status

WHEN = "2026-01-31T12:00:00.000Z"


def stretch(record: Record, first_s: int, stop_s: int) -> Record:
    """Return a part of a record with its annotations."""
    first, stop = first_s * FS, stop_s * FS
    reference = record.annotations
    assert reference is not None
    kept = np.flatnonzero((reference.sample >= first) & (reference.sample < stop))
    annotations = Annotations(
        reference.sample[kept] - first,
        tuple(reference.symbol[i] for i in kept),
        tuple(reference.aux[i] for i in kept),
    )
    return replace(record, adu=record.adu[first:stop], annotations=annotations)


def play(record: Record, score: BedScore, models: Models) -> None:
    """Send a record to a worker, and what both say to the score."""
    worker = WorkerHarness(models)
    told = 0

    def pass_on() -> None:
        nonlocal told
        for message in worker.messages[told:]:
            score.receive(message)
        told = len(worker.messages)

    for chunk in chunks(record, size=100):
        score.receive(chunk)
        assert record.annotations is not None
        for annotation in annotations_of(chunk, record.annotations):
            score.receive(annotation)
        worker.worker.tick([chunk])
        pass_on()
    ended = msgspec.structs.replace(publisher_status("ended"), record=record.name, duration=record.n)
    score.receive(ended)
    worker.worker.statuses.update(ended)
    worker.worker.stop()
    pass_on()


@pytest.mark.parametrize(("name", "first_s", "stop_s"), [("208", 900, 1020), ("203", 0, 240)])
def test_the_live_score_equals_that_of_the_record(
    name: str, first_s: int, stop_s: int, mitdb_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither beats nor rhythm depend on the forecast, which would take most of the time.
    monkeypatch.setattr("model.serving.worker.Beds", partial(Beds, forecast=False))
    models = load_models()
    record = stretch(load(f"mitdb/{name}", Catalog.from_environment(mitdb_dir)), first_s, stop_s)
    score = BedScore("bed-1")
    play(record, score, models)
    report = score.report(WHEN, complete=True)
    assert report is not None
    assert report.whole
    [output] = monitor_of(models)([record])
    offline = score_record(record.name, truth_of(record), output)
    assert scores_dict(score.cumulative.scores) == scores_dict(offline)
    assert offline.beats.veb.found > 20
    assert (name == "203") == bool(offline.entries and offline.af_s)
    assert codec.decode(codec.topic_of(report), codec.encode(report)) == report


# --- constructed messages --------------------------------------------------------------------------------------------


def waveform(seq: int, epoch: int = 0, epoch_start: int = 0, position: int | None = None) -> Waveform:
    start = seq * FS
    return Waveform(
        bed="bed-1", session=SESSION, epoch=epoch, seq=seq, start=start, epoch_start=epoch_start, t0_ns=1, speed=1.0,
        fs=360, leads=("MLII",), gain=(200.0,), zero=(0,), samples=bytes(2 * FS), record="made",
        position=start if position is None else position, synthetic=False,
    )  # fmt: skip


def vitals(index: int, rhythm: Rhythm = "sinus") -> Vitals:
    return Vitals(
        bed="bed-1", session=SESSION, index=index, when=WHEN, heart_rate=60.0, rr_ms=None, pvc_per_min=None,
        rhythm=rhythm, quality=1.0, score=None, skill=None,
    )  # fmt: skip


def beat(index: int) -> Beat:
    return Beat(bed="bed-1", session=SESSION, index=index, type="N", rr_ms=None, quality=1.0)


def annotation(index: int, symbol: str = "N", aux: str = "") -> Annotation:
    return Annotation(bed="bed-1", session=SESSION, index=index, symbol=symbol, aux=aux)


def tachycardia(at: int) -> Alarm:
    alarm_id = f"{SESSION}-ventricular_tachycardia-{at}"
    return Alarm(
        event_id=f"{alarm_id}-raised", alarm_id=alarm_id, bed="bed-1", session=SESSION, record="made",
        kind="ventricular_tachycardia", priority="high", phase="raised", onset=at, end=None, when=WHEN, text="",
        duration_s=0.0, at=at,
    )  # fmt: skip


def truth(index: int, phase: str, **changes: object) -> Truth:
    made = Truth(
        bed="bed-1", session=SESSION, epoch=0, index=index, when=WHEN, truth_id="m-1", what="injection",
        phase=phase, name="electrode_motion", synthetic=False,  # type: ignore[arg-type]
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def second(seq: int, **epoch: int) -> list[Message]:
    """Return a second of signal in which each side has the same beat."""
    at = seq * FS + 180
    return [waveform(seq, **epoch), annotation(at), annotation(at + 4, "V"), beat(at), vitals((seq + 1) * FS - 1)]


def scored(messages: Sequence[Message], report: Callable[[BedScore], Score | None]) -> Score:
    score = BedScore("bed-1")
    for message in messages:
        score.receive(message)
    found = report(score)
    assert found is not None
    return found


def complete(score: BedScore) -> Score | None:
    return score.report(WHEN, complete=True)


def test_the_last_second_is_scored_once_it_is_complete() -> None:
    messages = [message for seq in range(10) for message in second(seq)]
    running = scored(messages, lambda score: score.report(WHEN, complete=False))
    assert (running.index, running.complete) == (10 * FS - SETTLED - 1, False)
    assert running.cumulative.qrs == BeatTally(found=9, missed=9)
    assert scored(messages, complete).cumulative.qrs == BeatTally(found=10, missed=10)


def test_a_false_alarm_during_an_injection_is_counted_apart() -> None:
    messages: list[Message] = [message for seq in range(60) for message in second(seq)]
    alarms = [tachycardia(at * FS) for at in (5, 12, 24, 40)]
    told = [truth(10 * FS, "begin"), truth(15 * FS, "end")]
    both = scored([*messages, *alarms, *told], complete).cumulative
    assert (both.false_alarms, both.during_injections) == (2, 2)
    assert both.false_by_kind == {"ventricular_tachycardia": 2}
    assert scored([*messages, *alarms], complete).cumulative.false_alarms == 4


def test_an_injection_goes_on_in_a_loop_and_its_id_may_be_used_again() -> None:
    first = [message for seq in range(60) for message in second(seq)]
    loop = [
        message
        for seq in range(60, 120)
        for message in second(seq, epoch=1, epoch_start=60 * FS, position=(seq - 60) * FS)
    ]
    told = [truth(5 * FS, "begin"), truth(6 * FS, "end"), truth(58 * FS, "begin")]
    alarms = [tachycardia(at * FS) for at in (10, 40, 75, 110)]
    messages = [*first, *told, *alarms[:2], *loop, truth(80 * FS, "end"), *alarms[2:]]
    both = scored(messages, complete).cumulative
    assert (both.false_alarms, both.during_injections) == (2, 2), "those at 40 and 110 s are false"


def test_an_alarm_that_is_sent_again_counts_once() -> None:
    messages = [message for seq in range(60) for message in second(seq)]
    resent = msgspec.structs.replace(tachycardia(5 * FS), resent=True)
    assert scored([*messages, tachycardia(5 * FS), resent], complete).cumulative.false_alarms == 1


def test_passes_of_a_looping_record_add_up() -> None:
    first = [message for seq in range(20) for message in second(seq)]
    loop = [
        message
        for seq in range(20, 40)
        for message in second(seq, epoch=1, epoch_start=20 * FS, position=(seq - 20) * FS)
    ]
    score = scored([*first, *loop], complete)
    assert score.cumulative.qrs == BeatTally(found=40, missed=40)
    assert (score.seconds, score.whole) == (40.0, False)


def test_the_running_score_forgets() -> None:
    score = BedScore("bed-1")
    score.receive(msgspec.structs.replace(publisher_status("playing"), record="made", duration=599 * FS))
    for seq in range(500):
        for message in second(seq):
            if not (isinstance(message, Beat) and seq < 200):  # the worker finds nothing at first
                score.receive(message)
        if seq % 100 == 99:
            found = score.report(WHEN, complete=False)
    assert found is not None
    assert found.cumulative.qrs == BeatTally(found=299, missed=400 + 299)
    assert found.running.qrs == BeatTally(found=299, missed=301), "from 199 to 499 s"


def test_atrial_fibrillation_by_time() -> None:
    messages: list[Message] = [annotation(0, "+", "(AFIB"), annotation(30 * FS, "+", "(N")]
    for seq in range(60):
        rhythm: Rhythm = "atrial fibrillation" if 10 <= seq < 40 else "sinus"
        messages += [waveform(seq), annotation(seq * FS + 90), vitals((seq + 1) * FS - 1, rhythm)]
    messages.insert(0, messages.pop(2))  # an annotation follows its chunk
    [af] = [row for row in scored(messages, complete).cumulative.rhythms if row.name == "af"]
    assert (af.true_s, af.missed_s, af.false_s, af.other_s) == (20, 10, 10, 20)
