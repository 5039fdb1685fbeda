"""The forecast of vitals: one bed as beside others, gaps, what is missing, bounds, weights that do not load."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from model.signal.state_codec import pack
from model.trends import advisory, network, vital_inputs
from model.trends.forecaster import TrendForecaster, TrendState
from model.trends.vital_inputs import CENTRE, MEAN_PRESSURE, SCALE, VITALS, Floats
from stream.errors import WeightsError


@cache
def forecaster() -> TrendForecaster:
    return TrendForecaster.load()


def courses(beds: int, hours: int) -> Floats:
    """Return wandering vitals with a third missing, shape (hours, beds, 7)."""
    rng = np.random.default_rng(3)
    values = CENTRE + SCALE * np.cumsum(rng.normal(0, 0.4, (hours, beds, len(VITALS))), axis=0)
    values[rng.random(values.shape) < 1 / 3] = np.nan
    return values


def named(values: Floats) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else float(value) for name, value in zip(VITALS, values, strict=True)}


def bed_of(state: TrendState, i: int) -> bytes:
    """Return one bed's state, without its hour."""
    _, inputs, hidden, personal, left = state
    own = (type(part)(*(column[i] for column in part)) for part in (inputs, personal))
    return pack((*own, hidden[i], left[i : i + 1]))


def test_a_bed_beside_others_has_the_same_outlook_to_the_last_bit() -> None:
    values = courses(37, 40)
    together = forecaster().initial(37)
    alone = [forecaster().initial() for _ in range(3)]
    for hour, row in enumerate(values):
        together, outlooks = forecaster().step_many(together, row)
        for k, bed in enumerate((0, 17, 36)):
            before = pack(alone[k])
            after, outlook = forecaster().step(alone[k], named(row[bed]), float(hour))
            assert pack(alone[k]) == before
            alone[k] = after
            if "hypotension_6h" in outlook.risk:
                assert outlook.risk["hypotension_6h"] == outlooks.risk[bed, 2]
            assert outlook.advisory == outlooks.advisory[bed]
    for k, bed in enumerate((0, 17, 36)):
        assert bed_of(alone[k], 0) == bed_of(together, bed)


def test_hours_left_out_are_hours_without_values_and_a_day_of_them_is_a_new_patient() -> None:
    first, _ = forecaster().step(forecaster().initial(), {"heart_rate": 100.0, "abp_mean": 80.0}, 5)
    stepped = first
    for hour in (6, 7):
        stepped, _ = forecaster().step(stepped, {}, hour)
    stepped, expected = forecaster().step(stepped, {"nibp_mean": 72.0}, 8)
    jumped, outlook = forecaster().step(first, {"nibp_mean": 72.0, "heart_rate": float("nan")}, 8)
    assert outlook == expected
    assert pack(jumped) == pack(stepped)
    _, late = forecaster().step(first, {"heart_rate": 90.0}, 40)
    assert late == replace(forecaster().step(forecaster().initial(), {"heart_rate": 90.0}, 40)[1])
    for hour in (4, 5):
        with pytest.raises(ValueError, match=f"hour {hour} is not after hour 5"):
            forecaster().step(first, {}, hour)


def test_what_was_never_measured_is_not_forecast() -> None:
    state, outlook = forecaster().step(forecaster().initial(), dict.fromkeys(VITALS), 1)
    assert (outlook.median, outlook.risk, outlook.advisory) == ({}, {}, False)
    state, outlook = forecaster().step(state, {"spo2": 100.0}, 2)
    assert list(outlook.median) == ["spo2"]
    assert list(outlook.risk) == ["sepsis_6h"]
    assert all(outlook.low["spo2"][h] <= outlook.median["spo2"][h] <= 100 for h in outlook.horizons_h)
    assert outlook.high["spo2"][6] <= 100
    state, outlook = forecaster().step(state, {"nibp_mean": 80.0}, 3)
    assert set(outlook.risk) == {"hypotension_1h", "hypotension_3h", "hypotension_6h", "sepsis_6h"}
    _, outlook = forecaster().step(state, {"nibp_mean": 60.0}, 4)
    assert list(outlook.risk) == ["sepsis_6h"]


def test_values_beyond_any_patient_are_bounded() -> None:
    _, wild = forecaster().step(forecaster().initial(), dict.fromkeys(VITALS, 1e9), 1)
    assert all(abs(value) < 1000 for own in wild.median.values() for value in own.values())


def test_a_falling_pressure_raises_one_advisory_with_its_reasons() -> None:
    eager = replace(forecaster().weights, settings={**forecaster().weights.settings, "threshold": 0.0})
    own, raised = TrendForecaster(eager), []
    state = own.initial()
    for hour, pressure in enumerate((80.0, 79.0, 78.0, 70.0, 67.0, 66.0, 66.0, 60.0, 70.0)):
        state, outlook = own.step(state, {"nibp_mean": pressure}, hour)
        raised.append((outlook.raised, outlook.advisory))
        if hour == 4:
            falling = next(reason for reason in outlook.reasons if reason.code == "falling")
    # It stands for six hours; low pressure ends it, and it may be raised again afterwards.
    assert raised == [(True, True), *[(False, True)] * 5, (True, True), (False, False), (True, True)]
    assert (falling.name, falling.value) == ("nibp_mean", 67.0)
    assert falling.change < -5


def test_an_advisory_needs_a_pressure_and_a_risk() -> None:
    _, inputs = vital_inputs.step(vital_inputs.begin(3), np.full((3, len(VITALS)), np.nan))
    seen = inputs.seen.copy()
    seen[1:, MEAN_PRESSURE] = True
    raised, left = advisory.step(np.zeros(3, np.int64), np.array([0.9, 0.9, 0.1]), inputs._replace(seen=seen), 0.5)
    assert raised.tolist() == [False, True, False]
    assert left.tolist() == [0, 6, 0]


def test_weights_that_do_not_load_are_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trends.safetensors"
    with pytest.raises(WeightsError, match="no weights at"):
        network.load(path)
    network.save(path, forecaster().weights)
    assert network.load(path).settings == forecaster().weights.settings
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="cannot be read"):
        network.load(path)
    network.save(path, replace(forecaster().weights, outer_bias=np.zeros(3, np.float32)))
    with pytest.raises(WeightsError, match="do not fit together"):
        network.load(path)
    network.save(path, replace(forecaster().weights, scale=np.full(4, np.nan, np.float32)))
    with pytest.raises(WeightsError, match="not all finite"):
        network.load(path)
