"""Outlooks on the wire, and their sentences."""

from __future__ import annotations

from string import Formatter
from typing import Any, get_args

import msgspec
import pytest

from stream.errors import MessageError
from stream.wire import codec
from stream.wire.alarm_texts import LANGUAGES, render
from stream.wire.numerics_message import NUMERIC_NAMES
from stream.wire.outlook_message import Fan, Outlook, PastValues, Reason, RiskName
from stream.wire.outlook_texts import (
    OUTLOOK_TABLES,
    name_phrase,
    part_phrase,
    reason_phrase,
    reason_phrases,
    risk_phrase,
    with_text,
)
from stream.wire.topics import Kind, Topic
from tests.outlooks import fan, outlook

TOPIC = Topic(Kind.OUTLOOK, "bed-1")


def test_an_outlook_is_retained_json_on_the_topic_of_its_bed() -> None:
    payload = codec.encode(outlook())
    assert payload.startswith(b"{")
    assert codec.decode(TOPIC, payload) == outlook()
    assert codec.decode(TOPIC, b"") is None
    assert str(TOPIC) == "bedside/v1/bed-1/outlook"


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizons": (2, 1, 3, 6)},
        {"forecasts": (fan("nibp_mean", 1.0, 2.0),)},
        {"forecasts": (Fan(name="nibp_mean", unit="mmHg", median=(9.0,) * 4, low=(1.0,) * 4, high=(8.0,) * 4),)},
        {"past": (PastValues(name="nibp_mean", unit="mmHg", values=(1.0, 2.0)),)},
        {"past": (PastValues(name="nibp_mean", unit="%", values=(1.0,) * 5),)},
        {"risks": outlook().risks * 2},
    ],
)
def test_an_outlook_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    fields = msgspec.json.decode(codec.encode(outlook())) | msgspec.to_builtins(wrong)
    with pytest.raises(MessageError):
        codec.decode(TOPIC, msgspec.json.encode(fields))


def test_the_advisory_says_why_also_with_a_reason_of_a_newer_sender() -> None:
    english, japanese = (
        [render(item, OUTLOOK_TABLES[code]) for item in reason_phrases(outlook())] for code in LANGUAGES
    )
    assert english == ["MAP fell from 78 to 69 mmHg in 2 h", "HR 97 1/min"]
    assert with_text(outlook()).text == (
        "Early warning: MAP below 65 mmHg within 6 h (MAP fell from 78 to 69 mmHg in 2 h, HR 97 1/min)"
    )
    assert with_text(outlook(reasons=())).text == "Early warning: MAP below 65 mmHg within 6 h"
    assert with_text(outlook(advisory=False, reasons=(), text="?")).text == ""
    assert japanese[0] == "平均血圧が 2 時間で 78 から 69 mmHg に低下"


def test_all_codes_have_the_same_texts_in_all_languages() -> None:
    tables = [OUTLOOK_TABLES[language] for language in LANGUAGES]
    for code in tables[0]:
        fields = [sorted(name or "" for _, name, _, _ in Formatter().parse(table[code])) for table in tables]
        assert all(set(one) - {""} == set(fields[0]) - {""} for one in fields), code
    assert all(table.keys() == tables[0].keys() for table in tables)
    for table in tables:
        for name in NUMERIC_NAMES:
            assert render(name_phrase(name), table)
            assert render(reason_phrase(Reason(code="low", name=name, value=None)), table)
        for risk in get_args(RiskName):
            assert render(risk_phrase(risk), table)
        assert render(part_phrase("unheard_of"), table) == "unheard_of"


def test_a_risk_that_is_not_there_is_none() -> None:
    message: Outlook = outlook()
    assert message.probability("hypotension_6h") == 0.55
    assert message.probability("hypotension_3h") is None
    assert message.missing == ("consciousness",)
