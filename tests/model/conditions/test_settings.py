"""Alarm settings: the defaults, a user's file, and the error messages for invalid files."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.conditions import settings
from model.conditions.settings import RateRule
from stream.errors import UsageError
from stream.wire.alarm_messages import KINDS, Limits


def load(tmp_path: Path, text: str) -> settings.AlarmConfig:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return settings.load(path)


def test_the_defaults_are_the_rules_of_the_challenge() -> None:
    config = settings.load()
    assert config.limits == Limits(heart_rate_low=50, heart_rate_high=120)
    assert config.asystole_s == 4
    assert config.ventricular_tachycardia == RateRule(5, 100)
    assert config.extreme_tachycardia == RateRule(17, 140)
    assert config.extreme_bradycardia == RateRule(5, 40)
    assert config.disabled == frozenset()


def test_default_priorities() -> None:
    config = settings.load()
    by_priority = {kind: config.priority(kind) for kind in KINDS}
    assert [kind for kind in KINDS if by_priority[kind] == "high"] == [
        "asystole",
        "ventricular_fibrillation",
        "ventricular_tachycardia",
        "extreme_tachycardia",
        "extreme_bradycardia",
        "apnoea",
        "desaturation",
        "abp_disconnected",
    ]
    assert [kind for kind in KINDS if by_priority[kind] == "technical"] == [
        "no_data",
        "two_publishers",
        "lead_off",
        "saturation",
        "noise",
        "pleth_off",
        "abp_fault",
        "resp_fault",
    ]
    assert [kind for kind in KINDS if by_priority[kind] == "low"] == ["pulse_mismatch", "residual", "early_warning"]


def test_the_limits_of_messages_and_of_the_settings_are_the_same() -> None:
    assert settings.load().limits == Limits()


def test_a_file_overrides_single_keys(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        '[limits]\nheart_rate_high = 140\n[residual]\nenabled = false\n[pvc_run]\ndelay_s = 2\npriority = "low"',
    )
    assert config.limits == Limits(heart_rate_low=50, heart_rate_high=140)
    assert not config.enabled("residual")
    assert config.enabled("pvc_run")
    assert config.priority("pvc_run") == "low"
    assert config.delay_s["pvc_run"] == 2
    assert config.extreme_tachycardia == settings.load().extreme_tachycardia


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[limits]\nheart_rate_low = 5", ["limits.heart_rate_low", "5", "20 to 300"]),
        ("[limits]\nheart_rate_low = 50.5", ["limits.heart_rate_low", "50.5", "whole number"]),
        ("[limits]\nheart_rate_low = 130", ["limits.heart_rate_low", "130", "less than", "120"]),
        ("[limits]\ndesaturation = 91", ["limits.desaturation", "91", "less than", "90"]),
        ("[limits]\nabp_mean_high = 301", ["limits.abp_mean_high", "301", "10 to 300"]),
        ("[spo2_low]\ndelay_s = 61", ["spo2_low.delay_s", "61", "0 to 60"]),
        ("[apnoea]\ndelay_s = 5", ["apnoea.delay_s", "no such key"]),
        ("[asystole]\nseconds = 0", ["asystole.seconds", "0", "2 to 10"]),
        ("[asystole]\nseconds = nan", ["asystole.seconds", "nan", "2 to 10"]),
        ('[asystole]\nseconds = "4"', ["asystole.seconds", "'4'", "2 to 10"]),
        ("[asystole]\nseconds = true", ["asystole.seconds", "true", "2 to 10"]),
        ('[asystole]\npriority = "low"', ["asystole.priority", "low", "use high"]),
        ("[asystole]\ndelay_s = 3", ["asystole.delay_s", "no such key", "seconds"]),
        ("[asystole]\nenabled = false", ["asystole.enabled", "false", "switched_off_on_purpose = true"]),
        (
            "[ventricular_fibrillation]\nenabled = false\nswitched_off_on_purpose = false",
            ["ventricular_fibrillation.enabled", "switched_off_on_purpose = true"],
        ),
        ("[residual]\nswitched_off_on_purpose = true", ["residual.switched_off_on_purpose", "no such key"]),
        ("[residual]\nenabled = 0", ["residual.enabled", "0", "true or false"]),
        ('[pvc_run]\npriority = "urgent"', ["pvc_run.priority", "urgent", "high, medium, low"]),
        ('[residual]\npriority = "medium"', ["residual.priority", "medium", "use low"]),
        ("[unusual_complexes]\nper_min = 1", ["unusual_complexes.per_min", "1", "2 to 60"]),
        ('[noise]\npriority = "low"', ["noise.priority", "low", "technical"]),
        ("[extreme_tachycardia]\nbeats = 99", ["extreme_tachycardia.beats", "99", "3 to 30"]),
        ("[flatline]\nseconds = 4", ["flatline", "no such table", "asystole"]),
        ("residual = 3", ["residual", "3", "[residual]"]),
        ("[limits", ["mine.toml", "not TOML"]),
    ],
)
def test_invalid_settings_end_in_one_line(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in ["mine.toml", *parts] if part not in message] == []


def test_asystole_can_be_disabled_with_the_second_key(tmp_path: Path) -> None:
    config = load(tmp_path, "[asystole]\nenabled = false\nswitched_off_on_purpose = true")
    assert not config.enabled("asystole")


def test_an_unreadable_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml"):
        settings.load(tmp_path / "none.toml")
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        settings.load(tmp_path / "mine.toml")
