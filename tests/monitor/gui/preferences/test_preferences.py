"""What is remembered, and what a damaged file does."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from monitor.gui.preferences.preferences import Preferences, PreferencesStore, own_file

OTHERS = {
    "theme": "day",
    "language": "ja",
    "letters": 130,
    "speed": 12.5,
    "gain": 0.0,
    "grid": "fine",
    "trend": True,
    "px_per_mm": 3.78,
    "welcomed": True,
    "geometry": bytes(range(256)),
}


def test_all_of_it_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "monitor.ini"
    store = PreferencesStore(path)
    assert store.now == Preferences()
    store.change(**OTHERS)
    assert store.problem == ""
    again = PreferencesStore(path).now
    assert asdict(again) == OTHERS
    assert all(OTHERS[name] != value for name, value in asdict(Preferences()).items()), "each was changed"


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
        ("px_per_mm=-3", "px_per_mm"),
        ("px_per_mm=inf", "px_per_mm"),
        ("geometry=abc", "geometry"),
        ("welcomed=1, 2", "welcomed"),
    ],
)
def test_a_value_that_cannot_be_is_as_if_it_were_not_there(tmp_path: Path, line: str, name: str) -> None:
    path = tmp_path / "monitor.ini"
    path.write_text(f"[General]\n{line}\nunknown=7\n" + ("" if name == "letters" else "letters=120\n"))
    now = PreferencesStore(path).now
    assert getattr(now, name) == getattr(Preferences(), name)
    assert now.letters == (100 if name == "letters" else 120), "the others hold"


def test_a_file_that_is_none_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "monitor.ini"
    path.write_bytes(bytes(range(256)) * 20)
    assert PreferencesStore(path).now == Preferences()


def test_where_nothing_can_be_kept_it_says_so_and_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    store = PreferencesStore(blocked / "monitor.ini")
    store.change(theme="day")
    assert store.now.theme == "day"
    assert "cannot be written" in store.problem


def test_they_lie_in_the_user_s_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert own_file() == tmp_path / "bedside" / "monitor.ini"
