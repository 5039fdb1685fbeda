"""ECG strips: 10 s before and after an alarm, or the part that was received."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alarm_log.strips import (
    HISTORY_SAMPLES,
    MAX_PENDING,
    MAX_READY,
    SILENCE_TIMEOUT_NS,
    StripRecorder,
)
from monitor.common.strip import MARGIN_SAMPLES
from stream.wire.alarm_messages import Alarm
from stream.wire.bed_places import configured_places
from stream.wire.messages import INVALID
from stream.wire.other_writers import PATIENCE_NS
from stream.wire.status_messages import BedStatus
from tests.monitor.message_samples import alarm, status
from tests.waveforms import SESSION, chunk

OTHER = "f" * 32


def stream(strips: StripRecorder, start: int, stop: int, n: int = 360, **changes: Any) -> None:
    """Push all chunks of ``n`` samples from index ``start`` to ``stop - 1``."""
    for seq in range(start // n, stop // n):
        strips.push(chunk(seq, n, **changes), 0)


def ended(session: str = SESSION) -> BedStatus:
    return status("publisher", "ended", session=session)


def expected(start: int, stop: int) -> np.ndarray:
    return (np.arange(start, stop) % 10_000)[:, np.newaxis]


@settings(max_examples=50)
@given(
    cuts=st.lists(st.integers(20, 2000), min_size=1),
    onset=st.integers(0, 20_000),
    delay=st.integers(0, HISTORY_SAMPLES - 2 * MARGIN_SAMPLES),
)
def test_the_strip_does_not_depend_on_the_chunks(cuts: list[int], onset: int, delay: int) -> None:
    strips, start, requested = StripRecorder(), 0, False
    for seq, n in enumerate(itertools.cycle(cuts)):
        samples = (np.arange(start, start + n) % 10_000).astype("<i2").tobytes()
        strips.push(chunk(seq, n, start=start, samples=samples), 0)
        start += n
        if not requested and start > onset + delay:
            strips.request(alarm(onset), 0)
            requested = True
        if requested and start >= onset + MARGIN_SAMPLES:
            break
        assert not strips.ready
    strip = strips.ready[alarm(onset).alarm_id]
    assert strip.complete
    assert strip.start == max(0, onset - MARGIN_SAMPLES)
    assert np.array_equal(strip.adu(), expected(strip.start, onset + MARGIN_SAMPLES))
    assert (strip.leads, strip.gain, strip.zero) == (("MLII",), (200.0,), (1024,))


def test_a_gap_in_the_stream_is_invalid_in_the_strip() -> None:
    strips = StripRecorder()
    stream(strips, 0, 7200)
    strips.request(alarm(6000), 0)
    stream(strips, 7920, 10_800)
    adu = strips.ready[alarm(6000).alarm_id].adu()
    assert not strips.ready[alarm(6000).alarm_id].complete
    assert (adu[7200 - 2400 : 7920 - 2400] == INVALID).all()
    assert np.array_equal(adu[: 7200 - 2400], expected(2400, 7200))
    assert np.array_equal(adu[7920 - 2400 :], expected(7920, 9600))


def test_invalid_samples_of_the_source_are_not_missing() -> None:
    strips = StripRecorder()
    strips.request(alarm(3600), 0)
    strips.push(chunk(0, 7200, samples=np.full(7200, INVALID, "<i2").tobytes()), 0)
    assert strips.ready[alarm(3600).alarm_id].complete


def _ends(strips: StripRecorder) -> None:
    strips.update_status(ended(), 0)


def _is_replaced(strips: StripRecorder) -> None:
    """Two chunks of another session after a silence."""
    for seq in range(2):
        strips.push(chunk(seq, 360, session=OTHER), PATIENCE_NS + 1)


def _is_calibrated_anew(strips: StripRecorder) -> None:
    strips.push(chunk(20, 360, gain=(100.0,)), 0)


def _falls_silent(strips: StripRecorder) -> None:
    strips.expire(SILENCE_TIMEOUT_NS)
    assert not strips.ready
    strips.expire(SILENCE_TIMEOUT_NS + 1)


def _is_left(strips: StripRecorder) -> None:
    strips.finish()


@pytest.mark.parametrize("end", [_ends, _is_replaced, _is_calibrated_anew, _falls_silent, _is_left])
def test_without_further_samples_the_strip_is_incomplete(end: Any) -> None:
    strips = StripRecorder()
    stream(strips, 0, 7200)
    strips.request(alarm(7000), 0)
    strips.request(alarm(9, session=OTHER, alarm_id="of another session"), 0)
    end(strips)
    strip = strips.ready.pop(alarm(7000).alarm_id)
    assert not strip.complete
    assert strip.start == 3400
    assert np.array_equal(strip.adu()[: 7200 - 3400], expected(3400, 7200))
    assert (strip.adu()[7200 - 3400 :] == INVALID).all()
    assert not strips.ready


def test_an_alarm_reported_after_the_end_of_the_session_has_a_strip() -> None:
    strips = StripRecorder()
    stream(strips, 0, 7200)
    strips.update_status(ended(), 0)
    strips.request(alarm(7000), 0)
    assert list(strips.ready) == [alarm(7000).alarm_id]


def test_an_alarm_reported_80_s_after_its_onset_has_a_strip() -> None:
    strips = StripRecorder()
    stream(strips, 0, 36_000)
    strips.request(alarm(7200), 0)  # 80 s ago
    assert strips.ready[alarm(7200).alarm_id].complete


def test_a_paused_session_does_not_time_out() -> None:
    strips = StripRecorder()
    stream(strips, 0, 7200)
    strips.request(alarm(7000), 0)
    strips.update_status(status("publisher", "paused"), SILENCE_TIMEOUT_NS)
    strips.expire(2 * SILENCE_TIMEOUT_NS)
    assert not strips.ready
    stream(strips, 7200, 10_800)
    assert strips.ready[alarm(7000).alarm_id].complete


def test_an_alarm_may_be_reported_before_the_first_chunk_of_its_session() -> None:
    strips = StripRecorder()
    stream(strips, 0, 720)
    early = alarm(100, session=OTHER, alarm_id="early")
    strips.request(early, 0)
    strips.update_status(ended(), 0)
    stream(strips, 0, 7200, session=OTHER)
    assert strips.ready["early"].complete


def test_an_incomplete_strip_of_an_earlier_process_is_completed() -> None:
    first, second = StripRecorder(), StripRecorder()
    stream(first, 0, 7200)
    first.request(alarm(7000), 0)
    first.finish()
    half = first.ready[alarm(7000).alarm_id]
    second.request(alarm(7000), 0, half)
    stream(second, 7200, 10_800)
    strip = second.ready[alarm(7000).alarm_id]
    assert strip.complete
    assert np.array_equal(strip.adu(), expected(3400, 10_600))


def test_an_alarm_older_than_the_history_has_no_strip() -> None:
    strips = StripRecorder()
    strips.request(alarm(7000), 0)
    stream(strips, 72_000, 108_000)
    assert not strips.ready
    strips.finish()
    assert not strips.ready


def burst(count: int, priority: str = "low", bed: str = "bed-1") -> list[Alarm]:
    return [alarm(n, alarm_id=f"{bed}-{priority}-{n}", priority=priority, bed=bed) for n in range(count)]


def test_pending_strips_are_bounded_and_high_priorities_are_kept() -> None:
    strips = StripRecorder()
    for one in [*burst(2, "high"), *burst(1000), *burst(3, bed="bed-2")]:
        strips.request(one, 0)
    stream(strips, 0, 7200)
    stream(strips, 0, 7200, bed="bed-2")
    assert list(strips.ready) == [
        *(one.alarm_id for one in burst(2, "high")),
        *(one.alarm_id for one in burst(1000)[-MAX_PENDING + 2 :]),
        *(one.alarm_id for one in burst(3, bed="bed-2")),
    ]
    assert strips.dropped == 1002 - MAX_PENDING


def test_finished_strips_are_bounded_and_high_priorities_are_kept() -> None:
    strips = StripRecorder()
    stream(strips, 0, 10_800)
    urgent = alarm(0, alarm_id="urgent", priority="high")
    strips.request(urgent, 0)
    for one in burst(1000):
        strips.request(one, 0)
    assert list(strips.ready) == ["urgent", *(one.alarm_id for one in burst(1000)[-MAX_READY + 1 :])]
    assert strips.dropped == 1001 - MAX_READY


def test_the_number_of_beds_is_bounded() -> None:
    strips = StripRecorder()
    for n in range(10 * configured_places()):
        strips.push(chunk(0, bed=f"bed-{n}"), n)
        strips.request(alarm(10, bed=f"bed-{n}"), n)
    assert len(strips._beds) == configured_places()
    assert configured_places() * (HISTORY_SAMPLES * 2 * 4) + MAX_READY * 28_800 < 28e6


def test_invented_beds_do_not_displace_the_samples_of_a_bed_that_sends() -> None:
    strips = StripRecorder()
    stream(strips, 0, 7200)
    for n in range(3000):
        strips.push(chunk(0, bed=f"invented-{n}"), n)
    strips.request(alarm(3600), 0)
    assert alarm(3600).alarm_id in strips.ready


def test_repeated_and_contradictory_chunks_change_no_strip() -> None:
    strips = StripRecorder()
    strips.request(alarm(4000), 0)
    stream(strips, 0, 7200)
    zeros = np.zeros(360, "<i2").tobytes()
    strips.push(chunk(5, 360, samples=zeros), 0)
    strips.push(chunk(20, 360, start=3600, samples=zeros), 0)
    stream(strips, 7200, 10_800)
    assert strips.rejected == 1
    assert np.array_equal(strips.ready[alarm(4000).alarm_id].adu(), expected(400, 7600))


def test_swapped_neighbours_and_another_publisher_leave_no_hole() -> None:
    strips = StripRecorder()
    stream(strips, 0, 3600)
    strips.request(alarm(5000), 0)
    for seq in (10, 12, 11, 13, 15, 14, *range(16, 30)):
        strips.push(chunk(seq, 360), 0)
        strips.push(chunk(seq, 360, session=OTHER), 0)
    strip = strips.ready[alarm(5000).alarm_id]
    assert strip.complete
    assert np.array_equal(strip.adu(), expected(1400, 8600))
    assert strips.rejected == 20


def test_the_last_chunk_after_a_loss_is_kept_when_the_publisher_ends() -> None:
    strips = StripRecorder()
    stream(strips, 0, 7200)
    strips.request(alarm(7000), 0)
    strips.push(chunk(21, 360), 0)
    strips.update_status(ended(), 0)
    strip = strips.ready[alarm(7000).alarm_id]
    assert np.array_equal(strip.adu()[7560 - 3400 : 7920 - 3400], expected(7560, 7920))
