"""Every phrase of the view has a text in every language."""

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any, get_args

import pytest

from monitor.view.annotations import ROWS
from monitor.view.display_texts import TABLES, english, reference_rhythm_phrase, rhythm_phrase, to_text
from monitor.view.event_review import Review
from monitor.view.event_summary import summary_rows
from monitor.view.link import LinkState, state_phrase
from monitor.view.link_state import NOTICES
from monitor.view.replay_status import action_phrase
from stream.wire.alarm_messages import KINDS, PRIORITIES
from stream.wire.alarm_texts import LANGUAGES, Phrase, phrase
from stream.wire.messages import Rhythm
from stream.wire.replay_actions import ChooseRecord, Seek, SetLoop, SetPlaying, SetSpeed
from tests.monitor.message_samples import alarm
from tests.monitor.view.scenario import Scenario
from tests.monitor.view.test_event_review import review_of

# Names, commands, units and abbreviations that are written in Latin letters in Japanese, too.
LATIN = re.compile(r"mqtt://\S+|mitdb/\d+|BED-\d+|MLII|bedside|broker|refused|VPC|QRS|ABP|SpO2|mmHg")
ACTIONS = [
    SetPlaying(playing=True),
    SetPlaying(playing=False),
    Seek(position=32400),
    SetSpeed(speed=2.0),
    SetLoop(loop=True),
    SetLoop(loop=False),
    ChooseRecord(record="mitdb/203"),
]
BROKER = ("connected", "connecting", "lost", "unreachable", "refused")
REPEATS = (0, 1, 3)


def reviewed(**changes: Any) -> Review:
    return review_of(Scenario().stream(170).receive(alarm(5400, **changes)))


def phrases() -> Iterator[Phrase]:
    """Yield the phrases of the view, from the functions that build them."""
    yield from NOTICES.values()
    for state in LinkState:
        yield from (state_phrase(state), state_phrase(state, "7"))
    yield from (rhythm_phrase(rhythm) for rhythm in get_args(Rhythm))
    yield from (phrase(f"row.{row}") for row in ROWS)
    yield from (phrase(f"broker.{code}", address="mqtt://test:1883", problem="refused") for code in BROKER)
    actions = tuple(action_phrase(action) for action in ACTIONS)
    yield from (phrase("replay.requested", actions=actions), phrase("replay.not_done", actions=actions[0]))
    yield from (reference_rhythm_phrase(code.removeprefix("mitbih.")) for code in TABLES["en"] if "mitbih." in code)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("item", list(phrases()), ids=english)
def test_each_phrase_has_a_text(item: Phrase, language: str) -> None:
    text = to_text(item, language)
    assert text
    assert not set("{}_") & set(text)
    if language != "en":
        assert re.findall(r"[A-Za-z]{3,}", LATIN.sub("", text)) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_each_summary_row_is_japanese(kind: str, priority: str) -> None:
    for repeats in REPEATS:
        made = reviewed(kind=kind, priority=priority, value=131.0, limit=120.0, repeats=repeats)
        for name, item in summary_rows(made):
            for text in (to_text(name, "ja"), to_text(item, "ja")):
                assert re.findall(r"[A-Za-z]{3,}", LATIN.sub("", text)) == []


def test_the_languages_have_the_same_codes_and_values() -> None:
    first, *others = (
        {code: {field for _, field, _, _ in Formatter().parse(template) if field} for code, template in table.items()}
        for table in TABLES.values()
    )
    for other in others:
        assert other == first


def test_an_unknown_rhythm_code_is_unchanged() -> None:
    assert [to_text(reference_rhythm_phrase("XY {0}"), language) for language in LANGUAGES] == ["XY {0}"] * 2
    assert english(reference_rhythm_phrase("AFIB")) == "atrial fibrillation"


def test_sentences_are_joined_as_the_language_requires() -> None:
    notes = (phrase("samples.lost", seconds="1.0"), phrase("samples.to_come", seconds="8"))
    assert english(notes) == "1.0 s are missing or invalid. 8 s still to come …"
    assert to_text(notes, "ja") == "1.0 秒が欠落または無効です。あと 8 秒 …"
