import argparse
import sys
from pathlib import Path

import pytest

from monitor.arguments import parser
from monitor.cli import main


def commands() -> list[list[str]]:
    """Return every command and sub-command."""
    found: list[list[str]] = []

    def walk(node: argparse.ArgumentParser, path: list[str]) -> None:
        found.append(path)
        for action in node._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    walk(child, [*path, name])

    walk(parser(), [])
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_explains_itself(path: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*path, "--help"])
    assert end.value.code == 0
    assert "usage: bedside" in capsys.readouterr().out


def test_a_wrong_option_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["replay", "--sped", "2"])
    assert end.value.code == 2
    assert "--sped" in capsys.readouterr().err


def test_what_the_bench_of_the_window_takes_by_itself_has_two_leads() -> None:
    from stream.records.wfdb_reader import load

    assert len(load(parser().parse_args(["bench", "gui"]).record).leads) == 2


class NotInstalled:
    """An import hook under which one library cannot be found."""

    def __init__(self, library: str) -> None:
        self.library = library

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == self.library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("arguments", "library", "extra"),
    [
        (["worker", "--broker", "mqtt://127.0.0.1:1"], "torch", "model"),
        (["broker"], "amqtt", "broker"),
        (["data", "list"], "rich", "records"),
        (["replay", "./own", "--broker", "mqtt://127.0.0.1:1"], "wfdb", "records"),
    ],
)
def test_a_missing_extra_is_named(
    arguments: list[str],
    library: str,
    extra: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.hea").write_text("own 1 360 10\nown.dat 16 200/mV 16 0 0 0 0 MLII\n")
    for name in [n for n in sys.modules if n.split(".")[0] in (library, "model")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NotInstalled(library), *sys.meta_path])
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        f"bedside {arguments[0]}: {library} is not installed; run: pip install 'bedside[{extra}]'\n"
    )


def test_only_the_last_stage_of_training_starts_from_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--weights", "given.safetensors", "--out", "new.safetensors"]) == 2
    assert "--weights given.safetensors: only --what first-samples" in capsys.readouterr().err


def test_data_list_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    shown = capsys.readouterr().out
    for words in ("mitdb/208", "excerpt", "synthetic", "MLII"):
        assert words in shown
