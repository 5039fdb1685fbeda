"""The notebooks of the lecture: they run as they stand, print the lecture's figures, and agree in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

LECTURE = Path(__file__).parents[3] / "docs" / "lecture"


def cells(language: str, kind: str) -> list[str]:
    notebook = json.loads((LECTURE / f"lecture_{language}.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_both_languages_have_the_same_code_and_sections() -> None:
    assert cells("en", "code") == cells("ja", "code")
    headings = [[text.startswith("## ") for text in cells(language, "markdown")] for language in ("en", "ja")]
    assert headings[0] == headings[1]


def test_no_output_is_stored() -> None:
    for path in LECTURE.glob("*.ipynb"):
        code = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        assert code
        assert not any(cell["outputs"] or cell["execution_count"] for cell in code)


@pytest.mark.timeout(600)  # it trains the lecture's LSTM: half a minute, several on a busy machine
def test_the_notebook_runs_and_shows_what_its_text_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    figures = []
    monkeypatch.setattr(plt, "show", lambda: figures.append(plt.gcf().number) or plt.close("all"))
    names: dict[str, Any] = {}
    for source in cells("en", "code"):
        exec(compile(source, "lecture_en.ipynb", "exec"), names)
    printed = capsys.readouterr().out

    assert len(figures) == 5
    log = "0.02516 0.01600 0.01093 0.00584 0.00371 0.00201 0.00110 0.00073 0.00061 0.00057"
    assert [line.split()[-1] for line in printed.splitlines() if line.startswith("epoch")] == log.split()
    for method, mse in (("persistence", "6.84e-04"), ("linear extrapolation", "1.82e-04"), ("AR(50)", "1.02e-04")):
        assert f"{method:22s} test MSE {mse}" in printed
    # "A straight line is better than the network"
    assert names["mse"](names["rows"]["linear extrapolation"]) < names["mse"](names["rows"]["LSTM of part 2"])
    # "Carried state changes nothing ... thrown away, the same weights are five times as wrong"
    whole, carried, reset = (names["ways"][way] for way in ("one pass", "state carried", "state thrown away"))
    np.testing.assert_allclose(carried, whole, atol=1e-5)
    with names["torch"].inference_mode():
        errors = [
            names["mse"](names["model"].out(hidden)[0, names["lecture"].WINDOW - 1 : -1, 0].numpy())
            for hidden in (whole, reset)
        ]
    assert 4 < errors[1] / errors[0] < 7
    # The band of part 5 holds what it promises.
    shares = [float(line.split()[-1].rstrip("%")) for line in printed.splitlines() if "inside the band" in line]
    assert len(shares) == 5
    assert all(85 <= share <= 95 for share in shares)
