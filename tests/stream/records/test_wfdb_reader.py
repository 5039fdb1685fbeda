"""Any WFDB record is read as at most two ECG leads at 360 Hz; a damaged one is a one-line error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import FULL_SCALE, choose_leads, load, quantise, quiet_wfdb, resample
from stream.wire.messages import INVALID
from stream.wire.wave_message import WAVE_UNIT

with quiet_wfdb() as wfdb:
    pass

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # wfdb when it writes


def write(folder: Path, name: str = "rec", *, fs: float = 360, fmt: str = "16", gain: float = 200, **other: Any) -> str:
    """Write a WFDB record with one signal per column of ``mv``; return its path."""
    mv = other.pop("mv", None)
    if mv is None:
        mv = np.sin(2 * np.pi * 1.2 * np.arange(round(10 * fs)) / fs)[:, np.newaxis]
    k = mv.shape[1]
    wfdb.wrsamp(
        name,
        fs=fs,
        units=other.pop("units", ["mV"] * k),
        sig_name=other.pop("names", ["MLII", "V1"][:k]),
        p_signal=mv,
        fmt=[fmt] * k,
        adc_gain=[gain] * k,
        baseline=[other.pop("zero", 1024)] * k,
        write_dir=str(folder),
        **other,
    )
    return str(folder / name)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(cache_dir=tmp_path / "cache", progress=False)


def test_import_loads_no_large_library() -> None:
    heavy = {"wfdb", "pandas", "pooch", "rich", "requests", "scipy"}
    code = f"import sys, stream.records.wfdb_reader; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


# --- recordings ---------------------------------------------------------------------------------------------------


def test_mitdb_adc_values_are_unchanged(mitdb_dir: Path) -> None:
    record = load("mitdb/208", Catalog(data_dir=mitdb_dir))
    stored = wfdb.rdrecord(str(mitdb_dir / "mitdb" / "208"), physical=False)
    assert np.array_equal(record.adu, stored.d_signal)
    assert (record.gain, record.zero) == ((200.0, 200.0), (1024, 1024))
    assert (record.name, record.leads, record.source) == ("mitdb/208", ("MLII", "V1"), "local folder")
    marks = wfdb.rdann(str(mitdb_dir / "mitdb" / "208"), "atr")
    assert record.annotations is not None
    assert np.array_equal(record.annotations.sample, marks.sample)
    assert record.annotations.symbol == tuple(marks.symbol)
    assert record.annotations.aux[0] == "(N"


@pytest.mark.parametrize(("number", "leads"), [("114", ("MLII", "V5")), ("102", ("V5", "V2")), ("104", ("V5", "V2"))])
def test_mlii_is_the_first_lead_if_present(mitdb_dir: Path, number: str, leads: tuple[str, ...]) -> None:
    record = load(f"mitdb/{number}", Catalog(data_dir=mitdb_dir))
    assert record.leads == leads
    stored = wfdb.rdrecord(str(mitdb_dir / "mitdb" / number), physical=False)
    assert np.array_equal(record.adu, stored.d_signal[:, [stored.sig_name.index(lead) for lead in leads]])


def test_the_excerpt_is_record_208_from_sample_422820(mitdb_dir: Path, excerpt: Record) -> None:
    whole = load("mitdb/208", Catalog(data_dir=mitdb_dir))
    assert np.array_equal(excerpt.adu[:, 0], whole.adu[422_820 : 422_820 + 108_000, 0])
    assert np.allclose(excerpt.mv()[:, 0], whole.mv()[422_820 : 422_820 + 108_000, 0])


def test_the_excerpt_is_five_minutes_of_mlii(excerpt: Record) -> None:
    assert (excerpt.name, excerpt.leads, excerpt.n, excerpt.synthetic) == ("excerpt", ("MLII",), 108_000, False)
    # The first samples, from SciPy's documentation.
    assert np.allclose(excerpt.mv()[:3, 0], [-0.245, -0.215, -0.185])


# --- sampling rates and units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fs", [128, 250, 257, 500, 1000, 62.5])
def test_any_sampling_rate_is_resampled_to_360_hz(tmp_path: Path, catalog: Catalog, fs: float) -> None:
    path = write(tmp_path, fs=fs, gain=2000, zero=0)
    record = load(path, catalog)
    assert abs(record.n - 3600) <= 1
    truth = np.sin(2 * np.pi * 1.2 * np.arange(record.n) / 360)
    assert np.abs(record.mv()[30:-30, 0] - truth[30:-30]).max() < 0.004


def test_annotations_are_resampled(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path, fs=250)
    wfdb.wrann(
        "rec",
        "atr",
        np.array([0, 25, 1000, 2499]),
        symbol=["N", "V", "+", "N"],
        aux_note=["", "", "(VT", ""],
        write_dir=str(tmp_path),
    )
    marks = load(path, catalog).annotations
    assert marks is not None
    assert marks.sample.tolist() == [0, 36, 1440, 3599]
    assert marks.symbol == ("N", "V", "+", "N")
    assert marks.aux == ("", "", "(VT", "")


def test_the_last_annotation_stays_within_the_record(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path, fs=1000, mv=np.zeros((25, 1)))
    wfdb.wrann("rec", "atr", np.array([24]), symbol=["N"], write_dir=str(tmp_path))
    record = load(path, catalog)
    assert record.annotations is not None
    assert (record.n, record.annotations.sample.tolist()) == (9, [8])


def test_a_record_without_annotations_has_none(tmp_path: Path, catalog: Catalog) -> None:
    assert load(write(tmp_path), catalog).annotations is None


@pytest.mark.parametrize(("unit", "scale"), [("mV", 1.0), ("uV", 1e3), ("V", 1e-3)])
def test_units_are_converted_to_mv(tmp_path: Path, catalog: Catalog, unit: str, scale: float) -> None:
    mv = np.linspace(-2, 2, 720)[:, np.newaxis]
    path = write(tmp_path, mv=mv * scale, units=[unit], gain=1000 / scale, zero=0)
    record = load(path, catalog)
    assert np.abs(record.mv() - mv).max() < 0.001
    assert record.gain == pytest.approx((1000.0,))


def test_invalid_samples_keep_their_times(tmp_path: Path, catalog: Catalog) -> None:
    mv = np.ones((2500, 1))
    mv[1000:1100] = np.nan
    bad = load(write(tmp_path, mv=mv, fs=250), catalog).adu[:, 0] == INVALID
    assert np.flatnonzero(bad)[[0, -1]].tolist() == [1439, 1583]
    assert bad[1439:1584].all()
    same = load(write(tmp_path, "same", mv=mv, fs=360), catalog).adu[:, 0] == INVALID
    assert np.array_equal(same, np.isnan(mv[:, 0]))


def test_a_signal_with_several_samples_per_frame_keeps_its_rate(tmp_path: Path, catalog: Catalog) -> None:
    ecg = np.sin(2 * np.pi * 20 * np.arange(3600) / 360)
    wfdb.wrsamp(
        "multi",
        fs=90,
        units=["NU", "mV"],
        sig_name=["RESP", "II"],
        e_p_signal=[np.zeros(900), ecg],
        samps_per_frame=[1, 4],
        fmt=["16", "16"],
        adc_gain=[1000, 1000],
        baseline=[0, 0],
        write_dir=str(tmp_path),
    )
    record = load(str(tmp_path / "multi"), catalog)
    assert record.leads == ("II",)
    assert np.abs(record.mv()[:, 0] - ecg).max() < 0.001


def test_segments_are_joined(tmp_path: Path, catalog: Catalog) -> None:
    mv = np.linspace(0, 1, 720)[:, np.newaxis]
    write(tmp_path, "one", mv=mv, gain=1000)
    write(tmp_path, "two", mv=mv + 1, gain=1000)
    (tmp_path / "both.hea").write_text("both/2 1 360 1440\none 720\ntwo 720\n")
    record = load(str(tmp_path / "both"), catalog)
    assert record.leads == ("MLII",)
    assert np.abs(record.mv() - np.concatenate([mv, mv + 1])).max() < 0.001
    (tmp_path / "layout.hea").write_text("layout 1 360 0\n~ 0 1000/mV 16 0 0 0 0 MLII\n")
    (tmp_path / "gap.hea").write_text("gap/4 1 360 1800\nlayout 0\none 720\n~ 360\ntwo 720\n")
    gap = load(str(tmp_path / "gap"), catalog)
    assert np.flatnonzero(gap.adu[:, 0] == INVALID).tolist() == list(range(720, 1080))


@pytest.mark.parametrize("suffix", ["", ".hea", ".dat"])
def test_a_path_may_have_a_suffix(tmp_path: Path, catalog: Catalog, suffix: str) -> None:
    record = load(write(tmp_path, "my.record".replace(".", "_")) + suffix, catalog)
    assert (record.name, record.source) == ("my_record", "file")


def test_one_sample_is_a_record(tmp_path: Path, catalog: Catalog) -> None:
    assert load(write(tmp_path, mv=np.zeros((1, 1)), fs=250), catalog).n == 2


# --- choice of leads -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "units", "chosen"),
    [
        (["V5", "MLII"], ["mV", "mV"], [1, 0]),
        (["V5", "V2"], ["mV", "mV"], [0, 1]),
        (["I", "II", "III", "aVR"], ["mV"] * 4, [1, 0, 2, 3]),
        ([str(number) for number in range(20)], ["mV"] * 20, list(range(12))),
        (["ABP", "PLETH", "II", "RESP"], ["mmHg", "NU", "mV", "mV"], [2]),
        (["EEG (C4-A1)", "ECG", "Resp (sum)"], ["mV", "mV", "l"], [1]),
        (["ECG lead II", None], ["uV", None], [0, 1]),
        (["CO2"], ["mV"], []),
        ([], [], []),
    ],
)
def test_choose_leads(names: list[str | None], units: list[str | None], chosen: list[int]) -> None:
    assert choose_leads(names, units) == chosen


TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def write_twelve(folder: Path, off: tuple[str, ...] = ()) -> str:
    """Write 20 s of 12 leads, each with its own level; those that are off are flat."""
    beats = np.sin(2 * np.pi * np.arange(20 * 360) / 360)
    mv = np.stack([place / 10 + (name not in off) * beats for place, name in enumerate(TWELVE)], axis=1)
    return write(folder, mv=mv, names=list(TWELVE), units=["mV"] * 12)


def test_all_of_twelve_leads_are_read_and_the_best_two_come_first(tmp_path: Path, catalog: Catalog) -> None:
    record = load(write_twelve(tmp_path), catalog)
    assert record.leads == ("II", "V1", "I", "III", *TWELVE[3:6], *TWELVE[7:])
    levels = [TWELVE.index(name) / 10 for name in record.leads]
    np.testing.assert_allclose(record.mv()[0], levels, atol=0.005)
    assert record.analysed().leads == ("II", "V1")


def test_a_further_signal_whose_gain_is_not_that_of_an_ecg_is_left_out(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path, mv=np.zeros((3600, 3)) + np.sin(np.arange(3600))[:, None], names=["II", "V1", "X"])
    header = Path(path + ".hea")
    lines = header.read_text().splitlines()
    header.write_text("\n".join([*lines[:3], lines[3].replace("200(1024)", "1e-5(1024)"), ""]))
    assert load(path, catalog).leads == ("II", "V1")


@pytest.mark.parametrize(("off", "first"), [(("V1",), ("II", "V5")), (("II",), ("I", "V1")), (TWELVE[6:], ("II", "I"))])
def test_a_lead_that_is_off_is_not_analysed(
    tmp_path: Path, catalog: Catalog, off: tuple[str, ...], first: tuple[str, ...]
) -> None:
    record = load(write_twelve(tmp_path, off), catalog)
    assert record.leads[:2] == first
    assert sorted(record.leads) == sorted(TWELVE)


# --- other waves -----------------------------------------------------------------------------------------------------


def test_pulse_waves_are_read_as_stored(tmp_path: Path, catalog: Catalog) -> None:
    time = np.arange(1250) / 125
    signals = np.stack([np.sin(7 * time), 80 + 30 * np.sin(7 * time), 0.5 + 0.1 * np.cos(time)], axis=1)
    signals[:100, 1] = np.nan
    options: dict[str, Any] = {"names": ["II", "ART", "PLETH"], "units": ["mV", "mmHg", "NU"]}
    path = write(tmp_path, fs=125, gain=100, mv=signals, zero=0, **options)
    record = load(path, catalog)
    stored = wfdb.rdrecord(path, physical=False).d_signal
    pleth, pressure = record.waves
    assert (pleth.signal, pleth.unit, pressure.signal, pressure.unit) == ("pleth", "NU", "abp", "mmHg")
    for wave, column in ((pleth, 2), (pressure, 1)):
        assert (wave.fs, wave.gain, wave.zero) == (125, 100, 0)
        assert np.array_equal(wave.adu, stored[:, column])
    assert (pressure.adu[:100] == INVALID).all()
    np.testing.assert_allclose(pressure.values(pressure.adu)[100:], signals[100:, 1], atol=0.006)
    assert record.numerics == ()
    # The ECG is the same as in a record without them.
    alone = load(write(tmp_path, "alone", fs=125, gain=100, mv=signals[:, :1], zero=0, names=["II"]), catalog)
    assert (record.leads, record.gain, record.zero) == (alone.leads, alone.gain, alone.zero)
    assert np.array_equal(record.adu, alone.adu)
    assert alone.waves == ()


@pytest.mark.parametrize(("fs", "signal"), [(1250, np.ones(1250)), (125, np.full(1250, np.nan))])
def test_a_wave_that_cannot_be_sent_is_left_out(tmp_path: Path, catalog: Catalog, fs: int, signal: np.ndarray) -> None:
    signals = np.stack([np.sin(np.arange(1250) / 20), signal], axis=1)
    record = load(write(tmp_path, fs=fs, mv=signals, names=["II", "PLETH"], units=["mV", "NU"]), catalog)
    assert (record.leads, record.waves) == (("II",), ())


def test_a_part_of_a_record_has_the_waves_of_its_time(tmp_path: Path, catalog: Catalog) -> None:
    signals = np.stack([np.sin(np.arange(1250) / 20), np.arange(1250) / 100], axis=1)
    record = load(write(tmp_path, fs=125, mv=signals, names=["II", "PLETH"], units=["mV", "NU"]), catalog)
    part = record.until(361)
    # Samples 0 to 125 of the wave are at 0 to 360 samples at 360 Hz.
    assert (part.n, part.waves[0].adu.size) == (361, 126)


def test_all_waves_are_read_in_their_units_and_keep_their_adc_values(tmp_path: Path, catalog: Catalog) -> None:
    """The names have commas at their ends, as in BIDMC; a kilopascal is 7.5 mmHg."""
    time = np.arange(1250) / 125
    names = ["RESP,", "II,", "CO2,", "V,", "CVP,", "PAP,", "ABP,", "PLETH,", "AVR,"]
    units = ["pm", "mV", "kPa", "mV", "cmH2O", "mmHg", "mmHg", "NU", "mV"]
    signals = np.stack([np.sin((1 + k) * time) for k in range(len(names))], axis=1)
    path = write(tmp_path, fs=125, gain=1000, mv=signals, zero=0, names=names, units=units)
    record = load(path, catalog)
    assert record.leads == ("II", "V", "AVR")
    stored = wfdb.rdrecord(path, physical=False).d_signal
    expected = [
        ("pleth", 7, 1),
        ("abp", 6, 1),
        ("pap", 5, 1),
        ("cvp", 4, 0.735559),
        ("resp", 0, 1),
        ("co2", 2, 7.50064),
    ]
    assert [wave.signal for wave in record.waves] == [signal for signal, _, _ in expected]
    for wave, (_, column, factor) in zip(record.waves, expected, strict=True):
        assert wave.unit == WAVE_UNIT[wave.signal]
        assert np.array_equal(wave.adu, stored[:, column])
        np.testing.assert_allclose(wave.values(wave.adu), signals[:, column] * factor, atol=0.001 * factor, rtol=1e-5)


# --- numerics --------------------------------------------------------------------------------------------------------


def write_numerics(folder: Path, mv: np.ndarray, names: list[str], units: list[str], **other: Any) -> None:
    write(folder, "recn", mv=mv, names=names, units=units, gain=10, zero=0, **other)


def test_numerics_are_read_beside_their_record(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path)
    values = np.array([[80.0, 97.0, 36.5, -1.0, 10.0, 5.0], [0.0, np.nan, 0.0, 0.0, 20.0, 5.0]])
    names, units = ["HR,", "%SpO2", "TEMP", "CVP", "ABP SYS", "ST II"], ["bpm", "%", "degC", "mmHg", "kPa", "mm"]
    write_numerics(tmp_path, values, names, units, fs=1)
    numerics = {one.name: one for one in load(path, catalog).numerics}
    assert {name: one.unit for name, one in numerics.items()} == {
        "heart_rate": "1/min",
        "spo2": "%",
        "temperature": "°C",
        "cvp_mean": "mmHg",
        "abp_systolic": "mmHg",
    }
    nothing = np.nan
    np.testing.assert_array_equal(numerics["heart_rate"].values, [80, nothing], "0 is no rate")
    np.testing.assert_array_equal(numerics["spo2"].values, [97, nothing])
    np.testing.assert_array_equal(numerics["temperature"].values, [36.5, nothing])
    np.testing.assert_array_equal(numerics["cvp_mean"].values, [-1, 0], "a venous pressure may be 0 or less")
    np.testing.assert_allclose(numerics["abp_systolic"].values, [75.0064, 150.0128], rtol=1e-5)
    assert all(one.fs == 1 and not one.values.flags.writeable for one in numerics.values())


def test_numerics_once_per_minute_are_read(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path)
    write_numerics(tmp_path, np.array([[110.0], [115.0]]), ["NBPSys"], ["mmHg"], fs=1 / 60)
    [cuff] = load(path, catalog).numerics
    assert (cuff.name, cuff.fs) == ("nibp_systolic", pytest.approx(1 / 60))
    assert cuff.at(90 * 360) == (115.0, pytest.approx(30.0, abs=0.01))


@pytest.mark.parametrize(
    ("names", "fs", "value"), [(["II"], 360, 0.5), (["ABPx"], 1, 80.0), (["HR"], 125, 80.0), (["HR"], 1, np.nan)]
)
def test_a_record_of_another_kind_gives_no_numerics(
    tmp_path: Path, catalog: Catalog, names: list[str], fs: int, value: float
) -> None:
    path = write(tmp_path)
    write_numerics(tmp_path, np.full((2, 1), value), names, ["mV"], fs=fs)
    assert load(path, catalog).numerics == ()


def test_damaged_numerics_are_a_one_line_error(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path)
    write_numerics(tmp_path, np.full((100, 1), 80.0), ["HR"], ["bpm"], fs=1)
    (tmp_path / "recn.dat").write_bytes(bytes(10))
    with pytest.raises(RecordError, match=r"recn\.dat is truncated"):
        load(path, catalog)
    (tmp_path / "recn.dat").write_bytes(bytes(200))
    (tmp_path / "recn.hea").write_text("recn 1 0 100\nrecn.dat 16 10/bpm 16 0 0 0 0 HR\n")
    with pytest.raises(RecordError, match="recn: sampling rate 0 Hz is not that of numerics"):
        load(path, catalog)


# --- quantization ----------------------------------------------------------------------------------------------------


@given(
    adu=hnp.arrays(np.int16, st.integers(1, 50), elements=st.integers(-FULL_SCALE, FULL_SCALE)),
    gain=st.floats(0.01, 1e5),
    zero=st.integers(-FULL_SCALE, FULL_SCALE),
)
def test_adc_values_in_range_are_reproduced(adu: np.ndarray, gain: float, zero: int) -> None:
    lead = quantise((adu - float(zero)) / gain, gain, zero)
    assert np.array_equal(lead.adu, adu)
    assert (lead.gain, lead.zero) == (gain, zero)


@given(
    mv=hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-5000, 5000) | st.just(np.nan)),
    gain=st.floats(0.01, 1e6),
    zero=st.integers(-(2**31), 2**31),
)
def test_nothing_is_clipped_and_the_gain_is_maximal(mv: np.ndarray, gain: float, zero: int) -> None:
    lead = quantise(mv, gain, zero)
    assert np.array_equal(lead.adu == INVALID, np.isnan(mv))
    assert 0 < lead.gain <= gain
    assert abs(lead.zero) <= FULL_SCALE
    valid = ~np.isnan(mv)
    restored = (lead.adu[valid] - float(lead.zero)) / lead.gain
    assert np.all(np.abs(restored - mv[valid]) <= 1.001 / lead.gain)
    value_range = max(np.max(mv[valid], initial=0.0), 0.0) - min(np.min(mv[valid], initial=0.0), 0.0)
    assert lead.gain == gain or lead.gain * value_range >= 65_000


@settings(max_examples=30)
@given(fs=st.sampled_from([100.0, 128.0, 250.0, 500.0]), seconds=st.integers(1, 5), offset=st.floats(-100, 100))
def test_a_constant_stays_constant(fs: float, seconds: int, offset: float) -> None:
    out = resample(np.full(round(fs * seconds), offset), fs)
    assert out.size == 360 * seconds
    assert np.allclose(out, offset, atol=1e-9)


# --- errors: one line each ------------------------------------------------------------------------------------------


def error_of(path: str, catalog: Catalog) -> str:
    with pytest.raises(RecordError) as caught:
        load(path, catalog)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_truncated_file_is_rejected(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path, fmt="212")
    data = (tmp_path / "rec.dat").read_bytes()
    assert load(path, catalog).n == 3600
    (tmp_path / "rec.dat").write_bytes(data[:-1])
    assert f"rec.dat is truncated: {len(data) - 1} bytes" in error_of(path, catalog)


def test_a_missing_file_is_named(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path)
    (tmp_path / "rec.dat").unlink()
    assert "rec.dat is missing" in error_of(path, catalog)


def test_a_missing_header_is_named(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path)
    (tmp_path / "rec.hea").unlink()
    assert "rec.hea must be in the same folder" in error_of(path, catalog)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "\n\n",
        "rec",
        "garbage in here ???\nmore",
        "rec 1 0 3600\nrec.dat 16 200(1024)/mV 16 0 0 0 0 MLII\n",
        "rec 1 360 3600\nrec.dat 99 200(1024)/mV 16 0 0 0 0 MLII\n",
        "rec/2 1 360 720\nnone 360\nnone 360\n",
    ],
)
def test_a_damaged_header_is_rejected(tmp_path: Path, catalog: Catalog, header: str) -> None:
    path = write(tmp_path)
    (tmp_path / "rec.hea").write_text(header)
    assert "rec" in error_of(path, catalog) or "none" in error_of(path, catalog)


def test_damaged_annotations_are_rejected(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path)
    (tmp_path / "rec.atr").write_bytes(b"\x01")
    assert "rec" in error_of(path, catalog)


def test_a_record_without_an_ecg_is_rejected(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path, names=["ABP"], units=["mmHg"])
    assert "contains no ECG signal in mV (it contains ABP)" in error_of(path, catalog)


def test_a_record_without_a_valid_sample_is_rejected(tmp_path: Path, catalog: Catalog) -> None:
    path = write(tmp_path, mv=np.full((720, 1), np.nan))
    assert "no valid ECG sample" in error_of(path, catalog)


@settings(max_examples=60)
@given(cut=st.integers(0, 200), junk=st.binary(max_size=40))
def test_any_damaged_header_is_a_one_line_error_or_a_record(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    path = write(folder, mv=np.zeros((36, 2)))
    header = folder / "rec.hea"
    header.write_bytes(header.read_bytes()[:cut] + junk)
    try:
        assert load(path, Catalog(cache_dir=folder, progress=False)).n > 0
    except RecordError as error:
        assert "\n" not in str(error)  # noqa: PT017
