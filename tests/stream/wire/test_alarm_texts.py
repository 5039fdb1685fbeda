"""Every alarm has a text in every language."""

import re
from string import Formatter
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wire import codec
from stream.wire.alarm_messages import KINDS, REASONS, Alarm, ClearedReason, RaisedReason
from stream.wire.alarm_texts import (
    ALARM_TABLES,
    LANGUAGES,
    NO_VALUE,
    Language,
    alarm_phrase,
    kind_phrase,
    render,
    with_text,
)
from stream.wire.topics import Kind, Topic
from tests.stream.wire.test_codec import alarm

# Words in Latin letters in Japanese, too.
LATIN = {"QRS", "VPC", "MLII", "ABP", "SpO", "mmHg"}
VALUES: dict[str, Any] = {
    "value": 131.2,
    "limit": 120.0,
    "beats": 17,
    "leads": ("MLII", "V1"),
    "replaced_by": "ventricular_fibrillation",
    "switched_off_by": "看護師 1",
    "observed": -1.584,
    "predicted": 0.25,
    "horizon_ms": 30.6,
    "duration_s": 12.4,
}
OUTCOMES = [
    ("raised", None, get_args(RaisedReason)),
    ("cleared", 4000, get_args(ClearedReason)),
    ("acknowledged", None, get_args(RaisedReason)),
    ("acknowledged", 4000, get_args(ClearedReason)),
]
EVENTS = [(phase, end, reason) for phase, end, reasons in OUTCOMES for reason in reasons]


def text_of(event: Alarm, language: Language = "en") -> str:
    return render(alarm_phrase(event), ALARM_TABLES[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_phase_and_reason_has_a_text(kind: str, language: Language) -> None:
    for phase, end, reason in EVENTS:
        text = text_of(alarm(kind=kind, phase=phase, end=end, reason=reason, **VALUES), language)
        assert text, (phase, reason)
        assert not set("{}_") & set(text), f"{text}: a value was not filled in, or a code is shown"
        assert NO_VALUE not in text
        if language != "en":
            assert set(re.findall(r"[A-Za-z]{3,}", text)) <= LATIN
            assert re.search(r"[぀-ヿ一-鿿]", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name(kind: Any, language: Language) -> None:
    assert render(kind_phrase(kind), ALARM_TABLES[language])


def test_the_languages_have_the_same_codes_and_values() -> None:
    first, *others = (
        {code: {field for _, field, _, _ in Formatter().parse(template) if field} for code, template in table.items()}
        for table in ALARM_TABLES.values()
    )
    for other in others:
        assert other.keys() == first.keys()
        assert other == first


def test_no_template_is_unused() -> None:
    kinds = {f"kind.{kind}" for kind in KINDS}
    outcomes = {f"{kind}.{outcome}" for kind in KINDS for outcome in ("began", "ended")}
    reasons = {f"reason.{reason}" for reason in (*REASONS, "no_value")}
    assert ALARM_TABLES["en"].keys() == kinds | outcomes | reasons | {"separator"}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"kind": "heart_rate_high", "reason": "rule_met"}, "Heart rate high: 131/min, above 120/min"),
        (
            {"kind": "heart_rate_high", "reason": "rule_met", "value": 120.3},
            "Heart rate high: 120.3/min, above 120/min",
        ),
        (
            {"kind": "abp_diastolic_low", "reason": "rule_met", "value": 49.98, "limit": 50.0},
            "ABP diastolic low: 49.98 mmHg, below 50 mmHg",
        ),
        ({"kind": "lead_off", "reason": "rule_met"}, "Lead off: MLII, V1"),
        ({"kind": "no_data", "reason": "bed_silent", "value": 6.9}, "No data for 7 s"),
        ({"kind": "no_data", "reason": "samples_lost", "value": 2.0}, "2.0 s of signal lost"),
        (
            {"kind": "residual", "reason": "rule_met", "leads": ("MLII",)},
            "Unusual complex: -1.58 mV, forecast 0.25 mV (MLII, 31 ms ahead)",
        ),
        (
            {"kind": "unusual_complexes", "reason": "rule_met", "value": 6.0, "limit": None},
            "Unusual complexes: 6 in the last minute besides PVCs",
        ),
        (
            {"kind": "unusual_complexes", "reason": "sustained", "duration_s": 10.1},
            "Unusual complexes: without a break for 10 s",
        ),
        (
            {"kind": "ventricular_tachycardia", "reason": "replaced", "phase": "cleared", "end": 4000},
            "Ventricular tachycardia: up to 17 beats, up to 131/min; became ventricular fibrillation",
        ),
        (
            {"kind": "asystole", "reason": "signal_unusable", "phase": "cleared", "end": 4000, "value": 4.25},
            "Asystole: no QRS complex for 4.2 s; end unknown, signal not usable",
        ),
        (
            {
                "kind": "apnoea",
                "reason": "signal_unusable",
                "phase": "cleared",
                "end": 4000,
                "value": 45.0,
                "limit": 20,
            },
            "Apnoea: no breath for 45 s, limit 20 s; end unknown, no value any more",
        ),
        ({"kind": "noise", "reason": "switched_off", "phase": "cleared", "end": 4000}, "Switched off by 看護師 1"),
    ],
)
def test_values_are_formatted(fields: dict[str, Any], text: str) -> None:
    assert text_of(alarm(**{**VALUES, **fields})) == text


@pytest.mark.parametrize("reason", [None, "of_a_later_version"])
def test_an_alarm_without_a_known_reason_is_shown_by_its_kind(reason: str | None) -> None:
    event = alarm(kind="pvc_run", reason=reason)
    assert [text_of(event, language) for language in LANGUAGES] == ["PVC run", "VPC連発"]
    assert codec.decode(Topic(Kind.ALARMS, "bed-1"), codec.encode(event)) == event


def test_an_alarm_of_an_older_sender_is_decoded_and_shown_by_its_kind() -> None:
    fields = msgspec.to_builtins(alarm(kind="asystole"))
    for name in ("reason", "beats", "leads", "replaced_by", "switched_off_by", "horizon_ms"):
        del fields[name]
    event = codec.decode(Topic(Kind.ALARMS, "bed-1"), msgspec.json.encode(fields))
    assert isinstance(event, Alarm)
    assert text_of(event, "ja") == "心静止"


@given(st.data())
def test_events_with_missing_values_have_a_valid_text(data: st.DataObject) -> None:
    optional = {
        "value": st.floats(-1e9, 1e9),
        "limit": st.floats(-1e9, 1e9),
        "beats": st.integers(0, 10**9),
        "replaced_by": st.sampled_from(KINDS),
        "switched_off_by": st.text("{}看x ", min_size=1, max_size=64).filter(str.strip),
        "observed": st.floats(-1e9, 1e9),
        "predicted": st.floats(-1e9, 1e9),
        "horizon_ms": st.floats(-1e9, 1e9),
    }
    fields: dict[str, Any] = {name: data.draw(st.none() | values, name) for name, values in optional.items()}
    fields["leads"] = tuple(data.draw(st.lists(st.text("{}MV1", min_size=1, max_size=16), max_size=2)))
    phase, end, reasons = data.draw(st.sampled_from(OUTCOMES))
    reason = data.draw(st.sampled_from(reasons))
    event = with_text(alarm(kind=data.draw(st.sampled_from(KINDS)), phase=phase, end=end, reason=reason, **fields))
    assert event.text == text_of(event)
    assert codec.decode(Topic(Kind.ALARMS, "bed-1"), codec.encode(event)) == event
    assert all(text_of(event, language) for language in LANGUAGES)
