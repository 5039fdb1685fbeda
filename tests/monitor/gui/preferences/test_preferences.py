"""User preferences: saving, and damaged files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from monitor.gui.preferences.preferences import Preferences, PreferencesStore, user_file

OTHERS = {
    "theme": "day",
    "language": "ja",
    "letters": 130,
    "speed": 12.5,
    "gain": 5.0,
    "forecast": "both",
    "lead_names": "V5, II",
    "leads": 1,
    "waves": "abp pleth",
    "grid": "fine",
    "trend": True,
    "engineer": True,
    "px_per_mm": 3.78,
    "welcomed": True,
    "geometry": bytes(range(256)),
}


def test_all_preferences_are_saved(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "monitor.ini"
    store = PreferencesStore(path)
    assert store.current == Preferences()
    store.change(**OTHERS)
    assert store.problem == ""
    again = PreferencesStore(path).current
    assert asdict(again) == OTHERS
    assert all(OTHERS[name] != value for name, value in asdict(Preferences()).items()), "none is the default"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("theme=mauve", "theme"),
        ("language=xx", "language"),
        ("letters=5000", "letters"),
        ("letters=large", "letters"),
        ("speed=26", "speed"),
        ("gain=nan", "gain"),
        ("grid=2", "grid"),
        ("trend=perhaps", "trend"),
        ("leads=0", "leads"),
        ("waves=abp abp", "waves"),
        ("waves=abp heart", "waves"),
        ("px_per_mm=-3", "px_per_mm"),
        ("px_per_mm=inf", "px_per_mm"),
        ("geometry=abc", "geometry"),
        ("welcomed=1, 2", "welcomed"),
    ],
)
def test_an_invalid_value_is_replaced_by_the_default(tmp_path: Path, line: str, name: str) -> None:
    path = tmp_path / "monitor.ini"
    path.write_text(f"[General]\n{line}\nunknown=7\n" + ("" if name == "letters" else "letters=120\n"))
    loaded = PreferencesStore(path).current
    assert getattr(loaded, name) == getattr(Preferences(), name)
    assert loaded.letters == (100 if name == "letters" else 120), "the other values are kept"


def test_a_binary_file_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "monitor.ini"
    path.write_bytes(bytes(range(256)) * 20)
    assert PreferencesStore(path).current == Preferences()


def test_an_unwritable_file_is_reported(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    store = PreferencesStore(blocked / "monitor.ini")
    store.change(theme="day")
    assert store.current.theme == "day"
    assert "is not writable" in store.problem


def test_the_file_is_in_the_user_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_file() == tmp_path / "bedside" / "monitor.ini"
