import re
from pathlib import Path

import pytest

from monitor.cli import main


def test_data_list_shows_all_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    shown = capsys.readouterr().out
    for expected in ("mitdb/208", "excerpt", "synthetic", "MLII"):
        assert expected in shown


def test_data_list_shows_duration_and_rhythms_of_records_on_disk(
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
    assert rows["synthetic"][1:] == ["5:00", "N", "built in"]
    assert rows["synthetic/vf"][1:] == ["5:00", "N, VF, VT", "built in"]
