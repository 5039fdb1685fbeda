"""One alarm to look at: 10 s before its onset to 10 s after it, as far as the monitor still has them. No Qt.

A review is made anew while its samples are still coming. What it has shown once it keeps: the monitor may forget the
samples, or the session may end, while somebody still looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import Range, fit
from monitor.view.bed import Bed
from monitor.view.link import STALE, LinkState, state_phrase
from monitor.view.trace import AlarmSpan, AnnotationLabel
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm
from stream.wire.phrases import Phrase, phrase

MARGIN = 10 * FS
"""Samples before and after the onset."""


@dataclass(frozen=True, slots=True)
class Review:
    """An event and the samples around it.

    Attributes
    ----------
    alarm : Alarm
        Its latest event.
    raised, acknowledged : str
        Local date and time, ``YYYY-MM-DD HH:MM:SS``; empty where that was not received.
    alarm_span : AlarmSpan
        Where the alarm lay.
    lasting_s : float
        Seconds of signal, until now while it lasts.
    leads : tuple of str
        Empty where no sample is left.
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    first, stop : int
        Index of the first row, and after the last.
    end : int
        After the newest sample that has come, `stop` at most.
    mv, predicted : array of shape (stop - first, leads)
        Observed, and forecast at least 100 ms before; mV, NaN where unknown.
    score : array of shape (stop - first,)
    threshold : float or None
    synthetic : bool
    notes : tuple of Phrase
        Which samples are not there and why; empty where all are.
    annotations : tuple of AnnotationLabel
        Over the beats; empty where there is no reference.
    """

    alarm: Alarm
    raised: str
    acknowledged: str
    alarm_span: AlarmSpan
    lasting_s: float
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
    def known(self) -> int:
        """How many samples are there."""
        return int(np.isfinite(self.mv).any(axis=1).sum()) if self.leads else 0

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The mV that the lane of each lead spans."""
        return tuple(fit(self.mv[:, lead]) or (-1.0, 1.5) for lead in range(len(self.leads)))

    @property
    def key(self) -> tuple[object, ...]:
        """Two reviews of one event with the same key look alike."""
        return (
            self.alarm,
            self.alarm_span,
            round(self.lasting_s),
            self.end,
            self.known,
            self.acknowledged,
            self.notes,
            len(self.annotations),
        )


def review(bed: Bed, alarm_id: str, link: LinkState) -> Review | None:
    """Return what is known of an event now; None where the alarm itself is forgotten.

    Parameters
    ----------
    bed : Bed
    alarm_id : str
    link : LinkState
        Whether more samples are coming.
    """
    alarm, now = bed.alarms.find(alarm_id), bed.waveform
    if alarm is None:
        return None
    first, stop = max(alarm.onset - MARGIN, 0), alarm.onset + MARGIN
    alarm_span = bed.alarms.alarm_span(alarm)
    empty = np.zeros((0, 0), np.float32)
    made = Review(
        alarm=alarm,
        raised=_local(bed.alarms.told(alarm_id, "raised")),
        acknowledged=_local(bed.alarms.told(alarm_id, "acknowledged")),
        alarm_span=alarm_span,
        lasting_s=alarm.duration_s,
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
        return replace(made, notes=(phrase("samples.none"),))
    if now.session != alarm.session:
        return replace(made, notes=(phrase("samples.other_session"),))
    oldest, newest = bed.kept
    if alarm_span.stop is None:
        made = replace(made, lasting_s=max((newest - alarm.onset) / FS, alarm.duration_s))
    if stop <= oldest:
        return replace(made, notes=(phrase("samples.gone", why=_why_gone(bed)),))
    mv, predicted, score = bed.samples(first, stop)
    end = min(max(newest, first), stop)
    return replace(
        made,
        leads=now.leads,
        gain=now.gain,
        zero=now.zero,
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
    """Return which samples are not there: gone at the beginning, lost between, to come at the end."""
    notes = []
    if before:
        notes.append(phrase("samples.first_gone", seconds=f"{before / FS:.1f}", why=_why_gone(bed)))
    lost = int(np.isnan(mv).any(axis=1).sum())
    if lost:
        notes.append(phrase("samples.lost", seconds=f"{lost / FS:.1f}"))
    if ahead and link in STALE:
        notes.append(phrase("samples.late", seconds=f"{ahead / FS:.1f}", why=state_phrase(link)))
    elif ahead:
        notes.append(phrase("samples.to_come", seconds=f"{ahead / FS:.0f}"))
    return tuple(notes)


def _why_gone(bed: Bed) -> Phrase:
    return phrase("gone.forgotten" if bed.kept[0] > bed.began else "gone.before")


def _local(when: str) -> str:
    moment = unix_ns(when)
    return f"{datetime.fromtimestamp(moment / 1e9):%Y-%m-%d %H:%M:%S}" if moment else ""


def later(before: Review, now: Review) -> Review:
    """Return the newer of two reviews of one event, with the samples of whichever has more."""
    if before.alarm.alarm_id != now.alarm.alarm_id or now.known >= before.known:
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
        lasting_s=now.lasting_s,
        notes=notes,
    )


def part(whole: Review, first: int, stop: int) -> Review:
    """Return a review of fewer samples, from ``first`` to ``stop - 1`` as far as the whole has them."""
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
