"""Signal buffer: observed and predicted samples and scores, by sample index."""

from __future__ import annotations

import numpy as np

from monitor.view.signal_buffer import CAPACITY, LEAD_TIME, SignalBuffer
from stream.timebase import STRIDE
from tests.monitor.message_samples import forecast
from tests.waveforms import chunk


def buffer_of(*seqs: int) -> SignalBuffer:
    buffer = SignalBuffer(seqs[0] * 36, 1, 1)
    for seq in seqs:
        buffer.add_waveform(chunk(seq))
    return buffer


def test_samples_are_returned_by_index_and_gaps_are_nan() -> None:
    observed = buffer_of(2, 3, 5).ecg(0, 7 * 36)[:, 0]
    expected = np.full(7 * 36, np.nan)
    for seq in (2, 3, 5):
        expected[seq * 36 : (seq + 1) * 36] = chunk(seq).mv()[:, 0]
    np.testing.assert_allclose(observed, expected, rtol=1e-6)


def test_one_stride_of_a_forecast_is_stored_from_its_lead_time_on() -> None:
    buffer = buffer_of(0, 1, 2)
    buffer.add_forecast(forecast(71, mean=0.5), 35)
    _, predicted, _ = buffer.samples(0, 500)
    first = 72 + LEAD_TIME
    np.testing.assert_allclose(predicted[first : first + STRIDE, 0], 0.5, rtol=1e-5)
    assert np.flatnonzero(np.isfinite(predicted[:, 0])).tolist() == list(range(first, first + STRIDE))


def test_the_strides_of_successive_forecasts_meet() -> None:
    buffer = buffer_of(0)
    buffer.add_forecast(forecast(35, mean=1.0), -1)
    buffer.add_forecast(forecast(71, mean=2.0), 35)
    _, predicted, _ = buffer.samples(36 + LEAD_TIME, 36 + LEAD_TIME + 2 * STRIDE)
    np.testing.assert_allclose(predicted[:, 0], [1.0] * STRIDE + [2.0] * STRIDE, rtol=1e-5)


def test_a_score_applies_to_the_samples_since_the_previous_origin() -> None:
    buffer = buffer_of(0, 1, 2)
    buffer.add_forecast(forecast(35, score=1.0), -1)
    buffer.add_forecast(forecast(47, score=2.0), 35)
    buffer.add_forecast(forecast(107, score=3.0), 47)
    _, _, score = buffer.samples(0, 108)
    assert score[:36].tolist() == [1.0] * 36
    assert score[36:48].tolist() == [2.0] * 12
    assert np.isnan(score[48 : 108 - STRIDE]).all(), "after a gap, one stride at most"
    assert score[108 - STRIDE :].tolist() == [3.0] * STRIDE


def test_without_a_score_the_samples_stay_nan() -> None:
    buffer = buffer_of(0)
    buffer.add_forecast(forecast(35, score=None), -1)
    assert np.isnan(buffer.samples(0, 36)[2]).all()


def test_samples_beyond_the_capacity_are_dropped() -> None:
    buffer = SignalBuffer(0, 1, 1)
    assert buffer.kept == (0, 0)
    for seq in range(68):
        buffer.add_waveform(chunk(seq, 3600))
    first, end = buffer.kept
    assert (first, end) == (68 * 3600 - CAPACITY, 68 * 3600)
    assert np.isnan(buffer.ecg(first - 1, first)).all()
    assert np.isfinite(buffer.ecg(first, end)).all()
