"""Finds the episodes of rhythms in the annotations of a record, for the index in `stream.records.episodes`.

- *Rhythm notes* are taken as they are, except noise. Notes of the same rhythm that touch are one.
- *Fibrillation* between ``[`` and ``]`` is ``VF``, unless a note names it.
- *Typed beats* give what no note names, by the definitions of `model.evaluation.reference_events`: five ventricular
  beats at more than 100/min (``VT``), no beat for 4 s (``ASYS``), five beats at less than 40/min (``BRADY``); and in
  records without rhythm notes five supraventricular ectopic beats at more than 100/min (``SVTA``). Atrial fibrillation
  cannot be derived from beat types, so it is known from notes alone.

Episodes shorter than `MIN_S` are left out, of normal rhythm those shorter than `MIN_NORMAL_S`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from model.datasets.reference import Intervals
from model.evaluation import rhythm_notes
from model.evaluation.database import Database, find_database
from model.evaluation.intervals import union
from model.evaluation.reference_events import fast_runs
from model.evaluation.rhythm_notes import intervals_of
from model.evaluation.truth import Truth
from model.signal.arrays import IntArray
from stream.records.catalog import Catalog
from stream.records.episodes import Episode
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.messages import INVALID

MIN_S, MIN_NORMAL_S = 2.0, 10.0

SAME = {"VFIB": "VF", "AF": "AFIB", "PM": "P", "NSR": "N"}
"""Codes of vfdb and cudb, and those of mitdb for the same rhythms."""

NO_RHYTHM = rhythm_notes.NOISE | {""}

FROM_EVENTS = {"vt": "VT", "asystole": "ASYS", "brady": "BRADY"}
"""Rhythm codes of events in typed beats, by the keys of `model.evaluation.truth.ALARMS`."""

NOISE_STRESS = "nstdb"
"""Its records are one of mitdb with added noise."""

BLOCK = FS // 2
"""Samples in which a signal that does not change by more than `FLAT_MV` is flat or saturated."""

FLAT_MV = 0.0051
"""One step of the converter of MIT-BIH, and a little more."""


def index(database: Database, known: Collection[str] = ()) -> Iterator[Episode]:
    """Yield the episodes of the annotated records of a database.

    Parameters
    ----------
    database : Database
    known : collection of str
        Records to leave out.

    Raises
    ------
    RecordError
        A record is damaged or contains no ECG.
    """
    for name in database.records:
        if f"{database.name}/{name}" not in known and (database.folder / f"{name}.atr").is_file():
            example = database.example(name)
            yield from episodes_of(example.record, example.truth)


def own_databases(catalog: Catalog) -> list[Database]:
    """Return the folders of the local data folder that hold annotated records, without the noise stress test."""
    if catalog.data_dir is None:
        return []
    folders = {path.parent.name for path in catalog.data_dir.glob("*/*.atr")} - {NOISE_STRESS}
    return [find_database(name, catalog) for name in sorted(folders)]


def episodes_of(record: Record, truth: Truth) -> tuple[Episode, ...]:
    """Return the episodes of a record, in order of time.

    Parameters
    ----------
    record : Record
    truth : Truth
        What its annotations say.
    """
    found = sorted(
        (first, stop, rhythm)
        for rhythm, first, stop in rhythms(truth)
        if stop - first >= FS * (MIN_NORMAL_S if rhythm == "N" else MIN_S)
    )
    beats = truth.reference.outside_flutter().sample
    return tuple(
        Episode(
            rhythm=rhythm,
            record=record.name,
            start_s=round(first / FS, 3),
            end_s=round(stop / FS, 3),
            rate=None if rhythm == "ASYS" else _rate(beats[(beats >= first) & (beats < stop)]),
            leads=record.leads,
            quality=_quality(record, first, stop),
        )
        for first, stop, rhythm in found
    )


def rhythms(truth: Truth) -> Iterator[tuple[str, int, int]]:
    """Yield the code, first sample and end (exclusive) of each rhythm that the annotations tell."""
    codes = {SAME.get(note.rhythm, note.rhythm) for note in truth.notes} - NO_RHYTHM
    noted = {code: intervals_of(truth.notes, {code, *_others(code)}) for code in sorted(codes)}
    for code, intervals in noted.items():
        yield from ((code, *interval) for interval in intervals)
    named = union(*(noted.get(code, ()) for code in ("VF", "VFL")))
    yield from (("VF", *interval) for interval in _apart(truth.reference.flutter, named))
    if truth.style != "typed beats":
        return
    ventricular = union(named, noted.get("VT", ()))
    for key, code in FROM_EVENTS.items():
        events = ((event.first, event.stop) for event in truth.events[key])
        known = ventricular if code == "VT" else noted.get(code, ())
        yield from ((code, *interval) for interval in _apart(events, known))
    if not codes - {"N"}:
        beats = truth.reference.outside_flutter()
        yield from (("SVTA", *run) for run in fast_runs(beats.sample, beats.is_label("S"), beats.flutter))


def _others(code: str) -> set[str]:
    return {other for other, same in SAME.items() if same == code}


def _apart(intervals: Iterable[tuple[int, int]], known: Intervals) -> Iterator[tuple[int, int]]:
    """Yield the intervals that overlap none of the known ones."""
    for first, stop in intervals:
        if not any(begin < stop and first < end for begin, end in known):
            yield first, stop


def _rate(beats: IntArray) -> float | None:
    if len(beats) < 3:
        return None
    return round(60.0 * FS * (len(beats) - 1) / float(beats[-1] - beats[0]), 1)


def _quality(record: Record, first: int, stop: int) -> float:
    """Return the share of the signal in valid blocks of half a second, neither flat nor saturated."""
    adu = record.adu[first : first + max((stop - first) // BLOCK, 1) * BLOCK]
    blocks = adu[: len(adu) // BLOCK * BLOCK].reshape(-1, BLOCK, adu.shape[1]).astype(np.int32)
    if not len(blocks):
        return 0.0
    moves = np.ptp(blocks, axis=1) / np.asarray(record.gain) > FLAT_MV
    return round(float((moves & (blocks != INVALID).all(axis=1)).mean()), 3)
