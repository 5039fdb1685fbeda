"""Scenario files: what ships is right, and an error is one line with file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream.errors import UsageError
from stream.scenario.description import in_words
from stream.scenario.file import initial_patient, load, parse, shipped
from stream.scenario.schema import schema
from stream.scenario.timeline import advance, begin

SHIPPED = {
    "vf-arrest",
    "af-fast",
    "pvcs-to-vt",
    "hypoxia",
    "lead-off-or-asystole",
    "artefact-or-vt",
    "sepsis-decline",
    "night-on-a-ward",
}

HEAD = '''name = "trial"
seed = 2
seconds = 60
title = { en = "A trial", ja = "試行" }

[about]
en = """
Several
lines."""
ja = "一行"

[[beds]]
name = "bed-1"
rhythm = "SBR"
vitals = { spo2 = 93 }

[[steps]]
at_s = 5
note = { en = "first", ja = "最初" }

'''
"""20 lines."""


RECORDED = """name = "trial"
seconds = 60
title = { en = "A trial", ja = "試行" }
about = { en = "For a test.", ja = "試験用。" }
[[beds]]
record = "mitdb/205"
"""
"""6 lines."""


def error(step: str) -> str:
    """Return the error of a file whose second step begins at line 21."""
    with pytest.raises(UsageError) as raised:
        parse(f"{HEAD}[[steps]]\n{step}\n", "trial.toml")
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ('at_s = 9\nrhythm = "VTT"', "line 23: steps[1].rhythm 'VTT' is not known: one of AFIB, ASYS, B, N, SBR"),
        ('at_s = 9\n\n# so\nrythm = "N"', "line 25: steps[1].rythm is not known: one of name, bed, at_s, after"),
        ("at_s = 9\nvitals = { spo3 = 80 }", "line 23: steps[1].vitals.spo3 'spo3' is not known: one of abp_diastolic"),
        ("at_s = 9\nvitals = { spo2 = 120 }", "line 23: steps[1].vitals.spo2 of 120: use 0 to 100"),
        ("at_s = -4", "line 22: steps[1].at_s expected float >= 0.0, not -4"),
        ('at_s = 9\nnote = { en = "x" }', "line 23: steps[1].note object missing required field ja"),
        ('rhythm = "N"', "line 21: steps[1] needs either at_s or after"),
        ('at_s = 99\nrhythm = "N"', "line 22: steps[1].at_s of 99 is after the end: seconds is 60"),
        ('at_s = 9\nrhythm = "VT"\nrate = 50', "line 24: steps[1].rate VT with a rate of 50: use 100 to 280"),
        (
            'at_s = 9\ninject = { kind = "mains", level = 50 }',
            "line 23: steps[1].inject level of mains is 0.01 to 5 mV, not 50",
        ),
        ('at_s = 9\nstop = "noise"', "line 23: steps[1].stop 'noise' is no step of bed bed-1 with an injection"),
        (
            'after = { event = "answer", step = "x" }\nrhythm = "N"',
            "line 22: steps[1].after needs one of event, alarm, rhythm, step, not event and step",
        ),
        (
            'name = "x"\nafter = { step = "x" }\nrhythm = "N"',
            "line 23: steps[1].after.step 'x' is not above this step: put that one before it",
        ),
        (
            'after = { step = "y" }\nrhythm = "N"\n[[steps]]\nname = "y"\nat_s = 3\nrhythm = "N"',
            "line 22: steps[1].after.step 'y' is not above this step",
        ),
        ('bed = "bed-2"\nat_s = 9\nrhythm = "N"', "line 22: steps[1].bed 'bed-2' is not known: one of bed-1"),
        (
            "at_s = 9\nvitals = { abp_systolic = 60 }",
            "line 23: steps[1].vitals abp_systolic of 60 with abp_diastolic of 76: give a systolic pressure",
        ),
        (
            'at_s = 9\nepisode = "VT"',
            "line 23: steps[1].episode cannot be given to a synthetic patient: give bed",
        ),
        ('note = """', "last line: no TOML: Unterminated string"),
        ("at_s = = 3", "line 22: no TOML: Invalid value"),
    ],
)
def test_an_error_is_one_line_with_file_line_and_key(step: str, expected: str) -> None:
    assert error(step).startswith(f"trial.toml {expected}")


def test_the_begin_of_a_bed_is_that_of_its_file() -> None:
    patient = initial_patient(parse(HEAD, "trial.toml").beds[0])
    assert patient.rhythm[0].rhythm == "sinus bradycardia"
    assert isinstance(patient.heart_rate, tuple)
    assert isinstance(patient.spo2, tuple)
    assert (patient.heart_rate[-1], patient.spo2[-1]) == ((-60, 40), (-60, 93))


def test_all_that_ships_is_found_by_name_or_path(tmp_path: Path) -> None:
    assert set(shipped()) == SHIPPED
    assert {scenario.name for scenario in shipped().values()} == SHIPPED
    path = tmp_path / "own.toml"
    path.write_text(HEAD, encoding="utf-8")
    assert load(str(path)).name == "trial"
    with pytest.raises(UsageError, match="scenario 'vf-arest': No such file or directory; give the path of a file, or"):
        load("vf-arest")


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_each_step_of_what_ships_happens_without_a_student_and_can_be_said(name: str) -> None:
    scenario = load(name)
    for bed in scenario.beds:
        steps = scenario.steps_of(bed.name)
        state, happened = advance(steps, begin(steps, bed.rhythm), scenario.samples)
        assert None not in state.fired
        assert not state.expected, "each limit of time ends before the scenario"
        assert [one.at for one in happened] == sorted(one.at for one in happened)
        assert all(words and "_" not in words for words in map(in_words, steps))
    assert scenario.sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[steps]]\nat_s = 9\nrate = 50", "line 9: steps[0].rate cannot be given to a record: bed bed-1 replays"),
        ('[[steps]]\nat_s = 9\nepisode = "VTT"', "line 9: steps[0].episode 'VTT' is not known: one of AB, AFIB"),
        (
            '[[steps]]\nat_s = 9\nepisode = { record = "mitdb/205", start_s = 9, end_s = 8 }',
            "line 9: steps[0].episode.end_s of 8 is not after start_s",
        ),
        (
            '[[steps]]\nat_s = 9\nepisode = { record = "mitdb/205", begin_s = 9 }',
            "line 9: steps[0].episode.begin_s is not known: one of rhythm, record, start_s, end_s",
        ),
        (
            "[[steps]]\nat_s = 9\nepisode = 5",
            "line 9: steps[0].episode expected str | object | null",
        ),
        (
            '[[steps]]\nat_s = 9\nepisode = "VT"\nthen = "stay"',
            "line 10: steps[0].then 'stay' is not known: one of go_on, return",
        ),
        (
            '[[steps]]\nat_s = 9\nnote = { en = "x", ja = "x" }\nthen = "return"',
            "line 10: steps[0].then is what follows an episode: give episode",
        ),
        ('rhythm = "VF"', "line 7: beds[0].rhythm cannot be given to a record"),
    ],
)
def test_a_record_has_no_rhythm_of_its_own(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)):
        parse(f"{RECORDED}{text}\n", "my.toml")


def test_the_documented_example_is_a_scenario() -> None:
    text = (Path(__file__).parents[3] / "docs/scenarios.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    assert [bed.name for bed in parse(example, "example.toml").beds] == ["bed-1", "bed-2"]


def test_the_schema_is_up_to_date() -> None:
    written = (Path(__file__).parents[3] / "docs/scenario.schema.json").read_text(encoding="utf-8")
    assert written == schema(), "run: python -m stream.scenario.schema > docs/scenario.schema.json"
