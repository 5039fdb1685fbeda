from __future__ import annotations

import pytest

from model.signal import machine_code

CACHE_FOLDER = machine_code.cache_folder.__wrapped__


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Provide an empty folder in place of that of the machine code."""
    monkeypatch.setattr(machine_code, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_a_changed_compiled_function_gets_another_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_code, "MODEL", tmp_path)
    (tmp_path / "filter.py").write_text("@compiled\ndef f(): return 1")
    (tmp_path / "other.py").write_text("def g(): return 1")
    first = CACHE_FOLDER()
    (tmp_path / "other.py").write_text("def g(): return 2")
    assert CACHE_FOLDER() == first
    (tmp_path / "filter.py").write_text("@compiled\ndef f(): return 2")
    assert CACHE_FOLDER() != first


def test_compiled_functions_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_code, "MODEL", tmp_path)
    (tmp_path / "filter.py").write_text("import x\n\n@compiled\ndef f(): return 1\n\n@compiled_part\ndef g(): return 1")
    (tmp_path / "other.py").write_text("def h(): return 1")
    assert machine_code.count_functions.__wrapped__() == 2


def test_what_an_interrupted_process_has_compiled_is_not_complete(folder):
    folder.mkdir()
    (folder / "filter.f-1.py311.1.nbc").touch()
    assert not machine_code.is_complete()
    machine_code.mark_complete()
    machine_code.mark_complete()  # by another process that has compiled at the same time
    assert machine_code.is_complete()


@pytest.mark.parametrize("changed", ["MODEL", "version"])
def test_another_installation_or_numba_is_not_complete(changed, folder, monkeypatch):
    folder.mkdir()
    machine_code.mark_complete()
    monkeypatch.setattr(machine_code, changed, folder if changed == "MODEL" else lambda _: "99.0")
    assert not machine_code.is_complete()


def test_where_no_folder_can_be_written_nothing_is_kept(folder):
    assert machine_code.can_be_kept()
    folder.rmdir()
    folder.write_text("a file in its place")
    assert not machine_code.can_be_kept()
    machine_code.mark_complete()
    assert not machine_code.is_complete()
