"""Export of the alarm store: CSV, JSON lines, and records that wfdb reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monitor.alarm_log.store import AlarmLog
from monitor.cli import main
from stream.records.wfdb_reader import quiet_wfdb
from tests.monitor.alarm_log import old_layouts
from tests.monitor.alarm_log.test_store import acknowledged, alarm, cleared, rows, strip
from tests.system.commands import error_line

with quiet_wfdb() as wfdb:
    pass

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # wfdb when it reads notes

COLUMNS = (
    "number alarm_id bed session record kind priority phase raised_at cleared_at acknowledged_at acknowledged_by "
    "latched onset end duration_s text reason value limit beats leads replaced_by "
    "switched_off_by observed predicted horizon_ms score threshold repeats strip"
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Provide a store with an acknowledged alarm, one whose text needs quoting, and one of another bed."""
    path = tmp_path / "a.sqlite"
    with AlarmLog(path) as log:
        later = "2026-01-31T13:00:00.000Z"
        quoted = alarm(5000, text='a "b", ä\nnext', when=later, value=148.5, limit=100.0)
        other = alarm(9000, bed="bed-2", alarm_id="../../other", kind="asystole", event_id="x", when=later)
        log.add([(alarm(3600), 0), (cleared(3600), 0), (acknowledged(3600), 0), (quoted, 0), (other, 0)])
        log.add_strips([strip(3600, start=0), strip(9, alarm_id="../../other", bed="bed-2", start=5400, valid=3000)])
    return path


def export(store: Path, form: str, out: Path, *more: str) -> int:
    return main(["alarms", "export", "--db", str(store), "--format", form, "--out", str(out), *more])


def test_csv_has_a_row_for_each_alarm(store: Path, tmp_path: Path) -> None:
    assert export(store, "csv", tmp_path / "a.csv") == 0
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header, *table = list(csv.reader(file))
    assert header == COLUMNS.split()
    first, second, third = (dict(zip(header, row, strict=True)) for row in table)
    assert (first["onset"], first["end"], first["phase"], first["strip"]) == ("3600", "3960", "cleared", "complete")
    assert (first["acknowledged_by"], first["acknowledged_at"]) == ("nurse 1", alarm(3600).when)
    assert (second["text"], second["value"], second["strip"]) == ('a "b", ä\nnext', "148.5", "")
    assert (third["bed"], third["strip"]) == ("bed-2", "incomplete")


def test_jsonl_has_an_object_for_each_alarm(store: Path, tmp_path: Path) -> None:
    assert export(store, "jsonl", tmp_path / "a.jsonl") == 0
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [list(line) for line in lines] == [COLUMNS.split()] * 3
    assert [(line["number"], line["value"], line["end"]) for line in lines] == [
        (1, None, 3960),
        (4, 148.5, None),
        (5, None, None),
    ]


@pytest.mark.parametrize(
    ("more", "onsets"),
    [
        (("--bed", "bed-2"), [9000]),
        (("--bed", "bed-3"), []),
        (("--since", "2026-01-31T12:30:00Z"), [5000, 9000]),
        (("--since", "2026-01-31T14:30+02:00"), [5000, 9000]),
        (("--since", "2026-01-31"), [3600, 5000, 9000]),
        (("--since", "2026-01-31 12:30", "--bed", "bed-1"), [5000]),
    ],
)
def test_alarms_can_be_filtered(store: Path, tmp_path: Path, more: tuple[str, ...], onsets: list[int]) -> None:
    assert export(store, "jsonl", tmp_path / "a.jsonl", *more) == 0
    assert [json.loads(line)["onset"] for line in (tmp_path / "a.jsonl").read_text().splitlines()] == onsets


def test_each_strip_is_a_record_that_wfdb_reads(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "strips"
    assert export(store, "wfdb", out) == 0
    assert capsys.readouterr().out == f"2 strips written to {out}\n"
    names = ["bed_1_1_residual", "bed_2_5_asystole"]
    assert sorted(file.name for file in out.iterdir()) == sorted(n + s for n in names for s in (".atr", ".dat", ".hea"))
    whole, half = (wfdb.rdrecord(str(out / name)) for name in names)
    assert whole.sig_name == ["MLII"]
    assert np.allclose(whole.p_signal[:, 0], (np.arange(7200) - 1024) / 200)
    assert f"alarm_id: {alarm(3600).alarm_id}" in whole.comments
    assert np.isnan(half.p_signal[3000:]).all()
    notes = [wfdb.rdann(str(out / name), "atr") for name in names]
    assert (list(notes[0].sample), notes[0].aux_note) == ([3600, 3960], ["residual begins", "residual ends"])
    assert (list(notes[1].sample), notes[1].aux_note) == ([3600], ["asystole begins"])


def test_a_store_in_use_can_be_exported(store: Path, tmp_path: Path) -> None:
    with AlarmLog(store) as log:
        log.add([(alarm(1), 0)])
        assert export(store, "jsonl", tmp_path / "a.jsonl") == 0
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 4


def _nothing(store: Path, out: Path) -> None:
    store.unlink()


def _text(store: Path, out: Path) -> None:
    store.write_text("time,heart rate\n" * 100)


def _old(store: Path, out: Path) -> None:
    store.unlink()
    old_layouts.make(store, old_layouts.LAYOUT_1, [])


def _empty(store: Path, out: Path) -> None:
    store.write_bytes(b"")


def _taken(store: Path, out: Path) -> None:
    out.write_text("existing")


@pytest.mark.parametrize(
    ("prepare", "form", "more", "expected"),
    [
        (_nothing, "csv", (), "does not exist"),
        (_text, "csv", (), "not a database"),
        (_old, "csv", (), "older layout"),
        (_empty, "csv", (), "a.sqlite-wal"),
        (_taken, "csv", (), "exists"),
        (_taken, "jsonl", (), "exists"),
        (_taken, "wfdb", (), "cannot be written"),
        (None, "csv", ("--since", "yesterday"), "--since"),
        (None, "csv", ("--bed", "Bed 1"), "Bed 1"),
        (None, "csv", ("--out", "no/such/folder/a.csv"), "cannot be written"),
    ],
)
def test_user_errors_are_one_line(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    prepare: Callable[[Path, Path], None] | None,
    form: str,
    more: tuple[str, ...],
    expected: str,
) -> None:
    out = tmp_path / "out"
    if prepare is not None:
        prepare(store, out)
    assert export(store, form, out, *more) == 2
    assert expected in error_line(capsys.readouterr().err)
    assert not out.exists() or out.read_text() == "existing"


def test_records_are_not_overwritten(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(store, "wfdb", tmp_path / "out") == 0
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert export(store, "wfdb", tmp_path / "out") == 2
    assert "bed_1_1_residual.hea exists" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


def test_export_does_not_change_the_store(store: Path, tmp_path: Path) -> None:
    before = rows(store, "SELECT * FROM events"), store.read_bytes()
    assert export(store, "csv", tmp_path / "a.csv") == 0
    assert (rows(store, "SELECT * FROM events"), store.read_bytes()) == before


def test_the_logger_requires_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alarms"]) == 2
    assert "--db FILE" in capsys.readouterr().err
