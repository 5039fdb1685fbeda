import importlib.util
import tomllib
from pathlib import Path

import pytest

from monitor import cli
from monitor.tools import optional_dependencies
from monitor.tools.optional_dependencies import EXTRA_OF, LIBRARIES, require_extras
from stream.errors import UsageError


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Provide a function that hides libraries, as if they were not installed."""

    def hide(*libraries: str) -> None:
        found = importlib.util.find_spec
        monkeypatch.setattr(
            optional_dependencies, "find_spec", lambda name: None if name in libraries else found("sys")
        )

    return hide


def test_extras_match_pyproject() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert set(LIBRARIES) <= set(project["optional-dependencies"])
    assert EXTRA_OF["torch"] == "model"


def test_unneeded_libraries_may_be_missing(without) -> None:
    without("torch", "amqtt")
    require_extras([])
    require_extras(["plots"])


def test_one_line_names_all_missing_libraries(without) -> None:
    without("torch", "amqtt")
    with pytest.raises(UsageError) as caught:
        require_extras(["broker", "model", "gui"])
    assert str(caught.value) == "amqtt, torch are not installed; run: pip install 'bedside[broker,model]'"
    without("pyqtgraph")
    with pytest.raises(UsageError, match=r"^pyqtgraph is not installed; run: pip install 'bedside\[gui\]'$"):
        require_extras(["gui"])


@pytest.mark.parametrize(
    ("arguments", "hidden", "line"),
    [
        (["demo"], ["numba", "PySide6"], "numba, PySide6 are not installed; run: pip install 'bedside[analysis,gui]'"),
        (["demo", "--headless"], ["amqtt"], "amqtt is not installed; run: pip install 'bedside[broker]'"),
    ],
)
def test_the_demo_reports_missing_extras_before_it_starts(
    without, capfd: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], hidden: list[str], line: str
) -> None:
    without(*hidden)
    out = tmp_path / "out"
    assert cli.main([*arguments, "--out", str(out)]) == 2
    assert capfd.readouterr() == ("", f"bedside demo: error: {line}\n")
    assert not out.exists()
