"""What the monitor knows of one bed: samples, forecasts, scores and alarms, each placed by its sample index.

Which forecast is drawn
-----------------------
The cursor lies 0.1 s and a chunk behind the newest sample, so forecasts made of samples that are not yet on the
screen are already here. They are held back: the fan ahead of the cursor is the latest forecast whose origin has been
drawn. Whoever looks at it has seen all that the forecaster had seen, and may guess with it. The ghost beneath the
trace is, for each sample, the latest forecast made at least 100 ms before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from monitor.common.ring_buffer import FloatArray, Ring
from monitor.view.annotations import Marks
from monitor.view.autoscale import Range, adapt, place
from monitor.view.bed_alarms import BedAlarms
from monitor.view.playout import Playout, follow
from monitor.view.trend import Trend
from monitor.view.view_model import GAP_S, Drawn, Fan, Numbers, Patient, Pauses, Trace, View
from stream.clock import unix_ns
from stream.errors import MessageError
from stream.timebase import FS, STRIDE
from stream.wire import continuity
from stream.wire.messages import Annotation, Beat, Forecast, Vitals, Waveform

GAP = round(GAP_S * FS)
GHOST = 36
"""The ghost was forecast at least so many samples (100 ms) before."""

BAND = 1.645
"""Standard deviations to each side that hold 90 % of a normal distribution."""

SKILL_HORIZON = 18
"""Samples ahead (50 ms) at which the forecast is compared with persistence."""

VITALS_S = 3.0
"""Vitals come each second; older ones are not of now."""

HEART_S = 0.1
"""How long the heart symbol stays large after a QRS."""

ABOVE = frozenset({"heart_rate_high", "extreme_tachycardia", "ventricular_tachycardia"})
BELOW = frozenset({"heart_rate_low", "extreme_bradycardia", "asystole"})
"""Alarms in which the heart rate is above or below its limits."""

_CAPACITY = 11 * 60 * FS
_FORECASTS = 256
_BEATS = 64
_SKILL_COUNT = 600


@dataclass(frozen=True, slots=True)
class _Pending:
    origin: int
    predicted: float


class Bed:
    """The state of one bed.

    Attributes
    ----------
    name : str
    waveform : Waveform or None
        The newest chunk.
    playout : Playout or None
    alarms : BedAlarms
    gaps, duplicates : int
        Breaks in the sequence (samples lost, or a chunk that contradicts the one before and is left out), and chunks
        received again, since the session began.
    forecast_at_ns : int or None
        When the last forecast of this session arrived, or the session's first chunk.
    marks : Marks
        Of this session.
    trend : Trend
        Of the last hours, whatever sessions they were.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.waveform: Waveform | None = None
        self.playout: Playout | None = None
        self.alarms = BedAlarms()
        self.trend = Trend()
        self.gaps = 0
        self.duplicates = 0
        self._position: continuity.Continuity | None = None
        self.forecast_at_ns: int | None = None
        self._revision = 0
        self._start_anew(1)

    def _start_anew(self, leads: int) -> None:
        self._ecg = Ring(_CAPACITY, leads)
        self._ghost = Ring(_CAPACITY, leads)
        self._score = Ring(_CAPACITY)
        self._ranges: list[Range | None] = [None] * leads
        self._forecasts: deque[Forecast] = deque(maxlen=_FORECASTS)
        self._pending: deque[_Pending] = deque(maxlen=_FORECASTS)
        self._errors: deque[tuple[float, float]] = deque(maxlen=_SKILL_COUNT)
        self._error_sums = [0.0, 0.0]
        self._beats: deque[int] = deque(maxlen=_BEATS)
        self.marks = Marks()
        self._vitals: Vitals | None = None
        self._vitals_at_ns = 0
        self._cursor: int | None = None
        self._view: View | None = None
        self._inside: np.ndarray | None = None
        self._fan_made: Fan | None = None
        self._first = 0
        self._revision += 1

    # --- messages in --------------------------------------------------------------------------------------------

    def take_waveform(self, chunk: Waveform, received_ns: int) -> None:
        """Place a chunk; one that was received before is counted and left out, a new session starts all anew."""
        last = self.waveform
        try:
            arrival, self._position = continuity.follow(self._position, chunk)
        except MessageError:
            self.gaps += 1
            return
        if arrival.duplicate:
            self.duplicates += 1
            return
        if last is None or last.session != chunk.session or last.leads != chunk.leads:
            self._start_anew(len(chunk.leads))
            self._first = chunk.start
            self.playout = None
            self.forecast_at_ns = received_ns
            if last is None or last.session != chunk.session:
                self.gaps = self.duplicates = 0
        if arrival.lost_samples:
            self.gaps += 1
        self.waveform = chunk
        self.playout = follow(self.playout, chunk, received_ns)
        self._ecg.put(chunk.start, chunk.mv())
        self._judge()

    def take_forecast(self, forecast: Forecast, received_ns: int) -> None:
        """Place a forecast; one of another session, of other leads, or of samples far from here, has no place."""
        now = self.waveform
        if now is None or forecast.session != now.session or forecast.leads != now.leads:
            return
        if abs(forecast.origin - now.end) > _CAPACITY:
            return
        before = self._forecasts[-1].origin if self._forecasts else forecast.origin - STRIDE
        if forecast.origin <= before:
            return
        self.forecast_at_ns = received_ns
        self._forecasts.append(forecast)
        mean = forecast.mean_mv()
        self._ghost.put(forecast.origin + 1 + GHOST, mean[GHOST:])
        stride = min(forecast.origin - before, STRIDE)
        score = np.nan if forecast.score is None else forecast.score
        self._score.put(forecast.origin + 1 - stride, np.full(stride, score))
        if len(mean) >= SKILL_HORIZON:
            self._pending.append(_Pending(forecast.origin, float(mean[SKILL_HORIZON - 1, 0])))
        self._judge()

    def take_beat(self, beat: Beat) -> None:
        """Remember where a QRS was detected, and of which type it is."""
        if self._is_here(beat.session, beat.index):
            self._beats.append(beat.index)
            self.marks.take_beat(beat)

    def take_annotation(self, annotation: Annotation) -> None:
        """Remember what the reference says of a sample."""
        if self._is_here(annotation.session, annotation.index):
            self.marks.take_annotation(annotation)

    def _is_here(self, session: str, index: int) -> bool:
        """Return whether a sample is of this session, and not far from here."""
        now = self.waveform
        return now is not None and session == now.session and abs(index - now.end) <= _CAPACITY

    def take_vitals(self, vitals: Vitals, received_ns: int) -> None:
        """Take the worker's numbers; those of another session say nothing of this one."""
        if self.waveform is not None and vitals.session == self.waveform.session:
            self._vitals, self._vitals_at_ns = vitals, received_ns
            self.trend.take(vitals, received_ns, self.alarms.lasting())

    def _judge(self) -> None:
        """Compare the forecasts that have come true with persistence, on the first lead."""
        assert self.waveform is not None
        while self._pending and self._pending[0].origin + SKILL_HORIZON < (self._ecg.end or 0):
            pending = self._pending.popleft()
            pair = self._ecg.get(pending.origin, pending.origin + SKILL_HORIZON + 1)[[0, -1], 0]
            # A forecast made before a break of continuity has nothing to say about what follows it.
            if np.isfinite(pair).all() and pending.origin >= self.waveform.epoch_start:
                self._note_errors(abs(pending.predicted - float(pair[1])), abs(float(pair[0] - pair[1])))

    def _note_errors(self, *errors: float) -> None:
        gone = self._errors[0] if len(self._errors) == _SKILL_COUNT else (0.0, 0.0)
        self._errors.append((errors[0], errors[1]))
        self._error_sums = [total + new - old for total, new, old in zip(self._error_sums, errors, gone, strict=True)]

    # --- picture out --------------------------------------------------------------------------------------------

    def trace(self, now_ns: int, view: View, drawn: Drawn | None = None) -> Trace | None:
        """Advance the cursor to this moment and return what lies on the sweep; None before the first sample.

        Parameters
        ----------
        now_ns : int
            Unix time.
        view : View
        drawn : Drawn or None
            What the sweep shows already: where it still holds, only the rows after it are handed over.
        """
        if self.waveform is None or self.playout is None:
            return None
        before = self._cursor if self._cursor is not None else self._first
        # Never back: after a pause the sender's due times move, and the cursor waits for them.
        cursor = self._cursor = max(self.playout.cursor(now_ns), before)
        first = max(cursor - view.span + GAP, self._first)
        leads = self.waveform.leads[: view.most_leads]
        self._adapt(first, before, cursor, view)
        revision = self._revision + self.alarms.revision
        whole = (
            drawn is None
            or (drawn.session, drawn.revision, drawn.span) != (self.waveform.session, revision, view.span)
            or drawn.leads != len(leads)
            or not first < drawn.cursor <= cursor
        )
        if drawn is not None and not whole:
            first = drawn.cursor - 1
        return Trace(
            session=self.waveform.session,
            revision=revision,
            leads=leads,
            first=first,
            cursor=cursor,
            span=view.span,
            gap=GAP,
            mv=self._ecg.get(first, cursor)[:, : len(leads)],
            ghost=self._ghost.get(first, cursor)[:, : len(leads)],
            score=self._score.get(first, cursor)[:, 0],
            threshold=self.threshold,
            fan=self._fan(cursor, len(leads)),
            stretches=self.alarms.stretches(self.waveform.session, first, cursor),
            ranges=tuple(r or (-1.0, 1.5) for r in self._ranges[: len(leads)]),
            whole=whole,
            annotated=self.marks.annotated,
            marks=self.marks.recent if self.marks.annotated else (),
        )

    @property
    def kept(self) -> tuple[int, int]:
        """The oldest sample that may still be here, and the one after the newest."""
        end = self._ecg.end or self._first
        return max(self._first, end - _CAPACITY), end

    @property
    def began(self) -> int:
        """The first sample of this session, with these leads, that came here."""
        return self._first

    @property
    def drawn(self) -> int:
        """The sample after the last one drawn."""
        return self._first if self._cursor is None else self._cursor

    @property
    def threshold(self) -> float | None:
        """The score at which a residual alarm is raised, as the latest forecast says."""
        return self._forecasts[-1].threshold if self._forecasts else None

    def samples(self, first: int, stop: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return observed and forecast mV, shape (stop - first, leads), and scores; NaN where unknown or gone."""
        return self._ecg.get(first, stop), self._ghost.get(first, stop), self._score.get(first, stop)[:, 0]

    def _adapt(self, first: int, before: int, cursor: int, view: View) -> None:
        """Move the lanes where a new sample would be cut off, where the sweep starts anew, and for another view."""
        at_wrap = cursor // view.span != before // view.span
        if view == self._view and not at_wrap and self._inside is not None:
            new = self._ecg.get(before, cursor)
            if not ((new < self._inside[0]) | (new > self._inside[1])).any():
                return
        if self._view is not None and (view.tall_mv is None) != (self._view.tall_mv is None):
            self._ranges = [None] * len(self._ranges)
        self._view = view
        mv = self._ecg.get(first, cursor)
        if view.tall_mv is None:
            ranges = [adapt(current, mv[:, lead], at_wrap) for lead, current in enumerate(self._ranges)]
        else:
            tall = view.tall_mv[len(self._ranges) - 1]
            ranges = [place(current, mv[:, lead], tall, at_wrap) for lead, current in enumerate(self._ranges)]
        if ranges != self._ranges:
            self._ranges = ranges
            self._revision += 1
        known = [span for span in ranges if span is not None]
        self._inside = np.array(known, np.float32).T if len(known) == len(ranges) else None

    def _fan(self, cursor: int, leads: int) -> Fan | None:
        drawn = next((f for f in reversed(self._forecasts) if f.origin < cursor), None)
        if drawn is None:
            return None
        if self.waveform is not None and drawn.origin < self.waveform.epoch_start < cursor:
            return None  # made before the break of continuity that has just been drawn
        fan = self._fan_made
        if fan is None or fan.first != drawn.origin + 1 or fan.mean.shape[1] != leads:
            mean, half = drawn.mean_mv()[:, :leads], BAND * drawn.scale_mv()[:, :leads]
            fan = self._fan_made = Fan(drawn.origin + 1, mean, mean - half, mean + half)
        return fan if fan.first + len(fan.mean) > cursor else None

    def numbers(self) -> Numbers:
        """Return the engineer's numbers."""
        latest = self._forecasts[-1] if self._forecasts else None
        forecast_mv = persistence_mv = None
        if self._errors:
            forecast_mv, persistence_mv = (max(total, 0.0) / len(self._errors) for total in self._error_sums)
        return Numbers(
            score=latest.score if latest else None,
            threshold=latest.threshold if latest else None,
            forecast_mv=forecast_mv,
            persistence_mv=persistence_mv,
            jitter_ms=None if self.playout is None else 1000 * self.playout.jitter_s,
            gaps=self.gaps,
            duplicates=self.duplicates,
        )

    def patient(self, now_ns: int) -> Patient:
        """Return what the worker says of the patient now."""
        settings = self.alarms.settings
        low = high = broken = None
        if settings is not None:
            low, high = settings.limits.heart_rate_low, settings.limits.heart_rate_high
            lasting = {alarm.kind for alarm in settings.alarms if alarm.end is None}
            broken = "low" if lasting & BELOW else "high" if lasting & ABOVE else None
        cursor = self._cursor or 0
        beating = any(0 <= cursor - beat < HEART_S * FS for beat in self._beats)
        vitals = self._vitals
        if vitals is None or now_ns - self._vitals_at_ns > VITALS_S * 1e9:
            return Patient(low=low, high=high, broken=broken)
        return Patient(
            heart_rate=None if vitals.heart_rate is None else round(vitals.heart_rate),
            pvc_per_min=vitals.pvc_per_min,
            rhythm="" if vitals.rhythm == "unknown" else vitals.rhythm,
            quality=vitals.quality,
            beating=beating,
            low=low,
            high=high,
            broken=broken,
        )

    def pauses(self, now_ns: int) -> Pauses:
        """Return how long tone and alarms stay paused."""
        settings = self.alarms.settings
        if settings is None:
            return Pauses()
        left = [
            0 if until is None else max(-((now_ns - unix_ns(until)) // 1_000_000_000), 0)
            for until in (settings.audio_paused_until, settings.alarms_paused_until)
        ]
        return Pauses(*left)
