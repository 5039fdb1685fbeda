"""The message of the live score: how well a worker has done so far, against the reference that the publisher sends."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from stream.wire.fields import BedName, Hex128, Index, Text
from stream.wire.messages import Message

Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Duration = Annotated[float, msgspec.Meta(ge=0, le=1e12)]

ScoreStyle = Literal["typed beats", "untyped beats", "rhythm notes", "no annotations"]
"""What the reference tells, see `model.evaluation.truth`; what it does not tell is not scored."""

ScoredRhythm = Literal["vf", "vt", "either", "asystole", "af"]


class BeatTally(msgspec.Struct, frozen=True, kw_only=True):
    """Beats found, missed, and falsely detected: sensitivity found / (found + missed), PPV found / (found + false)."""

    found: Count = 0
    missed: Count = 0
    false: Count = 0


class RhythmScore(msgspec.Struct, frozen=True, kw_only=True):
    """One rhythm, by time and by episode.

    Attributes
    ----------
    name : str
        ``vf`` ventricular fibrillation or flutter, ``vt`` ventricular tachycardia, ``either`` of them, ``asystole``,
        ``af`` atrial fibrillation.
    true_s, missed_s, false_s, other_s : int
        Seconds in the rhythm that were detected and that were not; seconds outside it that were called so, and others.
    episodes, found : int
    delay_s_median, delay_s_max : float or None
        Delay of the alarm after the definition was met, in s of signal; None if none was found.
    """

    name: ScoredRhythm
    true_s: Count = 0
    missed_s: Count = 0
    false_s: Count = 0
    other_s: Count = 0
    episodes: Count = 0
    found: Count = 0
    delay_s_median: Duration | None = None
    delay_s_max: Duration | None = None


class ScorePart(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of some duration.

    Attributes
    ----------
    qrs, veb, sveb : BeatTally
        All beats; ventricular and supraventricular ectopic beats.
    rhythms : tuple of RhythmScore
    false_alarms : int
        False alarms of high priority, without those during injections.
    false_by_kind : dict of str to int
    false_hours : float
        Hours in which they were counted.
    during_injections : int
        False alarms of high priority while something was injected, or up to 10 s later.
    """

    qrs: BeatTally
    veb: BeatTally
    sveb: BeatTally
    rhythms: Annotated[tuple[RhythmScore, ...], msgspec.Meta(max_length=8)] = ()
    false_alarms: Count = 0
    false_by_kind: dict[Text, Count] = {}
    false_hours: Duration = 0.0
    during_injections: Count = 0


class Score(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """The score of a bed.

    Attributes
    ----------
    bed, session, record, epoch
        As in `Waveform`.
    index : int
        Last scored sample of the session.
    when : str
        Wall time, UTC, RFC 3339.
    complete : bool
        Whether nothing more comes: the record has ended, or the scorer.
    whole : bool
        Whether it is complete, and the record was played once, from its first sample to its last.
    style : str
        What the reference tells.
    seconds : float
        Scored seconds of signal, with earlier passes and parts of the record.
    scored_from_s : float
        Second of the present passage from which beats and atrial fibrillation are scored: 300 if the record is long
        enough (EC57), otherwise 0.
    running_s : float
        Duration of ``running``, s of signal.
    cumulative, running : ScorePart
        Since the start, and at the end.
    """

    bed: BedName
    session: Hex128
    record: Text
    epoch: Index
    index: Index
    when: Text
    complete: bool
    whole: bool
    style: ScoreStyle
    seconds: Duration
    scored_from_s: Duration
    running_s: Duration
    cumulative: ScorePart
    running: ScorePart
