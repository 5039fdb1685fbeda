"""A record that grows is read by wfdb after each step; what a full disk cuts off leaves what was there before."""

from __future__ import annotations

import errno
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import StorageError
from stream.records import appended_annotations, appended_record
from stream.records.appended_annotations import CODES, AppendedAnnotations, Mark, sort
from stream.records.appended_record import AppendedRecord, Column
from stream.records.wfdb_reader import quiet_wfdb, read

with quiet_wfdb() as wfdb:
    from wfdb.io.annotation import ann_label_table

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")

COLUMNS = [Column("MLII", "mV", 200.0, 1024, 72), Column("PLETH", "NU", 1000.0, -5, 25)]
BEGIN_NS = 1_770_000_000_125_000_000

marks = st.builds(
    Mark,
    st.integers(1, 60_000_000),
    st.sampled_from(sorted(CODES)),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
)


def full_disk(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let a write store so many bytes, and then fail, as on a full disk."""
    written = os.write

    def write(descriptor: int, data: memoryview) -> int:
        if len(data) > after:
            written(descriptor, data[:after])
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(descriptor, data)

    monkeypatch.setattr(appended_record.os, "write", write)


def test_the_record_is_whole_after_each_append(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(-32767, 32768, (20, 97)).astype(np.int16)
    frames[3, :72] = -32768
    stem = tmp_path / "20260131T120000_0001"
    record = AppendedRecord(stem, COLUMNS, Fraction(5), BEGIN_NS, ["bed: bed-1", "x: \n µV"])
    for first, stop in ((0, 1), (1, 12), (12, 20)):
        record.append(frames[first:stop])
        stored = wfdb.rdrecord(str(stem), physical=False, smooth_frames=False)
        assert stored.sig_len == stop
        np.testing.assert_array_equal(stored.e_d_signal[0], frames[:stop, :72].reshape(-1))
        np.testing.assert_array_equal(stored.e_d_signal[1], frames[:stop, 72:].reshape(-1))
    record.finish("no more")
    assert (stored.sig_name, stored.units, stored.base_datetime.isoformat()[:23]) == (
        ["MLII", "PLETH"],
        ["mV", "NU"],
        "2026-02-02T02:40:00.125",
    )
    own = read(stem, name="x", source="x")
    np.testing.assert_array_equal(own.adu[:, 0], frames[:, :72].reshape(-1))
    np.testing.assert_array_equal(own.waves[0].adu, frames[:, 72:].reshape(-1))


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stem = tmp_path / "a_0001"
    record, notes = AppendedRecord(stem, COLUMNS, Fraction(5), BEGIN_NS), AppendedAnnotations(tmp_path / "a_0001.atr")
    record.append(np.zeros((3, 97), np.int16))
    notes.append([Mark(7, "N")])
    with monkeypatch.context() as patch:
        full_disk(patch, after=10)
        with pytest.raises(StorageError, match=r"a_0001 cannot be written \(No space left on device\): make room"):
            record.append(np.ones((2, 97), np.int16))
        with pytest.raises(StorageError):
            notes.append([Mark(8, "V", "a text")])
    assert stem.with_suffix(".dat").stat().st_size == 3 * 97 * 2
    assert wfdb.rdrecord(str(stem)).sig_len == 3
    record.append(np.ones((1, 97), np.int16))  # there is room again
    notes.append([Mark(9, "V")])
    assert wfdb.rdrecord(str(stem)).sig_len == 4
    assert wfdb.rdann(str(stem), "atr").symbol == ["N", "V"]


def test_the_codes_are_those_of_wfdb() -> None:
    known = {row.symbol: int(row.label_store) for row in ann_label_table.itertuples() if row.symbol.strip()}
    assert known == CODES


@settings(max_examples=30)
@given(st.lists(marks, min_size=1, max_size=30), st.integers(0, 30))
def test_annotations_are_read_back_by_wfdb(
    tmp_path_factory: pytest.TempPathFactory, given_marks: list[Mark], cut: int
) -> None:
    path = tmp_path_factory.mktemp("notes") / "a.atr"
    notes = AppendedAnnotations(path)
    notes.append(given_marks[:cut])
    notes.append(given_marks[cut:])
    assert list(appended_annotations.read(path.read_bytes())) == given_marks
    sort(path)
    expected = sorted(given_marks, key=lambda mark: mark.sample)
    stored = wfdb.rdann(str(path.with_suffix("")), "atr")
    assert stored.fs == 360
    assert [
        Mark(int(at), symbol, aux)
        for at, symbol, aux in zip(stored.sample, stored.symbol, stored.aux_note, strict=True)
    ] == expected
