import argparse
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.arguments.parser import parser
from monitor.cli import RUN, _LineFormatter, main
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


def test_every_command_has_a_function() -> None:
    named = set()
    for path in commands():
        node: argparse.ArgumentParser = parser()
        for name in path:
            node = next(a for a in node._actions if isinstance(a, argparse._SubParsersAction)).choices[name]
        named |= {node.get_default("run")}
    groups = {None, "data", "bench"}  # these have only sub-commands
    assert named - groups == set(RUN)


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help(path: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*path, "--help"])
    assert end.value.code == 0
    assert "usage: bedside" in capsys.readouterr().out


def test_an_unknown_option_exits_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["replay", "--sped", "2"])
    assert end.value.code == 2
    assert "--sped" in capsys.readouterr().err


WITHOUT = """
import sys
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name == {library!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, NotInstalled())
from monitor.cli import main
sys.exit(main({arguments!r}))
"""


@pytest.mark.parametrize(
    ("arguments", "library", "extra"),
    [
        (["worker", "--broker", "mqtt://127.0.0.1:1"], "numba", "analysis"),
        (["broker"], "amqtt", "broker"),
        (["data", "list"], "rich", "records"),
        (["replay", "./own", "--broker", "mqtt://127.0.0.1:1"], "wfdb", "records"),
    ],
)
def test_a_missing_extra_is_named(arguments: list[str], library: str, extra: str, tmp_path: Path) -> None:
    (tmp_path / "own.hea").write_text("own 1 360 10\nown.dat 16 200/mV 16 0 0 0 0 MLII\n")
    program = WITHOUT.format(library=library, arguments=arguments)
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert error_line(ran.stderr) == (
        f"bedside {arguments[0]}: error: {library} is not installed; run: pip install 'bedside[{extra}]'"
    )


def test_a_log_line_names_the_command_and_other_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    """The MQTT library is silent below a critical error, also once it has been imported."""
    executed = []

    def work(args: argparse.Namespace) -> int:
        import stream.mqtt.connection

        logging.getLogger("bedside.client").info("connection to X lost")
        logging.getLogger("bedside.client").warning("rejected: %s", "\x1b[2J\n")
        logging.getLogger(stream.mqtt.connection.LOGGER_NAME).error("failed to receive on socket")
        logging.getLogger("library").warning("odd")
        logging.getLogger("library").info("chatter")
        executed.append(args.command)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RUN, "broker", work)
        assert main(["broker"]) == 0
    assert executed == ["broker"]
    assert capsys.readouterr().err.splitlines() == [
        "bedside broker: connection to X lost",
        r"bedside broker: rejected: \u001b[2J\u000a",
        "library: odd",
    ]
    assert not [handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, _LineFormatter)]
