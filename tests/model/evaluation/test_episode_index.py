"""Episodes in the annotations of each style of database."""

from dataclasses import replace

import numpy as np

from model.evaluation.episode_index import episodes_of
from model.evaluation.truth import truth_of
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.messages import INVALID
from tests.model.evaluation import annotated_records as given


def found(record: Record) -> list[tuple[str, float, float, float | None]]:
    return [(one.rhythm, one.start_s, one.end_s, one.rate) for one in episodes_of(record, truth_of(record))]


def test_notes_are_episodes_under_one_name_and_noise_is_none() -> None:
    names = {0: "NSR", 60: "VT", 70: "NOISE", 100: "VFIB", 130: "VF", 160: "VT", 161: "N", 165: "ASYS"}
    record = given.record(180, [given.rhythm(at, name) for at, name in names.items()])
    assert found(record) == [
        ("N", 0, 60, None),
        ("VT", 60, 70, None),
        ("VF", 100, 160, None),
        ("ASYS", 165, 180, None),
    ], "one second of VT and four of N are too short"


def test_beats_give_what_no_note_names() -> None:
    [normal, vt, slow, pause] = found(given.typed())
    assert normal[:3] == ("N", 0.5, 660.0)
    assert vt == ("VT", 500.0, round((504.05 * FS + 1) / FS, 3), 133.3)
    assert slow[0] == "BRADY", "a pause is in five slow beats, too"
    assert pause[0] == "ASYS"
    assert pause[2] - pause[1] > 6
    assert pause[3] is None

    noted = given.record(660, [*given.beats(500, 504.5, 0.45, "V"), given.rhythm(499.5, "VT"), given.rhythm(505, "N")])
    assert found(noted)[0][:3] == ("VT", 499.5, 505.0), "the note, not the beats as well"


def test_supraventricular_runs_are_found_where_there_are_no_notes() -> None:
    run = [*given.beats(1, 20), *given.beats(20, 23, 0.5, "S"), *given.beats(24, 40)]
    assert [one[0] for one in found(given.record(40, run))] == ["SVTA"]
    assert [one[0] for one in found(given.record(40, [*run, given.rhythm(0.5, "AFIB")]))] == ["AFIB"]


def test_untyped_beats_give_fibrillation_alone() -> None:
    assert found(given.untyped()) == [("VF", 400.0, 450.0, None)]


def test_quality_is_the_share_of_signal_that_is_neither_missing_nor_flat() -> None:
    record = given.untyped()
    wave = np.round(200 * np.sin(np.arange(record.n) / 20)).astype(np.int16)[:, np.newaxis]
    wave[400 * FS : 405 * FS] = INVALID
    wave[410 * FS : 415 * FS] = 1023
    changed = replace(record, adu=wave)
    assert [one.quality for one in episodes_of(changed, truth_of(changed))] == [0.8]
