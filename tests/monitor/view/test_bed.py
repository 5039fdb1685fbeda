"""State of one bed: messages and time change it, queries do not."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.view.bed import Bed
from monitor.view.trace import Drawn, View
from stream.timebase import FS
from tests.monitor.message_samples import SECOND, forecast, sine, vitals
from tests.waveforms import SESSION, chunk


def after(*seqs: int) -> Bed:
    """Return a bed that has received these chunks."""
    bed = Bed("bed-1")
    for seq in seqs:
        bed.add_waveform(chunk(seq), chunk(seq).due_ns, chunk(seq).due_ns)
    return bed


def streamed(count: int) -> tuple[Bed, int]:
    """Return a bed after a number of chunks and forecasts, and the time of the last."""
    bed = Bed("bed-1")
    for seq in range(count):
        made = sine(seq)
        bed.add_waveform(made, made.due_ns, made.due_ns)
        bed.add_forecast(forecast(made.end - 1), made.due_ns)
    return bed, made.due_ns


def test_there_is_no_trace_before_advance() -> None:
    bed, now = streamed(20)
    assert bed.trace() is None
    bed.advance(now, View())
    assert bed.trace() is not None
    assert Bed("bed-2").trace() is None


def test_queries_do_not_change_the_state() -> None:
    bed, now = streamed(20)
    bed.advance(now, View())
    bed.add_vitals(vitals(700), now)
    one = bed.trace()
    first = (one.cursor, one.revision, one.ranges, bed.drawn_end, bed.patient(now), bed.arrivals())
    bed.trace(Drawn(one.session, one.revision, one.span, one.rows, one.cursor - 100))
    bed.patient(now + 10 * SECOND)
    again = bed.trace()
    assert (again.cursor, again.revision, again.ranges, bed.drawn_end, bed.patient(now), bed.arrivals()) == first
    np.testing.assert_array_equal(again.mv, one.mv)
    np.testing.assert_array_equal(again.fan.mean, one.fan.mean)


def test_advance_moves_the_cursor_with_time_but_never_back() -> None:
    bed, now = streamed(20)
    cursors = []
    for later_s in (0.0, 0.05, 0.02, 0.09):
        bed.advance(now + round(later_s * 1e9), View())
        cursors.append(bed.trace().cursor)
    assert cursors == sorted(cursors)
    assert cursors[1] - cursors[0] == pytest.approx(0.05 * FS, abs=1)
    assert cursors[2] == cursors[1]


def test_a_larger_signal_changes_the_range_and_redraws_the_sweep() -> None:
    bed, now = streamed(20)
    bed.advance(now, View())
    before = bed.trace()
    for seq in range(20, 40):
        made = sine(seq, samples=np.full(36, 1024 + 200 * 8, "<i2").tobytes())
        bed.add_waveform(made, made.due_ns, made.due_ns)
    bed.advance(made.due_ns, View())
    trace = bed.trace(Drawn(before.session, before.revision, before.span, before.rows, before.cursor))
    assert trace.ranges[0][1] >= 8
    assert trace.whole


def test_lost_and_repeated_chunks_are_counted() -> None:
    bed = after(3, 4, 4, 3, 7, 8)
    assert (bed.gaps, bed.duplicates) == (1, 2)
    observed, _, _ = bed.samples(3 * 36, 9 * 36)
    assert np.isnan(observed[2 * 36 : 4 * 36]).all()
    assert np.isfinite(observed[4 * 36 :]).all()


def test_a_contradictory_chunk_is_ignored() -> None:
    bed = after(0, 1)
    bed.add_waveform(chunk(2, start=36, samples=np.zeros(36, "<i2").tobytes()), 0, 0)
    assert (bed.gaps, bed.duplicates) == (0, 0)
    observed, _, _ = bed.samples(36, 72)
    np.testing.assert_allclose(observed[:, 0], chunk(1).mv()[:, 0], rtol=1e-6)
    bed.add_waveform(chunk(2), chunk(2).due_ns, chunk(2).due_ns)
    assert bed.gaps == 0
    assert bed.waveform == chunk(2)


def test_a_new_session_resets_the_counters() -> None:
    bed = after(0, 1, 0, 5, 6)
    assert (bed.gaps, bed.duplicates) == (1, 1)
    bed.release(SESSION, 0, 0)
    bed.add_waveform(chunk(1, session="f" * 32), chunk(1).due_ns, chunk(1).due_ns)
    assert (bed.gaps, bed.duplicates) == (1, 0)
    bed.release("f" * 32, 0, 0)
    bed.add_waveform(chunk(0, session="e" * 32), chunk(0).due_ns, chunk(0).due_ns)
    assert bed.gaps == 0


OTHER = "f" * 32
SECONDS = range(0, 4 * SECOND, SECOND // 10)


def add(bed: Bed, seq: int, later_ns: int, **changes: object) -> None:
    """Add a chunk, received a time after the first ones."""
    made = chunk(seq, **changes)
    bed.add_waveform(made, made.due_ns, chunk(2).due_ns + later_ns)


def test_swapped_neighbours_are_no_gap() -> None:
    bed = after(0, 1, 3, 2, 4)
    assert (bed.gaps, bed.duplicates) == (0, 0)
    observed, _, _ = bed.samples(0, 5 * 36)
    assert np.isfinite(observed).all()


def test_the_first_of_two_publishers_is_shown_until_it_is_silent() -> None:
    bed = after(0, 1)
    for seq, at_ns in enumerate(SECONDS, 2):
        add(bed, seq, at_ns)
        add(bed, seq, at_ns, session=OTHER)
    assert bed.waveform.session == SESSION
    last_ns = SECONDS[-1]
    for seq, at_ns in enumerate(SECONDS, 50):
        add(bed, seq, last_ns + at_ns, session=OTHER)
    assert bed.waveform.session == OTHER


def test_a_publisher_that_has_ended_is_replaced_at_once() -> None:
    bed = after(0, 1)
    bed.release(SESSION, 0, 0)
    add(bed, 0, 1, session=OTHER)
    assert bed.waveform.session == OTHER


def test_a_monitor_that_joins_while_two_send_shows_the_session_that_the_worker_serves() -> None:
    bed = after(0, 1, 2)
    bed.follow_worker(SESSION)
    add(bed, 3, 1, session=OTHER)
    assert bed.waveform.session == SESSION
    bed.follow_worker(OTHER)
    add(bed, 4, 2, session=OTHER)
    add(bed, 3, 3)
    add(bed, 5, 4, session=OTHER)
    add(bed, 4, 5)
    assert bed.waveform.session == OTHER
