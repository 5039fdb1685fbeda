"""State of one bed in the monitor, from its messages to the data of its sweep.

Messages and `advance` change the state; all other methods only read it.
"""

from __future__ import annotations

from collections import deque

from monitor.common.ring_buffer import FloatArray
from monitor.view.annotations import SessionAnnotations
from monitor.view.bed_alarms import BedAlarms
from monitor.view.bed_numerics import BedNumerics
from monitor.view.chart import BedChart
from monitor.view.forecast_history import ForecastHistory
from monitor.view.lane_ranges import LaneRanges
from monitor.view.playout import Playout, update_playout
from monitor.view.signal_buffer import CAPACITY, SignalBuffer
from monitor.view.trace import Drawn, Trace, View
from monitor.view.trend import Trend
from monitor.view.view_model import Arrivals, Patient
from monitor.view.wave_buffers import WaveBuffers
from stream.timebase import FS
from stream.wire import ordering
from stream.wire.bed_stream import Stream, Taken
from stream.wire.messages import Annotation, Beat, Forecast, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.score_message import Score
from stream.wire.wave_message import Wave

VITALS_TIMEOUT_S = 3.0
"""Vital signs arrive each second; older ones are not shown, s."""

HEART_SYMBOL_S = 0.1
"""How long the heart symbol is enlarged after a QRS complex, s."""

_MAX_BEATS = 64


class Bed:
    """State of one bed.

    Attributes
    ----------
    name : str
    waveform : Waveform or None
        The newest chunk.
    playout : Playout or None
    alarms : BedAlarms
    numerics : BedNumerics
    waves : WaveBuffers
        The waves of this session.
    chart : BedChart
        The hourly values, of a bed without ECG.
    gaps, duplicates : int
        Gaps in the sequence, and repeated chunks, since the start of the session.
    forecast_at_ns : int or None
        Arrival time of the last forecast of this session, or else of its first chunk.
    annotations : SessionAnnotations
        Annotations of this session.
    trend : Trend
        Trend of the last hours, across sessions.
    latest_score : Score or None
        The last score received.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.waveform: Waveform | None = None
        self.playout: Playout | None = None
        self.alarms = BedAlarms()
        self.numerics, self.waves, self.chart = BedNumerics(), WaveBuffers(), BedChart()
        self.trend = Trend()
        self.latest_score: Score | None = None
        self.gaps = 0
        self.duplicates = 0
        self.forecast_at_ns: int | None = None
        self._stream: Stream | None = None
        self._revision = 0
        self._reset(0, 1, 1)

    def _reset(self, first: int, leads: int, analysed: int) -> None:
        """Reset everything that belongs to a session."""
        self._signal = SignalBuffer(first, leads, analysed)
        self._lanes = LaneRanges()
        self._forecasts = ForecastHistory()
        self._beats: deque[int] = deque(maxlen=_MAX_BEATS)
        self.annotations = SessionAnnotations()
        self._vitals: Vitals | None = None
        self._vitals_at_ns = 0
        self._cursor: int | None = None
        self._view: View | None = None
        self._revision += 1

    # --- messages in --------------------------------------------------------------------------------------------

    def add_waveform(self, chunk: Waveform, received_ns: int, monotonic_ns: int) -> None:
        """Process a chunk; repeated chunks are counted and ignored, a new session resets the bed.

        Parameters
        ----------
        chunk : Waveform
        received_ns, monotonic_ns : int
            Unix time and monotonic time in ns at which it was received.
        """
        arrival, self._stream = ordering.receive(self._stream, chunk, monotonic_ns)
        self.duplicates += arrival.duplicate
        for taken in arrival.taken:
            self._take(taken, received_ns)

    def release(self, session: str, received_ns: int, monotonic_ns: int) -> None:
        """Process the end of a session's publisher: another one may be shown from now on."""
        if self._stream is not None:
            arrival, self._stream = ordering.release(self._stream, session, monotonic_ns)
            for taken in arrival.taken:
                self._take(taken, received_ns)

    def follow_worker(self, session: str) -> None:
        """Show the session that the worker serves, once it sends."""
        if self._stream is not None:
            self._stream = ordering.expect(self._stream, session)

    def _take(self, taken: Taken, received_ns: int) -> None:
        chunk, last = taken.chunk, self.waveform
        if last is None or last.session != chunk.session or last.leads != chunk.leads:
            self._reset(chunk.start, len(chunk.leads), len(chunk.analysed))
            self.playout = None
            self.forecast_at_ns = received_ns
            if last is None or last.session != chunk.session:
                self.gaps = self.duplicates = 0
        self.gaps += taken.check.lost_samples > 0
        self.waveform = chunk
        self.chart.clear()
        self.waves.begin(chunk.session)
        self.playout = update_playout(self.playout, chunk, received_ns)
        self._signal.add_waveform(chunk)

    def add_wave(self, chunk: Wave) -> None:
        """Process a chunk of a wave; it arrives just before the ECG of its interval."""
        self.waves.add(chunk, 0 if self.waveform is None else self.waveform.end)

    def add_numerics(self, message: Numerics, received_ns: int, *, worker: bool) -> None:
        """Process numerics; those of another session are shown once its ECG is.

        ``worker`` is False if the worker is offline: what it measured is then not shown. A bed that sends ECG becomes
        one without once the publisher of its ECG has ended.
        """
        if message.alone is not None:
            if self._stream is None or self._stream.released:
                self._stream = self.waveform = self.playout = None
                self.chart.add_numerics(message, received_ns)
            return
        session = None if self.waveform is None else self.waveform.session
        self.numerics.add(message, received_ns, session)
        if session == message.session:
            self.trend.add_readings(self.numerics.readings(session, received_ns, worker=worker), received_ns)

    def add_forecast(self, forecast: Forecast, received_ns: int) -> None:
        """Process a forecast; one of another session, of other leads, or far from the newest sample is ignored."""
        now = self.waveform
        if now is None or forecast.leads != now.analysed or not self._is_near(forecast.session, forecast.origin):
            return
        before = self._forecasts.origin_before(forecast)
        if forecast.origin <= before:
            return
        self.forecast_at_ns = received_ns
        self._forecasts.add(forecast)
        self._signal.add_forecast(forecast, before)

    def add_beat(self, beat: Beat) -> None:
        """Process a detected QRS complex and its type."""
        if self._is_near(beat.session, beat.index):
            self._beats.append(beat.index)
            self.annotations.add_beat(beat)

    def add_annotation(self, annotation: Annotation) -> None:
        """Process a reference annotation."""
        if self._is_near(annotation.session, annotation.index):
            self.annotations.add_annotation(annotation)

    def add_vitals(self, vitals: Vitals, received_ns: int) -> None:
        """Process the worker's vital signs; those of another session are ignored."""
        if self.waveform is not None and vitals.session == self.waveform.session:
            self._vitals, self._vitals_at_ns = vitals, received_ns
            self.trend.add(vitals, received_ns, self.alarms.ongoing_priority())

    def _is_near(self, session: str, index: int) -> bool:
        """Return whether a sample belongs to this session and is at most one buffer length from the newest."""
        now = self.waveform
        return now is not None and session == now.session and abs(index - now.end) <= CAPACITY

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self, now_ns: int, view: View) -> None:
        """Advance cursor, lane ranges and drawn forecast to a Unix time in ns."""
        if self.waveform is None or self.playout is None:
            return
        before = self.drawn_end
        # The cursor never moves back: after a pause the due times are later, and the cursor stays until they pass.
        cursor = self._cursor = max(self.playout.cursor(now_ns), before)
        self._view = view
        rows = view.rows(self.waveform.leads)
        if self._lanes.update(self._signal, rows, self._first_shown(cursor, view), before, cursor, view):
            self._revision += 1
        self.waves.advance(before, cursor, view.span, view.waves)
        if view.forecast:
            self._forecasts.select_fan(cursor, self.waveform.epoch_start, self._signal)
        else:
            self._forecasts.fan = None

    def _first_shown(self, cursor: int, view: View) -> int:
        return max(cursor - view.span + view.gap, self._signal.first)

    # --- queries ------------------------------------------------------------------------------------------------

    def trace(self, drawn: Drawn | None = None) -> Trace | None:
        """Return the data of the sweep as of the last `advance`; None before the first sample.

        Parameters
        ----------
        drawn : Drawn or None
            What the sweep has drawn: if it is still valid, only the rows after it are returned.
        """
        chunk, cursor, view = self.waveform, self._cursor, self._view
        if chunk is None or cursor is None or view is None:
            return None
        first = self._first_shown(cursor, view)
        rows = view.rows(chunk.leads)
        revision = self._revision + self.alarms.revision
        whole = (
            drawn is None
            or (drawn.session, drawn.revision, drawn.span) != (chunk.session, revision, view.span)
            or drawn.rows != rows
            or not first < drawn.cursor <= cursor
        )
        if drawn is not None and not whole:
            first = drawn.cursor - 1
        mv, predicted, score = self._signal.samples(first, cursor)
        waves = self.waves.latest(first, cursor, view.waves)
        return Trace(
            session=chunk.session,
            revision=revision,
            leads=tuple(chunk.leads[row] for row in rows),
            rows=rows,
            first=first,
            cursor=cursor,
            span=view.span,
            gap=view.gap,
            mv=mv[:, rows],
            predicted=predicted,
            score=score,
            threshold=self.threshold,
            fan=self._forecasts.fan,
            alarm_spans=self.alarms.alarm_spans(chunk.session, first, cursor),
            ranges=self._lanes.ranges,
            whole=whole,
            annotated=self.annotations.annotated,
            annotations=self.annotations.recent if self.annotations.annotated else (),
            waves=waves,
            wave_spans=self.alarms.wave_spans(chunk.session, first, cursor) if waves else {},
        )

    @property
    def kept(self) -> tuple[int, int]:
        """The oldest sample that may be stored, and the one after the newest."""
        return self._signal.kept

    @property
    def first_received(self) -> int:
        """The first sample received of this session with these leads."""
        return self._signal.first

    @property
    def drawn_end(self) -> int:
        """The sample after the last one drawn."""
        return self._signal.first if self._cursor is None else self._cursor

    @property
    def forecast(self) -> Forecast | None:
        """The latest forecast of this session."""
        return self._forecasts.latest

    @property
    def threshold(self) -> float | None:
        """The score from which a complex is unusual, from the latest forecast."""
        return self.forecast.threshold if self.forecast else None

    def samples(self, first: int, stop: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return observed mV, predicted mV and scores, as `SignalBuffer.samples`."""
        return self._signal.samples(first, stop)

    @property
    def score(self) -> Score | None:
        """The live score of this session."""
        score, now = self.latest_score, self.waveform
        return score if score is not None and now is not None and score.session == now.session else None

    def arrivals(self) -> Arrivals:
        """Return the arrival statistics of this bed's messages."""
        jitter_ms = None if self.playout is None else 1000 * self.playout.jitter_s
        return Arrivals(jitter_ms, self.gaps, self.duplicates)

    def patient(self, now_ns: int) -> Patient:
        """Return the patient's values at a Unix time in ns; outdated vital signs are omitted."""
        fresh = self._vitals is not None and now_ns - self._vitals_at_ns <= VITALS_TIMEOUT_S * 1e9
        cursor = self._cursor or 0
        return Patient(
            vitals=self._vitals if fresh else None,
            beating=fresh and any(0 <= cursor - beat < HEART_SYMBOL_S * FS for beat in self._beats),
            limits=self.alarms.limits,
        )
