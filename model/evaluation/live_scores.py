"""The score of a bed while it streams: what the worker says against the reference that the publisher sends.

At each report, all that was received is scored by the functions that score whole records
(`model.evaluation.record_scores`), so a record that was played from its start to its end has the score of
``bedside evaluate``. While it streams, the last second is left out: its beats may still be reported.

False alarms that were raised while something was injected, or up to `AFTER_S` later, are counted apart: they answer
what was done to the signal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args

from model.evaluation.database_report import scores_dict
from model.evaluation.ec57_beats import BeatScores, Tally
from model.evaluation.episodes import EpisodeScore
from model.evaluation.false_alarms import AFTER_S, FalseAlarm
from model.evaluation.passages import Passage, Passages, is_reference
from model.evaluation.record_scores import Scores, score_record
from stream.timebase import FS
from stream.wire.messages import Message
from stream.wire.score_message import BeatTally, RhythmScore, Score, ScoredRhythm, ScorePart

RUNNING_S: Final = 300.0
"""Duration of the running score, in s of signal."""

RHYTHMS: Final[tuple[ScoredRhythm, ...]] = get_args(ScoredRhythm)


@dataclass(frozen=True)
class LiveScores:
    """Scores of a bed at some moment.

    Attributes
    ----------
    scores : Scores
        Without the false alarms during injections.
    injected : tuple of FalseAlarm
        These.
    """

    scores: Scores = field(default_factory=Scores)
    injected: tuple[FalseAlarm, ...] = ()

    def __add__(self, other: LiveScores) -> LiveScores:
        return LiveScores(self.scores + other.scores, self.injected + other.injected)


def score_passage(passage: Passage, n: int) -> LiveScores:
    """Return the scores of the first ``n`` samples of a passage."""
    if not n:
        return LiveScores()
    scores = score_record(passage.record, passage.truth(n), passage.output(n))
    after = round(AFTER_S * FS)
    spans = [(first, stop + after) for first, stop in passage.injected(n)]
    injected = [alarm for alarm in scores.false if any(first <= round(alarm.at_s * FS) < stop for first, stop in spans)]
    own = tuple(alarm for alarm in scores.false if alarm not in injected)
    return LiveScores(replace(scores, false=own), tuple(injected))


class BedScore:
    """The score of one bed.

    Parameters
    ----------
    bed : str

    Attributes
    ----------
    annotated : bool
        Whether any reference has come.
    cumulative, running : LiveScores
        Of the last report: since the start, and in the last `RUNNING_S` of signal.
    """

    def __init__(self, bed: str) -> None:
        self.bed = bed
        self.annotated = False
        self.cumulative = self.running = LiveScores()
        self._passages = Passages()
        self._past = LiveScores()
        self._past_samples = 0
        self._earlier = False
        self._reports: list[tuple[int, LiveScores]] = []

    def receive(self, message: Message) -> None:
        """Add a message of the bed: of its publisher, or of its worker."""
        self._passages.receive(message)
        self.annotated |= is_reference(message)

    def report(self, when: str, *, complete: bool) -> Score | None:
        """Score what has been received; None before there is anything.

        Parameters
        ----------
        when : str
            Wall time, UTC, RFC 3339.
        complete : bool
            Whether nothing more comes: the last second is scored, too.
        """
        passages = self._passages.passages
        if not passages:
            return None
        while len(passages) > 1 and passages[1].known:  # the worker has gone on: this epoch is over
            over = passages.pop(0)
            self._past += score_passage(over, over.end)
            self._past_samples += over.end
            self._earlier = True
        now = passages[-1]
        ends = [passage.end if complete else passage.settled() for passage in passages]
        total = sum(map(score_passage, passages, ends), self._past)
        n, samples = ends[-1], self._past_samples + sum(ends)
        self.cumulative, self.running = total, total
        earlier = [report for report in self._reports if samples - report[0] >= RUNNING_S * FS]
        if earlier:
            self.running = since(total, earlier[-1][1])
            self._reports = self._reports[len(earlier) - 1 :]
        self._reports.append((samples, total))
        truth = now.truth(n)
        return Score(
            bed=self.bed,
            session=now.session,
            record=now.record,
            epoch=now.epoch,
            index=max(now.first + n - 1, 0),
            when=when,
            complete=complete,
            whole=complete and now.is_whole and not self._earlier and len(passages) == 1,
            style=truth.style,
            seconds=samples / FS,
            scored_from_s=truth.scored_from / FS,
            running_s=RUNNING_S,
            cumulative=part(total),
            running=part(self.running),
        )

    def to_dict(self, score: Score) -> dict[str, Any]:
        """Return the last report for JSON; the keys of the scores are those of ``bedside evaluate --database``."""
        heads = (
            "bed",
            "session",
            "record",
            "when",
            "complete",
            "whole",
            "style",
            "seconds",
            "scored_from_s",
            "running_s",
        )
        return {
            **{name: getattr(score, name) for name in heads},
            "cumulative": _to_dict(self.cumulative),
            "running": _to_dict(self.running),
        }


def _to_dict(live: LiveScores) -> dict[str, Any]:
    injected = Counter(alarm.kind for alarm in live.injected)
    return {**scores_dict(live.scores), "false_high_during_injections": {"n": len(live.injected), "by_kind": injected}}


def since(now: LiveScores, before: LiveScores) -> LiveScores:
    """Return what has been added to the scores since an earlier report."""
    a, b = now.scores, before.scores
    return LiveScores(
        Scores(
            beats=BeatScores(
                *(_less(getattr(a.beats, name), getattr(b.beats, name)) for name in ("qrs", "veb", "sveb"))
            ),
            by_time={key: own - b.by_time[key] if key in b.by_time else own for key, own in a.by_time.items()},
            windows={key: own - b.windows[key] if key in b.windows else own for key, own in a.windows.items()},
            episodes={key: _later(own, b.episodes.get(key, EpisodeScore())) for key, own in a.episodes.items()},
            false=a.false[len(b.false) :],
            false_hours=a.false_hours - b.false_hours,
            fibrillation_over_beats=a.fibrillation_over_beats - b.fibrillation_over_beats,
            over_beats_hours=a.over_beats_hours - b.over_beats_hours,
            entries=a.entries - b.entries,
            af_s=a.af_s - b.af_s,
            seconds=a.seconds - b.seconds,
        ),
        now.injected[len(before.injected) :],
    )


def _less(a: Tally, b: Tally) -> Tally:
    """Return a difference of counts; what a later beat has settled otherwise may not make it negative."""
    return Tally(max(a.found - b.found, 0), max(a.missed - b.missed, 0), max(a.false - b.false, 0))


def _later(a: EpisodeScore, b: EpisodeScore) -> EpisodeScore:
    return EpisodeScore(
        a.events - b.events, max(a.found - b.found, 0), max(a.by_graver - b.by_graver, 0), a.delays_s[len(b.delays_s) :]
    )


def part(live: LiveScores) -> ScorePart:
    """Return scores as a part of the message."""
    scores = live.scores
    beats = {
        name: BeatTally(found=tally.found, missed=tally.missed, false=tally.false)
        for name, tally in (("qrs", scores.beats.qrs), ("veb", scores.beats.veb), ("sveb", scores.beats.sveb))
    }
    return ScorePart(
        **beats,
        rhythms=tuple(_rhythm(scores, key) for key in RHYTHMS if key in scores.by_time or key in scores.episodes),
        false_alarms=len(scores.false),
        false_by_kind=dict(_by_kind(scores.false)),
        false_hours=scores.false_hours,
        during_injections=len(live.injected),
    )


def _by_kind(alarms: tuple[FalseAlarm, ...]) -> Mapping[str, int]:
    return Counter(alarm.kind for alarm in alarms)


def _rhythm(scores: Scores, key: ScoredRhythm) -> RhythmScore:
    (tn, fp), (fn, tp) = scores.by_time[key].tolist() if key in scores.by_time else ((0, 0), (0, 0))
    episodes = scores.episodes.get(key, EpisodeScore())
    found = bool(episodes.delays_s)
    return RhythmScore(
        name=key,
        true_s=tp,
        missed_s=fn,
        false_s=fp,
        other_s=tn,
        episodes=episodes.events,
        found=episodes.found,
        delay_s_median=episodes.delay_s_median if found else None,
        delay_s_max=episodes.delay_s_max if found else None,
    )
