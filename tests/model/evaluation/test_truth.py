"""Styles of annotations, and what each of them tells."""

from dataclasses import replace

from model.evaluation.truth import truth_of
from stream.timebase import FS
from tests.model.evaluation import annotated_records as given


def test_rhythm_notes_are_episodes_and_adjoining_names_of_fibrillation_are_one() -> None:
    truth = truth_of(given.notes_only())
    assert truth.style == "rhythm notes"
    assert truth.rhythms["vf"] == ((100 * FS, 160 * FS),)
    assert truth.rhythms["lethal"] == ((60 * FS, 70 * FS), (100 * FS, 160 * FS), (300 * FS, 320 * FS))
    assert [len(truth.events[key]) for key in ("vf", "vt", "either", "asystole", "af")] == [1, 1, 2, 1, 0]
    assert "brady" not in truth.events
    assert truth.noise == ((160 * FS, 180 * FS),)


def test_short_notes_are_rhythm_but_no_episodes() -> None:
    marks = [given.rhythm(0, "N"), given.rhythm(50, "VT"), given.rhythm(53.9, "N")]
    truth = truth_of(given.record(60, marks))
    assert truth.events["vt"] == ()
    assert truth.rhythms["vt"] == ((50 * FS, round(53.9 * FS)),)


def test_beats_that_are_all_normal_with_fibrillation_are_untyped() -> None:
    truth = truth_of(given.untyped())
    assert truth.style == "untyped beats"
    assert truth.onset == 400 * FS
    assert truth.events["either"] == truth.events["vf"]
    assert set(truth.rhythms) == {"vf", "either", "lethal"}
    assert truth.scored_from == 0, "shorter than ten minutes"


def test_one_other_beat_makes_them_typed() -> None:
    record = given.untyped()
    assert record.annotations is not None
    symbol = ("V", *record.annotations.symbol[1:])
    truth = truth_of(replace(record, annotations=replace(record.annotations, symbol=symbol)))
    assert truth.style == "typed beats"
    assert truth.rhythms["vf"] == ((400 * FS, 450 * FS),)


def test_events_of_typed_beats_and_their_time_from_when_the_definition_is_met() -> None:
    truth = truth_of(given.typed())
    assert truth.style == "typed beats"
    [vt], [pause] = truth.events["vt"], truth.events["asystole"]
    assert truth.rhythms["vt"] == ((vt.met, vt.stop),)
    assert truth.events["either"] == (vt,), "counted as often as by its own name"
    assert vt.first < vt.met
    assert truth.rhythms["asystole"] == ((pause.met, pause.stop),)
    assert truth.rhythms["af"] == ()
    assert truth.scored_from == 300 * FS


def test_normal_beats_alone_are_typed_unless_their_folder_types_none() -> None:
    record = given.record(60, given.beats(1, 59))
    assert truth_of(record).style == "typed beats"
    assert truth_of(record, types_known=False).style == "untyped beats"
    assert truth_of(record, types_known=False).onset is None


def test_without_beats_and_rhythms_there_are_no_annotations() -> None:
    record = given.record(60, [(5, "~", ""), (9, '"', "TS")])
    assert truth_of(record).style == "no annotations"
    assert truth_of(replace(record, annotations=None)).style == "no annotations"


def test_atrial_fibrillation_is_known_where_rhythms_are_noted() -> None:
    marks = [given.rhythm(0, "N"), given.rhythm(100, "AFIB"), given.rhythm(129, "N"), given.rhythm(200, "AFIB")]
    truth = truth_of(given.record(700, [*marks, *given.beats(1, 699, code="R"), (3.0, "V", "")]))
    assert truth.rhythms["af"] == ((100 * FS, 129 * FS), (200 * FS, 700 * FS))
    assert [event.first for event in truth.events["af"]] == [200 * FS], "29 s are too short"
    assert "af" not in truth_of(given.record(60, given.beats(1, 59))).rhythms
