import pytest

from monitor.cli import main
from tests.system.commands import error_line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--plot", "x.png"], "--plots DIR"),
        (["--alarms", "--plot", "x.png"], "--plots DIR"),
        (["--json", "nowhere/figures.json"], "no such folder"),
        (["--alarms", "--json", "nowhere/figures.json"], "no such folder"),
        (["--tutorial", "--json", "nowhere/figures.json"], "no such folder"),
        (["--plots", "/dev/null/pictures"], "choose another folder"),
    ],
)
def test_an_evaluation_with_an_invalid_output_path_does_not_start(
    options: list[str], expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in (
        "evaluation.evaluation.evaluate",
        "evaluation.alarm_scores.evaluate_alarms",
        "tutorial.tutorial.tutorial",
    ):
        monkeypatch.setattr(f"model.{work}", lambda *args, **kwargs: pytest.fail("it started"))
    assert main(["evaluate", "--records", "116", *options]) == 2
    assert expected in error_line(capsys.readouterr().err)


def test_only_the_last_stage_of_training_starts_from_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--weights", "given.safetensors", "--out", "new.safetensors"]) == 2
    assert "--weights given.safetensors: only --what first-samples" in capsys.readouterr().err
