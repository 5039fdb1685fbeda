"""Numbers: which source is shown, and that neither an old nor a missing value looks live."""

from __future__ import annotations

from monitor.view.bed_numerics import LIVE_S, SHOWN_S, BedNumerics
from monitor.view.number_groups import BY_WAVE, GROUPS, beside_text, main_texts, without_lane
from monitor.view.st_levels import StLevel, st_text
from tests.waveforms import SESSION, numeric, numerics

SECOND = 1_000_000_000
AT = 100 * SECOND


def readings(bed: BedNumerics, later_s: float = 0.0, *, worker: bool = True) -> dict:
    return bed.readings(SESSION, AT + round(later_s * SECOND), worker=worker)


def known(*values: object, **changes: object) -> BedNumerics:
    bed = BedNumerics()
    bed.add(numerics(values=values, **changes), AT)
    return bed


def test_a_value_grows_old() -> None:
    bed = known(numeric("spo2", 97.0, age_s=0.5))
    assert readings(bed)["spo2"].state == "live"
    late = readings(bed, LIVE_S)["spo2"]
    assert (late.state, late.value, late.age_s) == ("stale", 97.0, 10)
    lost = readings(bed, SHOWN_S)["spo2"]
    assert (lost.state, lost.value) == ("missing", None)


def test_a_cuff_pressure_is_shown_for_hours() -> None:
    bed = known(numeric("nibp_mean", 90.0, age_s=900.0))
    assert (readings(bed)["nibp_mean"].state, readings(bed)["nibp_mean"].age_s) == ("live", 900)


def test_a_new_message_is_shown_at_once() -> None:
    bed = known(numeric("spo2", 97.0))
    assert readings(bed)["spo2"].value == 97.0
    bed.add(numerics(values=(numeric("spo2", 88.0),)), AT)
    assert readings(bed)["spo2"].value == 88.0


def test_a_missing_value_stays_missing_and_has_an_age() -> None:
    reading = readings(known(numeric("spo2", None, age_s=12.0)))["spo2"]
    assert (reading.value, reading.state, reading.age_s) == (None, "missing", 12)


def test_values_of_another_session_are_not_shown() -> None:
    assert readings(known(numeric(), session="f" * 32)) == {}


def test_a_measured_value_replaces_the_recorded_one_while_the_worker_measures() -> None:
    bed = known(numeric("respiration_rate", 14.0), numeric("spo2", 97.0))
    bed.add(numerics(values=(numeric("respiration_rate", 16.0, source="measured"),)), AT)
    found = readings(bed)
    assert (found["respiration_rate"].value, found["respiration_rate"].source) == (16.0, "measured")
    assert found["spo2"].source == "recorded"
    assert readings(bed, worker=False)["respiration_rate"].value == 14.0
    assert readings(bed, 3.5)["respiration_rate"].source == "recorded"


def test_a_measured_value_that_is_unreliable_gives_way_to_the_recorded_one() -> None:
    bed = known(numeric("respiration_rate", 14.0))
    bed.add(numerics(values=(numeric("respiration_rate", None, source="measured"),)), AT)
    assert readings(bed)["respiration_rate"].value == 14.0


def test_pressures_are_shown_as_on_monitors() -> None:
    bed = known(numeric("abp_systolic", 119.6), numeric("abp_diastolic", 80.2), numeric("abp_mean", 93.0))
    assert main_texts(BY_WAVE["abp"], readings(bed)) == ("120/80", "(93)")
    assert main_texts(BY_WAVE["abp"], {}) == ("--", "")
    assert main_texts(BY_WAVE["abp"], readings(known(numeric("abp_mean", 93.0)))) == ("(93)", "")


def test_small_numbers_without_a_value_are_omitted() -> None:
    bed = known(numeric("spo2", 97.0), numeric("pulse_rate", 72.0), numeric("perfusion_index", None))
    assert main_texts(BY_WAVE["pleth"], readings(bed)) == ("97", "")
    assert beside_text(BY_WAVE["pleth"], readings(bed)) == "PR 72"


def test_only_numbers_that_the_bed_has_are_shown_without_a_lane() -> None:
    found = readings(known(numeric("spo2", 97.0), numeric("temperature", None, age_s=4.0)))
    assert [group.name for group in without_lane(found, ("pleth",))] == ["Temp"]
    assert [group.name for group in without_lane(found, ())] == ["SpO₂", "Temp"]
    assert len({group.name for group in GROUPS}) == len(GROUPS)


def test_an_old_measured_value_gives_way_to_a_live_recorded_one() -> None:
    bed = known(numeric("respiration_rate", 14.0))
    bed.add(numerics(values=(numeric("respiration_rate", 16.0, source="measured", age_s=LIVE_S + 5),)), AT)
    assert readings(bed)["respiration_rate"].value == 14.0


def test_numbers_of_a_second_publisher_neither_replace_those_shown_nor_are_lost() -> None:
    other = "f" * 32
    bed = known(numeric("spo2", 97.0))
    bed.add(numerics(values=(numeric("spo2", 80.0),), session=other), AT, SESSION)
    assert readings(bed)["spo2"].value == 97.0
    assert bed.readings(other, AT, worker=True)["spo2"].value == 80.0


def test_st_levels_stand_apart_and_grow_old() -> None:
    values = (
        numeric("st", -0.131, lead="MLII", source="measured", age_s=2.0),
        numeric("st_change", -0.02, lead="MLII", source="measured", age_s=2.0),
        numeric("st", None, lead="V1", source="measured", age_s=40.0),
        numeric("st_change", None, lead="V1", source="measured", age_s=40.0),
    )
    bed = known(*values)
    assert readings(bed) == {}
    levels = bed.st_levels(SESSION, AT)
    assert levels == (StLevel("MLII", -0.131, -0.02), StLevel("V1", None, None))
    assert st_text(levels, change=True) == "MLII -0.13 (-0.02)  V1 --"
    assert st_text(levels, change=False) == "MLII -0.13  V1 --"
    assert st_text(bed.st_levels(SESSION, AT + 19 * SECOND), change=False) == ""
    assert bed.st_levels("f" * 32, AT) == ()
