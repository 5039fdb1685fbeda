"""The Python interface: names, documentation, and results."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bedside
from model.pipeline.analysis import Models
from stream.records.record import Record

PAGE = Path(__file__).parents[1] / "docs/python.md"


@pytest.fixture(scope="module")
def models() -> Models:
    return bedside.load_models()


@pytest.fixture(scope="module")
def half_minute() -> Record:
    whole = bedside.load("excerpt")
    return Record(whole.name, whole.leads, whole.gain, whole.zero, whole.adu[: 30 * bedside.FS], False, whole.source)


def test_the_documented_examples_run() -> None:
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(examples) >= 4
    names: dict[str, Any] = {}
    for example in examples:
        exec(example, names)


def test_every_function_and_class_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("load", "analyze", "analyze_all", "columns", "load_models", "Analyzer", "FS"):
        assert name in bedside.__all__
        assert f"bedside.{name}" in text


def test_import_loads_no_large_package() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, bedside; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "bedside" in loaded
    assert not {"torch", "numpy", "scipy", "PySide6", "wfdb", "pandas"} & set(loaded)


def test_every_name_can_be_imported() -> None:
    for name in bedside.__all__:
        assert getattr(bedside, name) is not None
        assert name in dir(bedside)


def test_an_unknown_name_is_an_error_that_lists_the_names() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'analyse'.*analyze"):
        bedside.analyse  # noqa: B018


def test_chunks_give_the_results_of_the_whole_record(models: Models, half_minute: Record) -> None:
    whole = bedside.analyze(half_minute, models)
    analyzer = bedside.Analyzer(half_minute.leads, models, record=half_minute.name)
    mv = half_minute.mv()[:, 0]
    outputs = [analyzer.push(mv[start : start + 500]) for start in range(0, len(mv), 500)]
    outputs.append(analyzer.finish())
    assert whole.beats == [beat for output in outputs for beat in output.beats]
    vitals = [vitals for output in outputs for vitals in output.vitals]
    # float32 sums depend on the number of steps per call, so forecasts agree only within 1e-5.
    assert [replace(v, score=None, skill=None) for v in whole.vitals] == [
        replace(v, score=None, skill=None) for v in vitals
    ]
    assert [v.skill for v in whole.vitals] == pytest.approx([v.skill for v in vitals], abs=1e-4)
    alarms = [alarm for output in outputs for alarm in output.alarms]
    assert [(a.event_id, a.onset, a.end) for a in whole.alarms] == [(a.event_id, a.onset, a.end) for a in alarms]
    means = np.stack([forecast.mean for output in outputs for forecast in output.forecasts])
    np.testing.assert_allclose(whole.mean, means, atol=1e-5)
    assert whole.beats
    assert {alarm.phase for alarm in whole.alarms} == {"raised", "cleared"}


def test_columns_of_structs_and_dataclasses(models: Models, half_minute: Record) -> None:
    result = bedside.analyze(half_minute, models)
    beats, alarms = bedside.columns(result.beats), bedside.columns(result.alarms)
    assert beats["index"] == [beat.index for beat in result.beats]
    assert alarms["kind"] == [alarm.kind for alarm in result.alarms]
    assert bedside.columns([]) == {}


def test_a_record_shorter_than_a_stride_gives_empty_arrays(models: Models) -> None:
    short = Record("short", ("MLII",), (200.0,), (0,), np.zeros((10, 1), np.int16), True, "test")
    result = bedside.analyze(short, models)
    assert result.origin.shape == (0,)
    assert result.mean.shape == (0, 96, 1)
    assert result.beats == []


def test_a_wrong_number_of_leads_is_an_error(models: Models) -> None:
    with pytest.raises(ValueError, match=r"\(36, 2\) do not have 1 leads"):
        bedside.Analyzer(("MLII",), models).push(np.zeros((36, 2)))


def test_data_folder_argument(tmp_path: Path) -> None:
    from stream.errors import RecordError

    with pytest.raises(RecordError, match="nothing/here"):
        bedside.load("nothing/here", data_dir=tmp_path)
