import argparse
import logging
import re
from pathlib import Path

import pytest

from monitor.arguments import parser
from monitor.cli import RUN, _Lines, main
from tests.system.commands import error_line


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


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    for name in [n for n in sys.modules if n.split(".")[0] in ("torch", "model", "safetensors")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["worker", "--broker", "mqtt://127.0.0.1:1"]) == 2
    assert re.search(r"torch is not installed; run: pip install 'bedside\[model\]'", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--plot", "x.png"], "--plots DIR"),
        (["--alarms", "--plot", "x.png"], "--plots DIR"),
        (["--json", "nowhere/figures.json"], "no such folder"),
        (["--alarms", "--json", "nowhere/figures.json"], "no such folder"),
        (["--tutorial", "--json", "nowhere/figures.json"], "no such folder"),
        (["--plots", "/dev/null/pictures"], "choose another folder"),
    ],
)
def test_an_evaluation_that_could_not_be_kept_does_not_start(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in (
        "evaluation.evaluation.evaluate",
        "evaluation.alarm_scores.evaluate_alarms",
        "tutorial.tutorial.tutorial",
    ):
        monkeypatch.setattr(f"model.{work}", lambda *args, **kwargs: pytest.fail("it started"))
    assert main(["evaluate", "--records", "116", *options]) == 2
    assert words in error_line(capsys.readouterr().err)


def test_only_the_last_stage_of_training_starts_from_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--weights", "given.safetensors", "--out", "new.safetensors"]) == 2
    assert "--weights given.safetensors: only --what first-samples" in capsys.readouterr().err


def test_data_list_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    shown = capsys.readouterr().out
    for words in ("mitdb/208", "excerpt", "synthetic", "MLII"):
        assert words in shown


def test_data_list_shows_length_and_rhythms_of_what_is_on_disk(
    mitdb_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mitdb"
    folder.mkdir()
    for suffix in (".hea", ".dat", ".atr"):
        (folder / f"203{suffix}").symlink_to(mitdb_dir / f"mitdb/203{suffix}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["data", "list", "--data-dir", str(tmp_path)]) == 0
    rows = {
        cells[1]: cells[2:-1]
        for line in capsys.readouterr().out.splitlines()
        if len(cells := re.split(r"\s*[│┃]\s*", line)) > 3
    }
    assert rows["mitdb/203"] == ["MLII, V1", "30:06", "AFIB, AFL, VT, T", "local folder"]
    assert rows["mitdb/208"] == ["MLII, V1", "", "", "not yet"]
    assert rows["synthetic"][1:] == ["5:00", "", "built in"]


def test_a_log_line_names_the_command_and_other_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    """The MQTT library is silent below a critical error, also once it has been imported."""
    seen = []

    def work(args: argparse.Namespace) -> int:
        import stream.mqtt.connection

        logging.getLogger("bedside.client").info("connection to X lost")
        logging.getLogger(stream.mqtt.connection.LOG).error("failed to receive on socket")
        logging.getLogger("library").warning("odd")
        logging.getLogger("library").info("chatter")
        seen.append(args.command)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RUN, "broker", work)
        assert main(["broker"]) == 0
    assert seen == ["broker"]
    assert capsys.readouterr().err.splitlines() == ["bedside broker: connection to X lost", "library: odd"]
    assert not [handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, _Lines)]
