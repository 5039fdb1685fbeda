"""The command on a folder of WFDB files in several styles, among them ones that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.evaluation.database import Database, find_database
from model.evaluation.database_alarms import evaluate_database
from model.evaluation.database_tables import print_database
from model.evaluation.monitor_output import MonitorOutput
from monitor.cli import main
from stream.errors import UsageError
from stream.records.catalog import Catalog
from stream.records.record import Record
from tests.model.evaluation import annotated_records as given
from tests.model.evaluation.wfdb_files import write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of records at odd rates, in each style, and of ones that cannot be scored."""
    folder = tmp_path_factory.mktemp("data") / "mixed"
    folder.mkdir()
    typed = [*given.beats(1, 20), (20.4, "V", ""), *given.beats(21.2, 59)]
    write(folder, "typed", 60, typed, fs=128, leads=("ECG1", "ECG2"))
    write(folder, "notes", 60, [given.rhythm(0.5, "N"), given.rhythm(30, "VF")], fs=251, leads=("ECG",))
    write(folder, "untyped", 60, [*given.beats(1, 40), (40, "[", ""), (55, "]", "")], fs=250, leads=("ECG",))
    write(
        folder,
        "alarm",
        320,
        [],
        fs=250,
        leads=("II", "PLETH"),
        comments=["Asystole", "True alarm"],
    )
    write(folder, "unknown", 30, [], leads=("V5",))
    write(folder, "numerics", 30, [], fs=1, leads=("HR",), units="bpm")
    (folder / "truncated.hea").write_text("truncated 1 250 15000\ntruncated.dat 16 200 16 0 0 0 0 ECG\n")
    (folder / "truncated.dat").write_bytes(bytes(100))
    (folder / "nonsense.hea").write_text("\x00\x01 not a header\n")
    write(folder, "whole_1", 10, [], leads=("ECG",))
    write(folder, "whole_2", 10, [], leads=("ECG",))
    (folder / "whole.hea").write_text("whole/2 1 360 7200\nwhole_1 3600\nwhole_2 3600\n")
    return folder


def silent_monitor(records: Sequence[Record]) -> list[MonitorOutput]:
    """Find nothing."""
    return [given.silent(record.n) for record in records]


@pytest.fixture
def database(folder: Path) -> Database:
    """Return the folder as a database."""
    return find_database("mixed", Catalog(data_dir=folder.parent))


def test_segments_are_no_records_and_a_path_is_as_good_as_a_name(database: Database, folder: Path) -> None:
    assert {"whole", "whole_1", "whole_2"} & set(database.records) == {"whole"}
    assert find_database(str(folder), Catalog()).records == database.records


def test_every_readable_record_is_scored_by_its_style(database: Database) -> None:
    report = evaluate_database(database, database.records, silent_monitor)
    assert {name: result.style for name, result in report.records.items()} == {
        "typed": "typed beats",
        "notes": "rhythm notes",
        "untyped": "untyped beats",
        "alarm": "no annotations",
        "unknown": "no annotations",
        "whole": "no annotations",
    }
    assert set(report.skipped) == {"numerics", "truncated", "nonsense"}
    assert all(reason and "\n" not in reason for reason in report.skipped.values())
    assert report.records["typed"].scores.beats.veb.missed == 1
    assert report.total.episodes["vf"].events == 2
    assert report.to_dict()["challenge2015"]["by_kind"] == {
        "Asystole": {"score": 0.0, "tp": 0, "tn": 0, "fp": 0, "fn": 1}
    }


def test_an_oracle_is_perfect_over_all_styles(database: Database) -> None:
    truths = {f"mixed/{name}": database.example(name).truth for name in ("typed", "notes", "untyped")}
    report = evaluate_database(
        database, ("typed", "notes", "untyped"), lambda records: [given.oracle(truths[r.name]) for r in records]
    )
    found = report.to_dict()
    assert (found["qrs"]["se"], found["qrs"]["ppv"], found["veb"]["se"], found["veb"]["ppv"]) == (1, 1, 1, 1)
    assert (found["by_time"]["vf"]["se"], found["by_time"]["vf"]["sp"]) == (1, 1)
    assert (found["windows_10s"]["lethal"]["se"], found["windows_10s"]["lethal"]["sp"]) == (1, 1)
    assert (found["episodes"]["vf"]["n"], found["episodes"]["vf"]["found"]) == (2, 2)
    assert found["episodes"]["vf"]["delay_s_max"] == 0
    assert found["false_high_per_h"] == found["false_vf_over_beats_per_h"] == 0
    assert found["false_high_per_h_by_kind"] == {}


def test_one_lead_can_be_chosen(database: Database) -> None:
    seen: list[int] = []

    def monitor(records: Sequence[Record]) -> list[MonitorOutput]:
        seen.extend(record.mv().shape[1] for record in records)
        return [given.silent(record.n) for record in records]

    for leads in (None, 1):
        assert len(evaluate_database(database, ("typed", "notes"), monitor, leads).records) == 2
    assert seen == [2, 1, 1, 1]


def test_an_unknown_folder_or_record_is_a_line_of_advice(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--database nowhere"):
        find_database("nowhere", Catalog(data_dir=tmp_path))
    with pytest.raises(UsageError, match=r"no header \(\.hea\)"):
        find_database(str(tmp_path), Catalog())
    with pytest.raises(UsageError, match="x9"):
        database.chosen("typed,x9")
    assert database.chosen("notes, typed,notes") == ("notes", "typed")
    assert database.chosen(None) == database.records


def test_splits_of_mitdb_can_stand_in_a_list(tmp_path: Path) -> None:
    database = Database("mitdb", tmp_path, ("101", "102"))
    with pytest.raises(UsageError, match="106"):
        database.chosen("DS1")


def test_beats_are_untyped_if_no_record_of_the_folder_types_any(tmp_path: Path) -> None:
    write(tmp_path, "a", 40, given.beats(1, 39), leads=("ECG",))
    assert find_database(str(tmp_path), Catalog()).example("a").truth.style == "typed beats"
    write(tmp_path, "b", 40, [*given.beats(1, 20), (20, "[", "")], leads=("ECG",))
    assert find_database(str(tmp_path), Catalog()).example("a").truth.style == "untyped beats"
    write(tmp_path, "c", 40, [*given.beats(1, 39), (39.3, "V", "")], leads=("ECG",))
    assert find_database(str(tmp_path), Catalog()).example("a").truth.style == "typed beats"


def test_the_command_prints_tables_and_writes_numbers(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "scores.json"
    assert main(["evaluate", "--alarms", "--database", str(folder), "--leads", "1", "--json", str(out)]) == 0
    printed = capsys.readouterr()
    assert "skipped truncated" in printed.out
    assert "mixed" in printed.err
    found = json.loads(out.read_text())
    assert found["skipped"]["n"] == 3
    assert found["qrs"]["se"] > 0.5
    assert found["styles"] == {"no annotations": 3, "rhythm notes": 1, "typed beats": 1, "untyped beats": 1}
    for own in found["records"].values():
        assert {"qrs", "by_time", "episodes", "windows_10s", "false_high", "af_share", "style"} <= set(own)


def test_an_empty_report_prints(capsys: pytest.CaptureFixture, database: Database) -> None:
    report = evaluate_database(database, ("numerics",), silent_monitor)
    print_database(report)
    assert "no record could be read" in capsys.readouterr().out
    assert report.to_dict()["qrs"]["se"] is None
