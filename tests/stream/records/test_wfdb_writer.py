"""Written records are read back by wfdb without change; a failed write is a one-line error and leaves no file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stream.errors import StorageError
from stream.records.wfdb_reader import quiet_wfdb, read
from stream.records.wfdb_writer import write
from stream.wire.fields import MAX_GAIN, MIN_GAIN
from stream.wire.messages import INVALID

with quiet_wfdb() as wfdb:
    pass

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # wfdb when it reads notes

ADU = np.arange(-100, 100, dtype=np.int16).reshape(-1, 2)
TWO: dict[str, Any] = {"leads": ("MLII", "V1"), "gain": (200.0, 100.0), "zero": (1024, -5)}


@settings(max_examples=40)
@given(
    adu=hnp.arrays(np.int16, st.tuples(st.integers(1, 50), st.integers(1, 2))),
    gain=st.floats(MIN_GAIN, MAX_GAIN),
    zero=st.integers(-32767, 32767),
    lead=st.text(min_size=1, max_size=16),
    comment=st.text(max_size=200),
)
def test_adc_values_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, adu: Any, gain: float, zero: int, lead: str, comment: str
) -> None:
    stem = tmp_path_factory.mktemp("wfdb") / "strip_1"
    k = adu.shape[1]
    write(stem, adu, leads=(lead,) * k, gain=(gain,) * k, zero=(zero,) * k, comments=[comment])
    found = wfdb.rdrecord(str(stem), physical=False)
    assert np.array_equal(found.d_signal, adu)
    assert found.fs == 360
    assert found.units == ["mV"] * k
    assert found.baseline == [zero] * k
    assert found.adc_gain == pytest.approx([gain] * k, rel=1e-6)


def test_gaps_notes_and_names_are_read_back(tmp_path: Path) -> None:
    adu = ADU.copy()
    adu[10:20] = INVALID
    write(tmp_path / "s", adu, **TWO, comments=["bed: bed-1"], notes=[(3, "asystole begins"), (3, "x"), (90, "ends")])
    found = wfdb.rdrecord(str(tmp_path / "s"))
    assert found.sig_name == ["MLII", "V1"]
    assert found.comments == ["bed: bed-1"]
    assert np.isnan(found.p_signal[10:20]).all()
    assert not np.isnan(found.p_signal[20:]).any()
    assert found.p_signal[0] == pytest.approx([(-100 - 1024) / 200, (-99 + 5) / 100])
    notes = wfdb.rdann(str(tmp_path / "s"), "atr")
    assert (list(notes.sample), notes.symbol) == ([3, 3, 90], ['"'] * 3)
    assert notes.aux_note == ["asystole begins", "x", "ends"]
    assert notes.fs == 360


def test_bedside_reads_written_records(tmp_path: Path) -> None:
    write(tmp_path / "s", ADU, **TWO)
    record = read(tmp_path / "s", name="s", source="here")
    assert np.array_equal(record.adu, ADU)
    assert (record.leads, record.gain, record.zero) == (TWO["leads"], TWO["gain"], TWO["zero"])


@pytest.mark.parametrize("suffix", [".hea", ".dat", ".atr"])
def test_existing_files_are_not_overwritten(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"s{suffix}").write_text("existing")
    with pytest.raises(StorageError, match=rf"s\{suffix} exists"):
        write(tmp_path / "s", ADU, **TWO, notes=[(0, "x")])
    assert [file.read_text() for file in tmp_path.iterdir()] == ["existing"]


def test_a_missing_folder_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write(tmp_path / "no" / "s", ADU, **TWO)
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wfdb, "wrann", full)
    with pytest.raises(StorageError, match="No space left"):
        write(tmp_path / "s", ADU, **TWO, notes=[(0, "x")])
    assert not list(tmp_path.iterdir())
