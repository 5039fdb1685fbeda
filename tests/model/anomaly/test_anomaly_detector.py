"""Anomaly scores and episodes, on simulated forecasts, so that the right answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from model.anomaly import anomaly_detector
from model.anomaly.features import LAGS, LEVELS_KEPT, RAW_KEPT
from model.anomaly.state import DEFAULT_CONFIG, AnomalyConfig, AnomalyState
from model.conditions.changes import Began, Change, Ended

LEADS = ("MLII", "V1")
PATCH, HORIZON = 4, 96
SECOND = 90  # patches

Forecasts = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float64]]


def made_up(seconds: float, leads: int = 2, seed: int = 0, strange: tuple[float, float] = (0, 0)) -> Forecasts:
    """Return forecasts of 0 mV ± 0.1 mV that are right about ordinary noise, and samples with a strange stretch.

    Once a second the noise is larger for a tenth of it, as errors are about a QRS complex.
    """
    rng = np.random.default_rng(seed)
    k = round(seconds * SECOND)
    observed = rng.normal(0, 0.1, (k, PATCH, leads))
    time = np.arange(k) / SECOND
    observed[time % 1 < 0.1] *= 2.5
    observed[(time >= strange[0]) & (time < strange[1])] += 3
    mean = np.zeros((k, HORIZON, leads), np.float32)
    return mean, np.full_like(mean, 0.1), observed


def run(
    forecasts: Forecasts, start: int = 0, config: AnomalyConfig = DEFAULT_CONFIG
) -> tuple[npt.NDArray[np.float64], list[Change], AnomalyState]:
    """Step through forecasts."""
    state = anomaly_detector.begin(start, LEADS[: forecasts[2].shape[2]])
    found, state = anomaly_detector.step(config, state, *forecasts)
    return found.score, list(found.changes), state


def test_beds_that_step_together_do_not_touch() -> None:
    """With one and two leads, at different places of their blocks, and not always as many patches."""
    beds = [made_up(30, leads, seed, (22, 22.4)) for seed, leads in enumerate((2, 1, 2, 1))]
    states = [anomaly_detector.begin(0, LEADS[: observed.shape[2]]) for _, _, observed in beds]
    places, scores, events = [0] * len(beds), [[] for _ in beds], [[] for _ in beds]
    for turn in range(400):
        cuts = [slice(at, at + (9 if (turn + bed) % 5 else 7)) for bed, at in enumerate(places)]
        parts = [[part[own] for part in bed] for bed, own in zip(beds, cuts, strict=True)]
        stepped = anomaly_detector.step_together(DEFAULT_CONFIG, states, *zip(*parts, strict=True))
        for bed, (found, state) in enumerate(stepped):
            scores[bed].append(found.score)
            events[bed] += found.changes
            states[bed], places[bed] = state, cuts[bed].stop
    for bed, own, found in zip(beds, scores, events, strict=True):
        score, alone, _ = run(bed)
        np.testing.assert_allclose(np.concatenate(own), score, rtol=0, atol=1e-9)
        assert [(event.onset, event.at) for event in found] == [(event.onset, event.at) for event in alone]
        assert found


def test_a_strange_stretch_is_found_where_it_lies() -> None:
    start = 1000
    scores, events, _ = run(made_up(60, strange=(40, 40.3)), start=start)
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
    # Cleared once the score has been quiet for `hold` patches; it lags by its average, and by the horizons.
    assert cleared.at >= cleared.end + 4 * DEFAULT_CONFIG.hold - 1
    assert cleared.evidence.score == scores[np.isfinite(scores)].max() >= raised.evidence.score


def test_the_alarm_explains_itself_by_a_real_sample() -> None:
    forecasts = made_up(60)
    forecasts[0][:, :, 1] = 0.25
    forecasts[2][:, :, 1] += 0.25
    forecasts[2][40 * SECOND : 40 * SECOND + 36] += 1.5
    forecasts[2][40 * SECOND + 3, 2, 1] = -4.0
    _, (began,), state = run(tuple(part[: 41 * SECOND] for part in forecasts), start=500)
    assert state.episode is not None
    furthest = state.episode.furthest
    assert furthest.sample == 500 + (40 * SECOND + 3) * PATCH + 2
    assert furthest.lead == 1
    assert furthest.observed == -4.0
    assert furthest.predicted == pytest.approx(0.25)
    assert furthest.scales == pytest.approx(42.5, rel=1e-5)
    # Sample 2 of a patch, forecast `lag` patches before, lies 4 * (lag - 1) + 3 samples ahead of the origin.
    assert furthest.horizon_ms in [pytest.approx((4 * (lag - 1) + 3) / 0.36) for lag in LAGS]
    ended = anomaly_detector.finish(DEFAULT_CONFIG, state, 500 + 41 * 360 - 1)
    assert ended is not None
    assert began.leads == ended.leads == ("V1",)
    assert ended.evidence is not None
    assert (ended.evidence.observed, ended.evidence.horizon_ms) == (-4.0, furthest.horizon_ms)
    assert ended.evidence.predicted == furthest.predicted


def test_no_score_while_learning() -> None:
    scores, events, _ = run(made_up(30, strange=(5, 5.3)))
    learning = DEFAULT_CONFIG.warm * DEFAULT_CONFIG.block
    assert np.isnan(scores[:learning]).all()
    assert np.isfinite(scores[learning:]).all()
    assert not events


def test_usual_for_one_patient_is_an_alarm_for_another() -> None:
    calm, rough = made_up(60, strange=(40, 40.4)), made_up(60)
    rough[2][:] *= 6
    rough[2][40 * SECOND : 40 * SECOND + 27] += 0.5
    calm[2][40 * SECOND : 40 * SECOND + 27] = rough[2][40 * SECOND : 40 * SECOND + 27]
    assert run(calm)[1]
    assert not run(rough)[1]


def predicted_beats(seconds: int, usual: Sequence[float] = (), strange: Sequence[float] = ()) -> Forecasts:
    """Return one beat a second that is predicted well; others that are not predicted, and broad ones.

    No beat comes from 0.5 s before a broad one to 0.8 s after it.
    """
    time = np.arange(seconds * 360 + HORIZON) / 360
    regular = [at + 0.1 for at in range(seconds) if not any(-0.5 < at + 0.1 - other < 0.8 for other in strange)]

    def waves(moments: Sequence[float], delay: float, width: float, height: float) -> npt.NDArray[np.float64]:
        found = np.zeros(len(time))
        for at in moments:
            found += height * np.exp(-((time - at - delay) ** 2) / (2 * width**2))
        return found

    def beats(moments: Sequence[float]) -> npt.NDArray[np.float64]:
        qrs = waves(moments, 0, 0.012, 1) + waves(moments, 0.03, 0.012, -0.25)
        return qrs + waves(moments, -0.16, 0.02, 0.1) + waves(moments, 0.25, 0.04, 0.2)

    broad = waves(strange, 0, 0.03, -2) + waves(strange, 0.3, 0.07, 0.6)
    known = beats(regular)
    observed = known + beats(usual) + broad + np.random.default_rng(0).normal(0, 0.02, len(time))
    ahead = PATCH * np.arange(1, seconds * SECOND + 1)[:, None] + np.arange(HORIZON)
    mean = known[ahead][:, :, None].astype(np.float32)
    return mean, np.full_like(mean, 0.05), observed[: seconds * 360].reshape(-1, PATCH, 1)


def test_an_alarm_keeps_complexes_from_being_remembered_only_while_it_is_young() -> None:
    forecasts = predicted_beats(75, strange=np.arange(40, 75, 0.5).tolist())

    def remembered(seconds: float) -> npt.NDArray[np.float64]:
        mean, scale, observed = (part[: round(seconds * SECOND)] for part in forecasts)
        memory = run((mean, scale, observed))[2].templates
        return memory.templates[:, : memory.recent]

    before, young, old = (
        remembered(40.5 + since) for since in (0, anomaly_detector.FROZEN_S - 1, anomaly_detector.FROZEN_S + 9)
    )
    np.testing.assert_array_equal(young, before)
    np.testing.assert_array_equal(old[:, :-10], before[:, -old.shape[1] + 10 :])
    assert np.ptp(old[:, -10:], axis=2) == pytest.approx(2.25, abs=0.2)


def test_a_run_that_lasts_becomes_usual() -> None:
    """After 20 s its complexes are remembered; it takes minutes until so many are that the alarm ends."""
    _, events, _ = run(predicted_beats(340, strange=np.arange(40, 340, 0.5).tolist()))
    raised, cleared = events
    assert isinstance(cleared, Ended)
    assert abs(raised.onset - 40 * 360) < 180
    assert 30 < (cleared.end - cleared.onset) / 360 < 240


def test_a_run_of_19_seconds_does_not_hide_itself() -> None:
    _, events, _ = run(predicted_beats(80, strange=np.arange(40, 59, 0.5).tolist()))
    raised, cleared = events
    assert isinstance(raised, Began)
    assert isinstance(cleared, Ended)
    assert (cleared.end - cleared.onset) / 360 == pytest.approx(19, abs=0.5)


def test_a_short_run_does_not_hide_what_follows() -> None:
    _, events, _ = run(predicted_beats(80, strange=(*np.arange(40, 46, 0.5).tolist(), 70.6)))
    assert [type(event) for event in events] == [Began, Ended, Began, Ended]
    assert abs(events[2].onset - 70.6 * 360) < 72


def test_two_stretches_close_to_each_other_are_one_alarm() -> None:
    forecasts = made_up(80, strange=(40, 40.4))
    forecasts[2][41 * SECOND : round(41.4 * SECOND)] += 1.5
    forecasts[2][50 * SECOND : round(50.4 * SECOND)] += 1.5
    _, events, _ = run(forecasts)
    assert [type(event) for event in events] == [Began, Ended, Began, Ended]
    assert isinstance(events[1], Ended)
    assert abs(events[1].end - 41.4 * 360) < 12


def test_the_end_of_an_epoch_ends_an_alarm() -> None:
    mean, scale, observed = (
        part[: 42 * SECOND] for part in predicted_beats(45, strange=np.arange(40, 45, 0.5).tolist())
    )
    _, events, state = run((mean, scale, observed))
    [raised] = events
    ended = anomaly_detector.finish(DEFAULT_CONFIG, state, 42 * 360 + 6)
    assert ended is not None
    assert (ended.onset, ended.at, ended.reason) == (raised.onset, 42 * 360 + 6, "signal_interrupted")
    assert 41 * 360 < ended.end <= 42 * 360
    calm = run(tuple(part[: 39 * SECOND] for part in (mean, scale, observed)))[2]
    assert anomaly_detector.finish(DEFAULT_CONFIG, calm, 39 * 360 - 1) is None


def test_invalid_samples_are_no_anomaly() -> None:
    forecasts = made_up(60)
    forecasts[2][40 * SECOND : 43 * SECOND] = np.nan
    scores, events, state = run(forecasts)
    assert not events
    assert np.isnan(scores[41 * SECOND : 43 * SECOND]).all()
    assert np.isfinite(scores[43 * SECOND + RAW_KEPT + LEVELS_KEPT + 1 :]).all()
    assert np.isfinite(state.usual.peaks).all()
    assert np.isfinite(state.usual.log_odds).all()


def test_a_flat_line_that_is_forecast_exactly_is_no_anomaly() -> None:
    mean, scale, observed = made_up(60)
    scores, events, _ = run((mean, scale, np.zeros_like(observed)))
    assert not events
    assert np.nanmax(scores) < DEFAULT_CONFIG.release


def test_ectopy_in_half_of_all_seconds_is_still_an_anomaly() -> None:
    """Bigeminy: of what is remembered, half may be ectopic."""
    scores, events, _ = run(predicted_beats(150, strange=[at + 0.6 for at in range(20, 150, 2)]))
    assert sum(isinstance(event, Began) for event in events) >= 60
    assert np.nanmax(scores[-10 * SECOND :]) > DEFAULT_CONFIG.threshold


def test_what_is_usual_is_forgotten_with_the_memory() -> None:
    forecasts = made_up(60)
    forecasts[2][30 * SECOND :] *= 2
    short, long = (run(forecasts, config=replace(DEFAULT_CONFIG, memory=memory))[2].usual for memory in (20, 60))
    assert len(short.peaks) == 20
    assert (short.quantiles[0, :4] > long.quantiles[0, :4] + 0.2).all()


def test_a_usual_complex_at_an_unusual_moment_is_less_of_an_anomaly_than_a_strange_one() -> None:
    about = slice(round(40.4 * SECOND), round(41.5 * SECOND))
    usual, _, _ = run(predicted_beats(60, usual=(40.6,)))
    strange, events, _ = run(predicted_beats(60, strange=(40.6,)))
    assert usual[about].max() < strange[about].max() - 2
    assert [type(event) for event in events] == [Began, Ended]
    assert not run(predicted_beats(60))[1]
