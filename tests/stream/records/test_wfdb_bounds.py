"""Headers that ask for absurd amounts are refused before samples are read."""

from pathlib import Path

import pytest

from stream.errors import RecordError
from stream.records.wfdb_bounds import MAX_HEADER_BYTES, MAX_SEGMENTS, MAX_SIGNALS, check_text
from stream.records.wfdb_reader import read

SIGNAL = "{name}.dat {format} {gain} 16 0 0 0 0 MLII\n"


def record(folder: Path, first_line: str, *, data: int = 2000, form: str = "16", gain: str = "200/mV") -> Path:
    """Write a record `r` with `data` bytes; return its path without suffix."""
    text = SIGNAL.format(name="r", format=form, gain=gain)
    (folder / "r.hea").write_text(f"{first_line}\n{text}")
    (folder / "r.dat").write_bytes(b"\1\0" * (data // 2))
    return folder / "r"


@pytest.mark.parametrize(
    ("first_line", "options", "expected"),
    [
        ("r 1 1 10000000", {"data": 20_000_000}, "2,778 h at 1 Hz"),
        ("r 1 1", {"data": 20_000_000}, "2,778 h at 1 Hz"),
        ("r 1000000000 360 1000", {}, "1000000000 signals"),
        ("r/1000000000 1 360 1000", {}, "1000000000 segments"),
        ("r 1 360 1000000000000000000", {}, "truncated"),
        ("r 1 360 1000", {"form": "16x1000000000"}, "truncated"),
        ("r 1 360 1000", {"form": "16:1000000000"}, "lasts"),
        ("r 1 360 1000", {"form": "16+1000000000000000000"}, "truncated"),
        ("r 1 1 100000", {"data": 200_000_000 // 1000, "form": "16x1001"}, "truncated"),
        ("r 1 0 1000", {}, "sampling rate 0"),
        ("r 1 1000000 1000", {}, "sampling rate 1000000"),
        ("r 1 360 1000", {"gain": "1e-300/mV"}, "gain of MLII"),
        ("r 1 360 1000", {"gain": "1e300/mV"}, "gain of MLII"),
        ("r 1 360 1000", {"gain": "200(99999999999999999999)/mV"}, "gain of MLII"),
    ],
)
def test_an_absurd_header_is_a_one_line_error(
    tmp_path: Path, first_line: str, options: dict[str, object], expected: str
) -> None:
    stem = record(tmp_path, first_line, **options)  # type: ignore[arg-type]
    with pytest.raises(RecordError, match=expected) as caught:
        read(stem, name="r", source="")
    assert "\n" not in str(caught.value)


def test_segments_without_data_count_too(tmp_path: Path) -> None:
    record(tmp_path, "r 1 360 1000")
    (tmp_path / "whole.hea").write_text("whole/2 1 360 1000000001000\nr 1000\n~ 1000000000000\n")
    with pytest.raises(RecordError, match="whole lasts 771,605 h"):
        read(tmp_path / "whole", name="whole", source="")


def test_the_text_of_a_header_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "r.hea"
    for text in ("x" * (MAX_HEADER_BYTES + 1), f"r {MAX_SIGNALS + 1} 360", f"r/{MAX_SEGMENTS + 1} 1 360"):
        path.write_text(text)
        with pytest.raises(RecordError, match=r"r\.hea"):
            check_text(tmp_path / "r")
    path.write_text(f"# a comment\n\nr/{MAX_SEGMENTS} {MAX_SIGNALS} 360")
    check_text(tmp_path / "r")


def test_a_record_within_the_bounds_is_read(tmp_path: Path) -> None:
    for first_line in ("r 1 360 1000", "r 1 360", "# first\nr 1 360 1000"):
        assert read(record(tmp_path, first_line), name="r", source="").n == 1000


@pytest.mark.parametrize(("fs", "leads", "waves"), [(360, 12, 0), (1, 12, 0), (360, 1, 6)])
def test_all_signals_together_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fs: int, leads: int, waves: int
) -> None:
    seconds = 10
    samples = (leads * 360 + waves * fs) * seconds
    names = [f"V{i}" for i in range(leads)] + ["PLETH", "ABP", "PAP", "CVP", "RESP", "CO2"][:waves]
    units = {"PLETH": "NU", "RESP": "NU", **dict.fromkeys(("ABP", "PAP", "CVP", "CO2"), "mmHg")}
    lines = [f"r.dat 16 200/{units.get(name, 'mV')} 16 0 0 0 0 {name}" for name in names]
    (tmp_path / "r.hea").write_text("\n".join([f"r {len(names)} {fs} {fs * seconds}", *lines, ""]))
    (tmp_path / "r.dat").write_bytes(b"\1\0" * fs * seconds * len(names))
    monkeypatch.setattr("stream.records.wfdb_bounds.MAX_READ_SAMPLES", samples)
    assert len(read(tmp_path / "r", name="r", source="").leads) == leads
    monkeypatch.setattr("stream.records.wfdb_bounds.MAX_READ_SAMPLES", samples - 1)
    with pytest.raises(RecordError, match=f"{samples:,} samples in {leads + waves} signals, at most {samples - 1:,}"):
        read(tmp_path / "r", name="r", source="")
