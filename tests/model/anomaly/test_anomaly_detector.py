"""Anomaly scores and episodes on simulated forecasts, for which the correct result is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from model.anomaly import anomaly_detector
from model.anomaly.anomaly_detector import MEMORY_FREEZE_S
from model.anomaly.blocks import BLOCK
from model.anomaly.features import CHANNEL_HISTORY, LAGS, LEVEL_HISTORY
from model.anomaly.patient_history import MEMORY, WARM
from model.anomaly.state import DEFAULT_CONFIG, AnomalyState
from model.anomaly.template_memory import MAX_TEMPLATES
from model.conditions.changes import Began, Change, Ended
from model.signal.columns import joined, row
from model.signal.state_codec import pack

LEADS = ("MLII", "V1")
PATCH, HORIZON = 4, 96
SECOND = 90  # patches

Forecasts = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float64]]


def simulate(seconds: float, leads: int = 2, seed: int = 0, anomalous: tuple[float, float] = (0, 0)) -> Forecasts:
    """Return forecasts of 0 mV ± 0.1 mV, and noise of that size with an anomalous interval.

    For a tenth of each second the noise is larger, as forecast errors are at a QRS complex.
    """
    rng = np.random.default_rng(seed)
    k = round(seconds * SECOND)
    observed = rng.normal(0, 0.1, (k, PATCH, leads))
    time = np.arange(k) / SECOND
    observed[time % 1 < 0.1] *= 2.5
    observed[(time >= anomalous[0]) & (time < anomalous[1])] += 3
    mean = np.zeros((k, HORIZON, leads), np.float32)
    return mean, np.full_like(mean, 0.1), observed


def run(forecasts: Forecasts, start: int = 0) -> tuple[npt.NDArray[np.float64], list[Change], AnomalyState]:
    """Push forecasts; return scores, changes and the state."""
    state = anomaly_detector.begin(start, LEADS[: forecasts[2].shape[2]])
    found, state = anomaly_detector.step(DEFAULT_CONFIG, state, *forecasts)
    return found.score, list(found.changes), state


def test_beds_change_in_place_at_their_slots() -> None:
    """Three of five slots step, at different places in their blocks; the parts contain a stride, and several blocks."""
    beds = [simulate(60, 2, seed, (at, at + 0.4)) for seed, at in enumerate((22, 36.5, 37.9))]
    places, slots = (36 * SECOND - 18, 30 * SECOND, 33 * SECOND + 27), np.array([4, 0, 2])
    states = [run(tuple(part[:first] for part in forecasts))[2] for forecasts, first in zip(beds, places, strict=True)]
    by_slot = {0: states[1], 1: anomaly_detector.begin(0, LEADS), 2: states[2], 3: states[0], 4: states[0]}
    columns = joined([by_slot[slot].columns for slot in range(5)])
    notes = [by_slot[slot].notes for slot in range(5)]
    kinds: list[list[type]] = [[], [], []]
    for begins, ends in ((0, 9), (9, 400), (400, 1500)):
        parts = [
            tuple(part[first + begins : first + ends] for part in forecasts)
            for forecasts, first in zip(beds, places, strict=True)
        ]
        new = map(np.stack, zip(*parts, strict=True))
        score, changes = anomaly_detector.advance(DEFAULT_CONFIG, columns, notes, slots, *new)
        for bed, part in enumerate(parts):
            found, states[bed] = anomaly_detector.step(DEFAULT_CONFIG, states[bed], *part)
            np.testing.assert_array_equal(score[bed], found.score)
            assert [change for own, change in changes if own == bed] == list(found.changes)
            kinds[bed] += [type(change) for change in found.changes]
    assert kinds == [[], [Began, Ended], [Began, Ended]]
    for slot, state in zip(slots.tolist(), states, strict=True):
        assert notes[slot] == state.notes
        assert pack(row(columns, slot)) == pack(state.columns)
    for slot in (1, 3):
        assert notes[slot] == by_slot[slot].notes
        assert pack(row(columns, slot)) == pack(by_slot[slot].columns)


def test_the_patches_per_call_do_not_matter_while_templates_are_frozen() -> None:
    """An episode that begins in one block decides what is stored at the next, within one call and over several."""
    forecasts = simulate(70, anomalous=(30, 45))
    found, events, whole = run(forecasts)
    state, parts, changes = anomaly_detector.begin(0, LEADS), [], []
    for first in range(0, len(found), 9):
        part, state = anomaly_detector.step(DEFAULT_CONFIG, state, *(values[first : first + 9] for values in forecasts))
        parts.append(part.score)
        changes += part.changes
    assert len(events) >= 2
    assert changes == events
    np.testing.assert_array_equal(np.concatenate(parts), found)
    assert pack(state) == pack(whole)


def test_an_anomalous_interval_is_located() -> None:
    start = 1000
    scores, events, _ = run(simulate(60, anomalous=(40, 40.3)), start=start)
    raised, cleared = events
    assert isinstance(raised, Began)
    assert isinstance(cleared, Ended)
    onset, end = start + 40 * 360, start + 40 * 360 + 108
    assert onset - 4 <= raised.onset <= onset + 8
    assert raised.onset < raised.at <= end + 72
    assert raised.evidence is not None
    assert cleared.evidence is not None
    assert raised.evidence.score >= raised.evidence.threshold == DEFAULT_CONFIG.threshold
    assert cleared.onset == raised.onset
    assert end - 8 <= cleared.end <= end + 4
    # The score must stay low for `hold` patches; it lags by its average and by the horizons.
    assert cleared.at >= cleared.end + 4 * DEFAULT_CONFIG.hold - 1
    assert cleared.evidence.score == scores[np.isfinite(scores)].max() >= raised.evidence.score


def test_the_evidence_is_the_largest_deviation() -> None:
    forecasts = simulate(60)
    forecasts[0][:, :, 1] = 0.25
    forecasts[2][:, :, 1] += 0.25
    forecasts[2][40 * SECOND : 40 * SECOND + 36] += 1.5
    forecasts[2][40 * SECOND + 3, 2, 1] = -4.0
    _, (began,), state = run(tuple(part[: 41 * SECOND] for part in forecasts), start=500)
    assert state.notes.episode is not None
    largest = state.notes.episode.largest
    assert largest.sample == 500 + (40 * SECOND + 3) * PATCH + 2
    assert largest.lead == 1
    assert largest.observed == -4.0
    assert largest.predicted == pytest.approx(0.25)
    assert largest.distance == pytest.approx(42.5, rel=1e-5)
    # Sample 2 of a patch, forecast `lag` patches before, lies 4 * (lag - 1) + 3 samples ahead of the origin.
    assert largest.horizon_ms in [pytest.approx((4 * (lag - 1) + 3) / 0.36) for lag in LAGS]
    ended = anomaly_detector.finish(DEFAULT_CONFIG, state.notes, 500 + 41 * 360 - 1)
    assert ended is not None
    assert began.leads == ended.leads == ("V1",)
    assert ended.evidence is not None
    assert (ended.evidence.observed, ended.evidence.horizon_ms) == (-4.0, largest.horizon_ms)
    assert ended.evidence.predicted == largest.predicted


def test_no_score_while_learning() -> None:
    scores, events, _ = run(simulate(30, anomalous=(5, 5.3)))
    learning = WARM * BLOCK
    assert np.isnan(scores[:learning]).all()
    assert np.isfinite(scores[learning:]).all()
    assert not events


def test_the_score_is_relative_to_the_noise_of_the_patient() -> None:
    calm, rough = simulate(60, anomalous=(40, 40.4)), simulate(60)
    rough[2][:] *= 6
    rough[2][40 * SECOND : 40 * SECOND + 27] += 0.5
    calm[2][40 * SECOND : 40 * SECOND + 27] = rough[2][40 * SECOND : 40 * SECOND + 27]
    assert run(calm)[1]
    assert not run(rough)[1]


def simulate_beats(seconds: int, premature: Sequence[float] = (), broad: Sequence[float] = ()) -> Forecasts:
    """Return one predicted beat per second, and unpredicted beats: premature ones of normal shape, and broad ones.

    No normal beat comes from 0.5 s before a broad one to 0.8 s after it.
    """
    time = np.arange(seconds * 360 + HORIZON) / 360
    regular = [at + 0.1 for at in range(seconds) if not any(-0.5 < at + 0.1 - other < 0.8 for other in broad)]

    def waves(moments: Sequence[float], delay: float, width: float, height: float) -> npt.NDArray[np.float64]:
        found = np.zeros(len(time))
        for at in moments:
            found += height * np.exp(-((time - at - delay) ** 2) / (2 * width**2))
        return found

    def beats(moments: Sequence[float]) -> npt.NDArray[np.float64]:
        qrs = waves(moments, 0, 0.012, 1) + waves(moments, 0.03, 0.012, -0.25)
        return qrs + waves(moments, -0.16, 0.02, 0.1) + waves(moments, 0.25, 0.04, 0.2)

    broad_waves = waves(broad, 0, 0.03, -2) + waves(broad, 0.3, 0.07, 0.6)
    predicted = beats(regular)
    noise = np.random.default_rng(0).normal(0, 0.02, len(time))
    observed = predicted + beats(premature) + broad_waves + noise
    ahead = PATCH * np.arange(1, seconds * SECOND + 1)[:, None] + np.arange(HORIZON)
    mean = predicted[ahead][:, :, None].astype(np.float32)
    return mean, np.full_like(mean, 0.05), observed[: seconds * 360].reshape(-1, PATCH, 1)


def test_no_templates_are_stored_in_the_first_20_s_of_an_episode() -> None:
    forecasts = simulate_beats(75, broad=np.arange(40, 75, 0.5).tolist())

    def after(seconds: float) -> AnomalyState:
        mean, scale, observed = (part[: round(seconds * SECOND)] for part in forecasts)
        return run((mean, scale, observed))[2]

    before, frozen, later = (after(40.5 + since) for since in (0, MEMORY_FREEZE_S - 1, MEMORY_FREEZE_S + 9))
    np.testing.assert_array_equal(frozen.columns.templates.templates, before.columns.templates.templates)
    stored = int(before.columns.templates.stored[0])
    assert frozen.columns.templates.stored[0] == stored
    assert later.columns.templates.stored[0] == stored + 10
    slots = np.arange(stored, stored + 10) % MAX_TEMPLATES
    assert np.ptp(later.columns.templates.templates[0, 0][:, slots], axis=0) == pytest.approx(2.25, abs=0.2)


def test_a_long_run_becomes_normal() -> None:
    """After 20 s its complexes are stored; minutes later there are enough of them to end the alarm."""
    _, events, _ = run(simulate_beats(340, broad=np.arange(40, 340, 0.5).tolist()))
    raised, cleared = events
    assert isinstance(cleared, Ended)
    assert abs(raised.onset - 40 * 360) < 180
    assert 30 < (cleared.end - cleared.onset) / 360 < 240


def test_a_run_of_19_s_is_detected_until_its_end() -> None:
    _, events, _ = run(simulate_beats(80, broad=np.arange(40, 59, 0.5).tolist()))
    raised, cleared = events
    assert isinstance(raised, Began)
    assert isinstance(cleared, Ended)
    assert (cleared.end - cleared.onset) / 360 == pytest.approx(19, abs=0.5)


def test_a_broad_beat_after_a_short_run_is_detected() -> None:
    _, events, _ = run(simulate_beats(80, broad=(*np.arange(40, 46, 0.5).tolist(), 70.6)))
    assert [type(event) for event in events] == [Began, Ended, Began, Ended]
    assert abs(events[2].onset - 70.6 * 360) < 72


def test_two_anomalous_intervals_close_together_are_one_alarm() -> None:
    forecasts = simulate(80, anomalous=(40, 40.4))
    forecasts[2][41 * SECOND : round(41.4 * SECOND)] += 1.5
    forecasts[2][50 * SECOND : round(50.4 * SECOND)] += 1.5
    _, events, _ = run(forecasts)
    assert [type(event) for event in events] == [Began, Ended, Began, Ended]
    assert isinstance(events[1], Ended)
    assert abs(events[1].end - 41.4 * 360) < 12


def test_the_end_of_an_epoch_ends_the_episode() -> None:
    mean, scale, observed = (part[: 42 * SECOND] for part in simulate_beats(45, broad=np.arange(40, 45, 0.5).tolist()))
    _, events, state = run((mean, scale, observed))
    [raised] = events
    ended = anomaly_detector.finish(DEFAULT_CONFIG, state.notes, 42 * 360 + 6)
    assert ended is not None
    assert (ended.onset, ended.at, ended.reason) == (raised.onset, 42 * 360 + 6, "signal_interrupted")
    assert 41 * 360 < ended.end <= 42 * 360
    calm = run(tuple(part[: 39 * SECOND] for part in (mean, scale, observed)))[2]
    assert anomaly_detector.finish(DEFAULT_CONFIG, calm.notes, 39 * 360 - 1) is None


def test_invalid_samples_have_no_score() -> None:
    forecasts = simulate(60)
    forecasts[2][40 * SECOND : 43 * SECOND] = np.nan
    scores, events, state = run(forecasts)
    assert not events
    assert np.isnan(scores[41 * SECOND : 43 * SECOND]).all()
    assert np.isfinite(scores[43 * SECOND + CHANNEL_HISTORY + LEVEL_HISTORY + 1 :]).all()
    assert 50 <= state.columns.history.blocks[0] < 60
    assert 40 <= state.columns.history.log_odds_blocks[0] < 50


def test_a_flat_line_that_is_forecast_exactly_has_a_low_score() -> None:
    mean, scale, observed = simulate(60)
    scores, events, _ = run((mean, scale, np.zeros_like(observed)))
    assert not events
    assert np.nanmax(scores) < DEFAULT_CONFIG.release


def test_bigeminy_is_detected_for_two_minutes() -> None:
    """Up to half of the templates may be ectopic."""
    scores, events, _ = run(simulate_beats(150, broad=[at + 0.6 for at in range(20, 150, 2)]))
    assert sum(isinstance(event, Began) for event in events) >= 60
    assert np.nanmax(scores[-10 * SECOND :]) > DEFAULT_CONFIG.threshold


def test_the_history_of_levels_is_limited() -> None:
    """A louder minute raises the lowest quantile only once the quiet blocks before it are forgotten."""
    forecasts = simulate(60 + MEMORY)
    forecasts[2][60 * SECOND :] *= 2
    early, late = (
        run(tuple(part[: end * SECOND] for part in forecasts))[2].columns.history for end in (120, 60 + MEMORY)
    )
    assert early.blocks[0] == 119
    assert late.blocks[0] > MEMORY
    assert (late.quantiles[0, 0, :4] > early.quantiles[0, 0, :4] + 0.2).all()


def test_a_premature_beat_of_normal_shape_scores_lower_than_a_broad_one() -> None:
    about = slice(round(40.4 * SECOND), round(41.5 * SECOND))
    premature, _, _ = run(simulate_beats(60, premature=(40.6,)))
    broad, events, _ = run(simulate_beats(60, broad=(40.6,)))
    assert premature[about].max() < broad[about].max() - 2
    assert [type(event) for event in events] == [Began, Ended]
    assert not run(simulate_beats(60))[1]


def test_a_restart_ends_the_condition_and_forgets_the_patient() -> None:
    _, changes, state = run(simulate(30, anomalous=(29.3, 29.7)))
    assert [type(change) for change in changes] == [Began]
    columns, notes = joined([state.columns, state.columns]), [state.notes, state.notes]
    ended = anomaly_detector.restart(DEFAULT_CONFIG, columns, notes, 1, 30 * SECOND * PATCH)
    assert ended is not None
    assert (ended.onset, ended.at, ended.reason) == (changes[0].onset, 30 * SECOND * PATCH - 1, "signal_unusable")
    fresh = anomaly_detector.begin(30 * SECOND * PATCH, LEADS)
    assert pack(row(columns, 1)) == pack(fresh.columns)
    assert notes[1] == fresh.notes
    assert pack(row(columns, 0)) == pack(state.columns)
