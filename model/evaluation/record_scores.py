"""All scores of one record; scores of records can be added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from model.conditions.changes import Began
from model.evaluation.challenge2015 import ChallengeScore, ToVerify, verify
from model.evaluation.ec57_beats import BeatScores, Tally, score
from model.evaluation.episodes import EpisodeScore, find
from model.evaluation.false_alarms import FalseAlarm, false_alarms, fibrillation_over_beats
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.rhythm_time import by_time
from model.evaluation.truth import Truth
from model.evaluation.windows import by_window
from model.signal.arrays import IntArray
from stream.timebase import FS

Added = TypeVar("Added", EpisodeScore, ChallengeScore, IntArray)


@dataclass(frozen=True)
class Scores:
    """Scores of one record or of several together.

    Attributes
    ----------
    beats : BeatScores
    by_time, windows : dict of str to ndarray of int64, shape (2, 2)
        Confusion matrices of seconds and of windows. Row: annotated, column: detected.
    episodes : dict of str to EpisodeScore
    false : tuple of FalseAlarm
    false_hours : float
        Hours in which alarms can be false.
    fibrillation_over_beats : int
    over_beats_hours : float
        See `model.evaluation.false_alarms`.
    challenge : dict of str to ChallengeScore
        By kind of alarm.
    entries : Counter of str
        Raised alarms of all priorities, by kind; without residual alarms, which need the forecast.
    af_s, seconds : int
        Seconds labelled as atrial fibrillation, and all seconds.
    """

    beats: BeatScores = field(default_factory=BeatScores)
    by_time: Mapping[str, IntArray] = field(default_factory=dict)
    windows: Mapping[str, IntArray] = field(default_factory=dict)
    episodes: Mapping[str, EpisodeScore] = field(default_factory=dict)
    false: tuple[FalseAlarm, ...] = ()
    false_hours: float = 0.0
    fibrillation_over_beats: int = 0
    over_beats_hours: float = 0.0
    challenge: Mapping[str, ChallengeScore] = field(default_factory=dict)
    entries: Counter[str] = field(default_factory=Counter)
    af_s: int = 0
    seconds: int = 0

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            beats=self.beats + other.beats,
            by_time=_added(self.by_time, other.by_time),
            windows=_added(self.windows, other.windows),
            episodes=_added(self.episodes, other.episodes),
            false=self.false + other.false,
            false_hours=self.false_hours + other.false_hours,
            fibrillation_over_beats=self.fibrillation_over_beats + other.fibrillation_over_beats,
            over_beats_hours=self.over_beats_hours + other.over_beats_hours,
            challenge=_added(self.challenge, other.challenge),
            entries=self.entries + other.entries,
            af_s=self.af_s + other.af_s,
            seconds=self.seconds + other.seconds,
        )


def _added(one: Mapping[str, Added], other: Mapping[str, Added]) -> dict[str, Added]:
    total = dict(one)
    for key, value in other.items():
        total[key] = total[key] + value if key in total else value
    return total


def score_record(name: str, truth: Truth, output: MonitorOutput, alarm: ToVerify | None = None) -> Scores:
    """Compare the monitor's output on one record with its annotations.

    Parameters
    ----------
    name : str
    truth : Truth
    output : MonitorOutput
    alarm : ToVerify, optional
        An alarm at the end of the record, as in the Challenge 2015.
    """
    false, false_hours = false_alarms(name, truth, output)
    over_beats, over_beats_hours = fibrillation_over_beats(truth, output)
    return Scores(
        beats=_beats(truth, output),
        by_time=by_time(truth, output),
        windows=by_window(truth, output),
        episodes={key: find(events, output, key, truth.style) for key, events in truth.events.items()},
        false=false,
        false_hours=false_hours,
        fibrillation_over_beats=over_beats,
        over_beats_hours=over_beats_hours,
        challenge={} if alarm is None else {alarm.kind: verify(alarm, output)},
        entries=Counter(change.kind for change in output.changes if isinstance(change, Began)),
        af_s=sum(label == "atrial fibrillation" for _, label in output.rhythm),
        seconds=output.n // FS,
    )


def _beats(truth: Truth, output: MonitorOutput) -> BeatScores:
    if not len(truth.reference.sample):
        return BeatScores()
    typed = truth.style == "typed beats"
    # Beats after a fibrillation are annotated by fits and starts where nobody typed them.
    until = truth.n if typed or truth.onset is None else truth.onset
    index, label = [beat.index for beat in output.beats], [beat.type for beat in output.beats]
    scores = score(truth.reference, index, label, since=truth.scored_from, until=until)
    return scores if typed else replace(scores, veb=Tally(), sveb=Tally())
