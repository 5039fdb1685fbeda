"""Review of one alarm: the samples from 10 s before its onset to 10 s after it, if available. No Qt.

A review is rebuilt while samples are arriving. It keeps the samples that it has: the monitor may drop them, or the
session may end, while the review is open. Samples that the monitor does not have are those of the alarm store, if it
was given one (`with_strip`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from monitor.common.ring_buffer import FloatArray
from monitor.common.strip import Strip, strip_range
from monitor.common.strip_forecast import StripForecast
from monitor.view.autoscale import Range, fit_range
from monitor.view.bed import Bed
from monitor.view.forecast_curve import cubic
from monitor.view.link import STALE, LinkState, state_phrase
from monitor.view.trace import AlarmSpan, AnnotationLabel
from stream.clock import unix_ns
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Alarm
from stream.wire.alarm_texts import Phrase, phrase


@dataclass(frozen=True, slots=True)
class Review:
    """An alarm event and the samples around it.

    Attributes
    ----------
    alarm : Alarm
        The latest event of the alarm.
    raised, acknowledged : str
        Local date and time, ``YYYY-MM-DD HH:MM:SS``; empty if not received.
    alarm_span : AlarmSpan
        Samples of the alarm.
    duration_s : float
        Duration in seconds of signal; up to now while the alarm is active.
    leads : tuple of str
        Empty if no samples are available.
    gain, zero : tuple of float, tuple of int
        adu per mV, and adu at 0 mV, for each lead.
    first, stop : int
        Sample index of the first row, and after the last.
    end : int
        Index after the newest sample received, at most `stop`.
    mv, predicted : array of shape (stop - first, leads)
        Observed samples, and those predicted at least 100 ms ahead; mV, NaN where unknown.
    score : array of shape (stop - first,)
    threshold : float or None
    synthetic : bool
    notes : tuple of Phrase
        Which samples are missing, and why.
    annotations : tuple of AnnotationLabel
        Empty without reference annotations.
    """

    alarm: Alarm
    raised: str
    acknowledged: str
    alarm_span: AlarmSpan
    duration_s: float
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    first: int
    stop: int
    end: int
    mv: FloatArray
    predicted: FloatArray
    score: FloatArray
    threshold: float | None
    synthetic: bool
    notes: tuple[Phrase, ...]
    annotations: tuple[AnnotationLabel, ...] = ()

    @property
    def sample_count(self) -> int:
        """Number of samples with a value."""
        return int(np.isfinite(self.mv).any(axis=1).sum()) if self.leads else 0

    @property
    def has_gaps(self) -> bool:
        """True if samples are missing or invalid before the newest received, or if there are none."""
        return not self.leads or self.sample_count < self.end - self.first

    @property
    def ranges(self) -> tuple[Range, ...]:
        """Amplitude range of each lead, mV."""
        return tuple(fit_range(self.mv[:, lead]) or (-1.0, 1.5) for lead in range(len(self.leads)))

    @property
    def key(self) -> tuple[object, ...]:
        """Reviews of one event with equal keys are drawn identically."""
        return (
            self.alarm,
            self.alarm_span,
            round(self.duration_s),
            self.end,
            self.sample_count,
            self.acknowledged,
            self.notes,
            len(self.annotations),
        )


def build_review(bed: Bed, alarm_id: str, link: LinkState) -> Review | None:
    """Return the review of an alarm at this time; None if the alarm is unknown or dropped.

    Parameters
    ----------
    bed : Bed
    alarm_id : str
    link : LinkState
        Connection state, which determines whether more samples are expected.
    """
    alarm, now = bed.alarms.find(alarm_id), bed.waveform
    if alarm is None:
        return None
    first, stop = strip_range(alarm.onset)
    alarm_span = bed.alarms.alarm_span(alarm)
    empty = np.zeros((0, 0), np.float32)
    empty_review = Review(
        alarm=alarm,
        raised=_local(bed.alarms.event_time(alarm_id, "raised")),
        acknowledged=_local(bed.alarms.event_time(alarm_id, "acknowledged")),
        alarm_span=alarm_span,
        duration_s=alarm.duration_s,
        leads=(),
        gain=(),
        zero=(),
        first=first,
        stop=stop,
        end=first,
        mv=empty,
        predicted=empty,
        score=np.zeros(0, np.float32),
        threshold=alarm.threshold,
        synthetic=False,
        notes=(),
    )
    if now is None:
        return replace(empty_review, notes=(phrase("samples.none"),))
    if now.session != alarm.session:
        return replace(empty_review, notes=(phrase("samples.other_session"),))
    oldest, newest = bed.kept
    if alarm_span.stop is None:
        empty_review = replace(empty_review, duration_s=max((newest - alarm.onset) / FS, alarm.duration_s))
    if stop <= oldest:
        return replace(empty_review, notes=(phrase("samples.gone", why=_why_missing(bed)),))
    mv, predicted, score = bed.samples(first, stop)
    count = len(now.analysed)
    mv = mv[:, :count]
    end = min(max(newest, first), stop)
    return replace(
        empty_review,
        leads=now.analysed,
        gain=now.gain[:count],
        zero=now.zero[:count],
        end=end,
        mv=mv,
        predicted=predicted,
        score=score,
        threshold=bed.threshold if alarm.threshold is None else alarm.threshold,
        synthetic=now.synthetic,
        annotations=bed.annotations.between(first, stop) if bed.annotations.annotated else (),
        notes=_notes(mv[max(oldest - first, 0) : end - first], max(oldest - first, 0), stop - end, bed, link),
    )


def _notes(mv: FloatArray, before: int, ahead: int, bed: Bed, link: LinkState) -> tuple[Phrase, ...]:
    """Return which samples are missing: dropped at the beginning, lost within, expected or late at the end."""
    notes = []
    if before:
        notes.append(phrase("samples.first_gone", seconds=f"{before / FS:.1f}", why=_why_missing(bed)))
    lost = int(np.isnan(mv).any(axis=1).sum())
    if lost:
        notes.append(phrase("samples.lost", seconds=f"{lost / FS:.1f}"))
    if ahead and link in STALE:
        notes.append(phrase("samples.late", seconds=f"{ahead / FS:.1f}", why=state_phrase(link)))
    elif ahead:
        notes.append(phrase("samples.to_come", seconds=f"{ahead / FS:.0f}"))
    return tuple(notes)


def _why_missing(bed: Bed) -> Phrase:
    return phrase("gone.too_old" if bed.kept[0] > bed.first_received else "gone.before")


def _local(when: str) -> str:
    moment = unix_ns(when)
    return f"{datetime.fromtimestamp(moment / 1e9):%Y-%m-%d %H:%M:%S}" if moment else ""


def with_strip(review: Review, strip: Strip | None, forecast: StripForecast | None = None) -> Review:
    """Return a review with the samples of the alarm store where it has none itself, and a note that says so.

    Parameters
    ----------
    review : Review
    strip : Strip or None
        Of its alarm; None if the store has none.
    forecast : StripForecast or None
        Of that strip.
    """
    if strip is None:
        return review if review.leads else with_note(review, phrase("store.no_strip"))
    predicted = _predicted(strip, forecast)
    return _completed(review, strip, predicted) if review.leads else _from_strip(review, strip, predicted)


def with_note(review: Review, note: Phrase) -> Review:
    """Return a review with one more note."""
    return replace(review, notes=(*review.notes, note))


def _predicted(strip: Strip, forecast: StripForecast | None) -> FloatArray:
    """Return the forecast at each sample of a strip; NaN where there is none."""
    predicted = np.full((strip.stop - strip.start, len(strip.leads)), np.nan, np.float32)
    if forecast is None or forecast.leads != strip.leads:
        return predicted
    points = forecast.array().astype(np.float64)
    at, first = np.unique(points[:, 0], return_index=True)
    if len(at) < 2:
        return predicted
    sample = np.arange(max(math.ceil(at[0]), 0), min(math.floor(at[-1]) + 1, len(predicted)))
    left = np.minimum(np.searchsorted(at, sample, side="right"), len(at) - 1) - 1
    sample = sample[(np.diff(at)[left] <= STRIDE) | (sample == at[left])]  # a longer interval has no forecast
    predicted[sample] = cubic(at, points[first, 1 : 1 + len(strip.leads)], sample)
    return predicted


def _from_strip(review: Review, strip: Strip, predicted: FloatArray) -> Review:
    """Return a review with the samples of a strip alone."""
    mv = strip.mv()
    lost = int(np.isnan(mv).any(axis=1).sum())
    missing = (phrase("samples.lost", seconds=f"{lost / FS:.1f}"),) if lost else ()
    return replace(
        review,
        leads=strip.leads,
        gain=strip.gain,
        zero=strip.zero,
        first=strip.start,
        stop=strip.stop,
        end=strip.stop,
        mv=mv,
        predicted=predicted,
        score=np.full(len(mv), np.nan, np.float32),
        synthetic=review.alarm.record.split("/")[0] == "synthetic",
        notes=(phrase("store.strip" if np.isfinite(predicted).any() else "store.strip_alone"), *missing),
    )


def _completed(review: Review, strip: Strip, predicted: FloatArray) -> Review:
    """Return a review with the samples of a strip where its own are missing; unchanged if the strip adds none."""
    own = (review.first, review.stop, review.leads, review.gain, review.zero)
    if own != (strip.start, strip.stop, strip.leads, strip.gain, strip.zero):
        return review
    before, stored = np.isnan(review.mv), strip.mv()
    mv = np.where(before, stored, review.mv)
    added = before & ~np.isnan(mv)
    if not added.any():
        return review
    end = max(review.end, review.first + int(np.flatnonzero(added.any(axis=1))[-1]) + 1)
    lost = int(np.isnan(mv[: end - review.first]).any(axis=1).sum())
    missing = [phrase("samples.lost", seconds=f"{lost / FS:.1f}")] if lost else []
    seconds = f"{added.any(axis=1).sum() / FS:.1f}"
    note = phrase("store.part" if np.isfinite(predicted).any() else "store.part_alone", seconds=seconds)
    predicted = np.where(np.isnan(review.predicted), predicted, review.predicted)
    return replace(review, end=end, mv=mv, predicted=predicted, notes=(note, *missing))


def newer_review(before: Review, now: Review) -> Review:
    """Return the newer of two reviews of one event, with the samples of the one that has more."""
    if before.alarm.alarm_id != now.alarm.alarm_id or now.sample_count >= before.sample_count:
        return now
    notes = before.notes
    if before.end < before.stop:
        notes = (phrase("samples.never_came", seconds=f"{(before.stop - before.end) / FS:.1f}"),)
    return replace(
        before,
        alarm=now.alarm,
        raised=now.raised or before.raised,
        acknowledged=now.acknowledged,
        alarm_span=now.alarm_span,
        duration_s=now.duration_s,
        notes=notes,
    )


def crop(whole: Review, first: int, stop: int) -> Review:
    """Return a review of the samples ``first`` to ``stop - 1``, as far as available."""
    first, stop = max(first, whole.first), min(stop, whole.stop)
    rows = slice(first - whole.first, stop - whole.first)
    end = min(max(whole.end, first), stop)
    return replace(
        whole,
        first=first,
        stop=stop,
        end=end,
        mv=whole.mv[rows],
        predicted=whole.predicted[rows],
        score=whole.score[rows],
        annotations=tuple(label for label in whole.annotations if first <= label.index < stop),
    )
