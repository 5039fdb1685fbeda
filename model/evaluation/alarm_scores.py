"""Beats, rhythm and alarms against the annotations: the live pipeline over whole records, in one causal pass each.

- *Beats* (`model.evaluation.ec57_beats`): from 5:00, on DS2 and on all 44 records.
- *Atrial fibrillation*: second by second from 5:00; what is annotated as atrial flutter is left out.
- *Rhythm alarms* (`model.evaluation.reference_events`): over whole records. An event is found when an alarm of its
kind is raised
  from 1 s before the rule is met until ``ALLOWED_S`` after it, or lasts then; the delay counts from when it is met.
  Where a graver kind speaks for it (`model.conditions.precedence.SILENCED_BY`) and nothing else does, it is found,
  and counted apart.
- *False high-priority alarms*: those raised where neither an event of their kind, widened by ``SLACK_S``, nor
  annotated flutter lies.
- *Challenge 2015*: the monitor watches the 5 minutes before each alarm of an ICU monitor; that alarm is taken as true
  when ours has one of its kind in the last ``VERDICT_S`` seconds. Nothing after the alarm is looked at.
- *vfdb*: the annotated seconds of ventricular tachycardia, of fibrillation or flutter, of either, and of asystole, in
  alarm of that kind or not.

What becomes of the counts is in `model.evaluation.alarm_report`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from model.beats.beat_detector import Beat
from model.conditions.changes import Began, Change
from model.conditions.precedence import SILENCED_BY
from model.evaluation.alarm_report import (
    ALLOWED_S,
    SHORT,
    AlarmReport,
    ChallengeScore,
    EventScore,
    FalseAlarm,
    RecordScore,
    ratio,
)
from model.evaluation.ec57_beats import SCORED_FROM, Reference, reference_of, score
from model.evaluation.reference_events import RhythmEvent, events_of
from model.pipeline import analysis
from model.pipeline.analysis import Analysis, Models
from model.signal.arrays import BoolArray
from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm

EARLY_S = 1.0
SLACK_S = 0.15
"""A detected beat may lie this far from the annotated one, and so may an event."""

CHALLENGE: dict[str, tuple[AlarmKind, ...]] = {
    "Asystole": ("asystole",),
    "Bradycardia": ("extreme_bradycardia",),
    "Tachycardia": ("extreme_tachycardia",),
    "Ventricular_Tachycardia": ("ventricular_tachycardia", "ventricular_fibrillation"),
    "Ventricular_Flutter_Fib": ("ventricular_fibrillation",),
}
CHALLENGE_END = round(299.9 * FS)
"""The alarm sounds at 300 s; resampling looks 40 ms ahead, so the signal is cut a little before."""

VERDICT_S = 15.0

PIECE = 100 * FS

VFDB: dict[str, tuple[tuple[AlarmKind, ...], tuple[str, ...]]] = {
    "ventricular_fibrillation": (("ventricular_fibrillation",), ("VF", "VFIB", "VFL")),
    "ventricular_tachycardia": (("ventricular_tachycardia",), ("VT",)),
    "either": (("ventricular_fibrillation", "ventricular_tachycardia"), ("VF", "VFIB", "VFL", "VT")),
    "asystole": (("asystole",), ("ASYS",)),
}
"""By the name of the figure: kinds of alarm, and annotated rhythms."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the monitor made of a record.

    Attributes
    ----------
    n : int
        Samples.
    beats : tuple of Beat
    rhythm : tuple of (int, str)
        Last sample of each second, and the label told for it.
    changes : tuple of Began or Ended
    """

    n: int
    beats: tuple[Beat, ...]
    rhythm: tuple[tuple[int, Rhythm], ...]
    changes: tuple[Change, ...]

    def alarms(self, kinds: Iterable[AlarmKind]) -> list[tuple[int, int]]:
        """Return when alarms of some kinds were in force: the sample at which each was raised, and the last one."""
        wanted = frozenset(kinds)
        found = []
        for number, change in enumerate(self.changes):
            if isinstance(change, Began) and change.kind in wanted:
                later = self.changes[number + 1 :]
                stop = next((c.at for c in later if not isinstance(c, Began) and c.kind == change.kind), self.n)
                found.append((change.at, stop))
        return found


Watch = Callable[[Record], Watched]


def watcher(models: Models) -> Watch:
    """Return the live monitor, but for the forecaster: no rhythm alarm rests on a forecast."""

    def watch(record: Record) -> Watched:
        state = analysis.begin(models, record.leads, 0, 0)
        parts: list[Analysis] = []
        mv = record.mv()
        for first in range(0, record.n, PIECE):
            piece = mv[first : first + PIECE]
            found, state = analysis.step_without_forecast(models, models.alarms.limits, state, piece)
            parts.append(found)
        return Watched(
            record.n,
            tuple(beat for part in parts for beat in part.beats),
            tuple((vitals.index, vitals.rhythm) for part in parts for vitals in part.vitals),
            (*(change for part in parts for change in part.changes), *analysis.finish(state)),
        )

    return watch


def evaluate_alarms(names: Sequence[str], watch: Watch, catalog: Catalog | None = None) -> AlarmReport:
    """Watch every record and compare, with a progress bar.

    Parameters
    ----------
    names : sequence of str
        Records of MIT-BIH, such as ``100``.
    watch : callable
        Lets the monitor watch a record.
    catalog : Catalog, optional

    Raises
    ------
    RecordError
        A record of MIT-BIH is nowhere, or has no annotations.
    """
    catalog = catalog or Catalog.from_environment()
    console = Console(stderr=True)
    records = {}
    for name in track(names, description="watching mitdb", console=console, transient=True):
        record = load(f"mitdb/{name}", catalog)
        records[name] = score_record(name, record, watch(record))
    challenge: dict[str, ChallengeScore] = {}
    for name, kind, true in track(_challenge(catalog), description="challenge2015", console=console, transient=True):
        record = load(f"challenge2015/{name}", catalog)
        verdict = judge(watch(replace(record, adu=record.adu[:CHALLENGE_END])), CHALLENGE[kind])
        challenge[kind] = challenge.get(kind, ChallengeScore()) + ChallengeScore(
            tp=verdict and true, tn=not verdict and not true, fp=verdict and not true, fn=true and not verdict
        )
    seconds = {figure: np.zeros((2, 2), np.int64) for figure in VFDB}
    for name in track(_vfdb(catalog), description="watching vfdb", console=console, transient=True):
        record = load(f"vfdb/{name}", catalog)
        watched = watch(record)
        for figure, (kinds, rhythms) in VFDB.items():
            seconds[figure] += _by_second(_annotated(record, rhythms), _in_force(watched, kinds))
    vfdb = {
        figure: (ratio(s[1, 1], s[1].sum()), ratio(s[0, 0], s[0].sum()), float(s.sum()) / 3600)
        for figure, s in seconds.items()
        if s.sum()
    }
    return AlarmReport(records, challenge, vfdb)


def score_record(name: str, record: Record, watched: Watched) -> RecordScore:
    """Compare one record of MIT-BIH with its annotations.

    Raises
    ------
    RecordError
        It has none.
    """
    if record.annotations is None:
        raise RecordError(f"record {name} has no reference beats: put its .atr file beside it")
    reference = reference_of(record.annotations, record.n)
    events = events_of(reference)
    return RecordScore(
        beats=score(
            reference, [beat.index for beat in watched.beats], [beat.type for beat in watched.beats], until=record.n
        ),
        af=_score_af(record, watched),
        events={key: _find(events, watched, kind) for kind, key in SHORT.items()},
        false=tuple(
            FalseAlarm(name, kind, at / FS)
            for kind in SHORT
            for at, _ in watched.alarms([kind])
            if not _true(at, kind, events, reference)
        ),
        hours=record.n / FS / 3600,
    )


def _find(events: Sequence[RhythmEvent], watched: Watched, kind: AlarmKind) -> EventScore:
    allowed = round(ALLOWED_S[SHORT[kind]] * FS)
    own, graver = watched.alarms([kind]), watched.alarms(SILENCED_BY[kind])
    total = EventScore()
    for event in events:
        if event.kind != kind:
            continue
        near, instead = (
            [
                max(raised - event.met, 0)
                for raised, stop in alarms
                if raised <= event.met + allowed and stop >= event.met - round(EARLY_S * FS)
            ]
            for alarms in (own, graver)
        )
        delays = near or instead
        total += EventScore(1, bool(delays), bool(delays and not near), min(delays) / FS if delays else math.nan)
    return total


def _true(at: int, kind: AlarmKind, events: Sequence[RhythmEvent], reference: Reference) -> bool:
    slack = round(SLACK_S * FS)
    allowed = round(ALLOWED_S[SHORT[kind]] * FS)
    stretches = [(event.first, event.stop) for event in events if event.kind == kind] + list(reference.flutter)
    # An asystole that is a little shorter than the rule by the annotations may be a little longer by our beats.
    if kind == "asystole":
        beats = reference.sample
        long = np.flatnonzero(np.diff(beats) > 4 * FS - slack)
        stretches += [(int(beats[i]), int(beats[i + 1])) for i in long]
    return any(first - slack <= at <= stop + allowed for first, stop in stretches)


# --- by time --------------------------------------------------------------------------------------------------------


def _annotated(record: Record, rhythms: Iterable[str]) -> BoolArray:
    """Return which samples are annotated with one of some rhythms."""
    wanted = frozenset(rhythms)
    marked = np.zeros(record.n, bool)
    if record.annotations is None:
        return marked
    changes = [
        (int(at), aux[1:])
        for at, aux in zip(record.annotations.sample, record.annotations.aux, strict=True)
        if aux[:1] == "("
    ]
    for number, (at, rhythm) in enumerate(changes):
        stop = changes[number + 1][0] if number + 1 < len(changes) else record.n
        if rhythm in wanted:
            marked[at:stop] = True
    return marked


def _in_force(watched: Watched, kinds: Iterable[AlarmKind]) -> BoolArray:
    marked = np.zeros(watched.n, bool)
    for raised, stop in watched.alarms(kinds):
        marked[raised:stop] = True
    return marked


def _by_second(true: BoolArray, said: BoolArray) -> npt.NDArray[np.int64]:
    """Return the seconds, shape (2, 2): annotated or not, told or not; a second is what its middle is."""
    middle = np.arange(FS // 2, len(true), FS)
    return _table(true[middle], said[middle])


def _table(true: BoolArray, said: BoolArray) -> npt.NDArray[np.int64]:
    return np.bincount(2 * true + said, minlength=4).reshape(2, 2)


def _score_af(record: Record, watched: Watched) -> npt.NDArray[np.int64]:
    said = np.zeros(record.n, bool)
    for last, label in watched.rhythm:
        said[max(last + 1 - FS, 0) : last + 1] = label == "atrial fibrillation"
    scored = ~_annotated(record, ["AFL"])
    scored[:SCORED_FROM] = False
    middle = np.arange(FS // 2, record.n, FS)
    middle = middle[scored[middle]]
    true = _annotated(record, ["AFIB"])[middle]
    told = said[middle]
    return _table(true, told)


# --- challenge 2015 -------------------------------------------------------------------------------------------------


def judge(watched: Watched, kinds: Iterable[AlarmKind]) -> bool:
    """Return whether the monitor had an alarm of these kinds in the last seconds."""
    since = watched.n - round(VERDICT_S * FS)
    return any(stop >= since for _, stop in watched.alarms(kinds))


def _challenge(catalog: Catalog) -> list[tuple[str, str, bool]]:
    """Return record, kind of alarm and whether it was true, of the records in the local folder."""
    path = None if catalog.data_dir is None else catalog.data_dir / "challenge2015" / "ALARMS"
    if path is None or not path.is_file():
        return []
    rows = [line.split(",") for line in path.read_text().splitlines() if line.strip()]
    return [(name, kind, true.strip() == "1") for name, kind, true in rows]


def _vfdb(catalog: Catalog) -> list[str]:
    folder = None if catalog.data_dir is None else catalog.data_dir / "vfdb"
    return [] if folder is None else sorted(path.stem for path in folder.glob("*.hea"))
