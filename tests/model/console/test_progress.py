"""Progress on standard error: lines without a terminal, a bar with one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from model.console import progress as progress_module
from model.console.progress import progress, track


def new_console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=80, highlight=False)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_first_line_is_written_before_the_first_step() -> None:
    out = new_console()
    with progress("work", 3, out):
        assert text(out) == "work …\n"
    assert text(out).splitlines()[1].startswith("work: done in ")


def test_periodic_lines_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.0, 4.0, 11.0, 12.0, 25.0, 25.0])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(times))
    out = new_console()
    assert list(track("abcd", "work", out)) == ["a", "b", "c", "d"]
    assert text(out).splitlines() == ["work …", "work: 2 of 4, 11 s", "work: done in 25.0 s"]


def test_bar_on_a_terminal() -> None:
    out = new_console(terminal=True)
    with progress("work", 4, out) as update:
        update(3)
    assert "3/4" in text(out)
    assert "work: done in " in text(out)


def test_nothing_is_written_without_items() -> None:
    out = new_console()
    assert list(track([], "work", out)) == []
    assert text(out) == ""


def test_failed_work_is_not_reported_as_done() -> None:
    out = new_console()

    def fail() -> None:
        with progress("work", 1, out):
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert "done" not in text(out)


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1], "work")) == [1]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("work …\n")
