"""Names and units of headers: which signals are waves and numerics, and what is left out."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.records.signals import choose_numerics, choose_waves, numeric_of, wave_of
from stream.wire.numerics_message import NUMERIC_NAMES
from stream.wire.wave_message import Signal


@pytest.mark.parametrize(
    ("names", "units", "chosen"),
    [
        (["II", "PLETH", "ABP"], ["mV", "NU", "mmHg"], {"pleth": 1, "abp": 2}),
        (["ART", "II", "ABP"], ["mmHg", "mV", "mmHg"], {"abp": 0}),
        (["SNUADC/ART", "SNUADC/PLETH", "ECG_II"], ["mmHg", "", "mV"], {"pleth": 1, "abp": 0}),
        (["ABP", "PPG", "ABPMean", "CVP"], ["mV", None, "mmHg", "mmHg"], {"pleth": 1, "cvp": 3}),
        (["RESP", "SpO2", None], ["mV", "%", None], {"resp": 0}),
        (["PAP1", "CVP2", "Primus/CO2"], ["mmHg", "MMHG", "kPa"], {"pap": 0, "cvp": 1, "co2": 2}),
        (["CO2", "EtCO2"], ["%", "mmHg"], {}),
        (["RESP,", "PLETH,", "ABP, "], ["NU", "NU", "mmHg"], {"pleth": 1, "abp": 2, "resp": 0}),
        (["RESPRATE", "cart", "co2x"], ["NU", "mmHg", "mmHg"], {}),
        ([], [], {}),
    ],
)
def test_choose_waves(names: list[str | None], units: list[str | None], chosen: dict[str, int]) -> None:
    found = choose_waves(names, units)
    assert {signal: i for signal, (i, _) in found.items()} == chosen
    assert list(found) == [signal for signal in get_args(Signal) if signal in found], "in a fixed order"


@pytest.mark.parametrize(
    ("name", "unit", "numeric", "value"),
    [
        ("HR", "bpm", "heart_rate", 1.0),
        ("PULSE,", "bpm", "pulse_rate", 1.0),
        ("RESP", "pm", "respiration_rate", 1.0),
        ("SpO2", "%", "spo2", 1.0),
        ("%SpO2", None, "spo2", 1.0),
        ("ABPSys", "mmHg", "abp_systolic", 1.0),
        ("ABPSYS", "mmHg", "abp_systolic", 1.0),
        ("ART Dias", "kPa", "abp_diastolic", 7.50064),
        ("NBP MEAN", "mmHg", "nibp_mean", 1.0),
        ("NBPDIAS", "mmHg", "nibp_diastolic", 1.0),
        ("PAPMean", "mmHg", "pap_mean", 1.0),
        ("CVP", "mmHg", "cvp_mean", 1.0),
        ("EtCO2", "kPa", "etco2", 7.50064),
        ("TEMP", "degF", "temperature", -17.22222),
        ("Tblood", "°C", "temperature", 1.0),
    ],
)
def test_a_numeric_is_known_by_its_name_and_converted(name: str, unit: str | None, numeric: str, value: float) -> None:
    found = numeric_of(name, unit)
    assert found is not None
    assert found[0] == numeric
    factor, added = found[1]
    assert factor + added == pytest.approx(value, rel=1e-5), "1 in its unit"


@pytest.mark.parametrize(
    ("name", "unit"), [("PVC", "/min"), ("ABPSys", "NU"), ("EtCO2", "%"), ("TEMP", "K"), ("ST II", "mm"), (None, None)]
)
def test_a_numeric_of_no_name_or_of_no_convertible_unit_is_left_out(name: str | None, unit: str | None) -> None:
    assert numeric_of(name, unit) is None


def test_the_first_of_two_of_one_kind_is_taken() -> None:
    assert choose_numerics(["TEMP", "HR", "Tblood"], ["K", "bpm", "degC"]) == {
        "heart_rate": (1, (1.0, 0.0)),
        "temperature": (2, (1.0, 0.0)),
    }


@given(st.none() | st.text(), st.none() | st.text())
def test_any_text_is_a_known_signal_or_none(name: str | None, unit: str | None) -> None:
    wave, numeric = wave_of(name, unit), numeric_of(name, unit)
    assert wave is None or wave[0] in get_args(Signal)
    assert numeric is None or numeric[0] in NUMERIC_NAMES
