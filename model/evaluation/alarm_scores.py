"""Beats, rhythm and alarms against the annotations: the arrhythmia analysis over whole records, causally.

- *Beats* (`model.evaluation.ec57_beats`): from 5:00.
- *Atrial fibrillation* (`model.evaluation.rhythm_time`): second by second from 5:00.
- *Rhythm alarms* (`model.evaluation.reference_events`): over whole records. An event is found if an alarm of its kind
  is raised from 1 s before the event's definition is met until ``ALLOWED_S`` after it, or is active then. The delay is
  measured from when the definition is met. If only an alarm that silences this kind is active
  (`model.conditions.precedence.SUPPRESSED_BY`), the event is found and counted separately as well.
- *False high-priority alarms*: raised outside events of their kind, widened by ``SLACK_S``, and outside annotated
  flutter.
- *Challenge 2015* (`model.evaluation.challenge2015`) and *vfdb* (`model.evaluation.vfdb`), if the local data folder
  contains them.

Summaries are in `model.evaluation.alarm_report`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from model.conditions.precedence import SUPPRESSED_BY
from model.console.progress import track
from model.datasets.annotated_signal import annotations_of
from model.datasets.reference import Reference, reference_of
from model.evaluation.alarm_report import ALLOWED_S, KEYS, AlarmReport, EventScore, FalseAlarm, RecordAlarms
from model.evaluation.challenge2015 import score_challenge
from model.evaluation.ec57_beats import score
from model.evaluation.monitor_output import Monitor, MonitorOutput
from model.evaluation.reference_events import ASYSTOLE_S, RhythmEvent, events_of
from model.evaluation.rhythm_time import atrial_fibrillation
from model.evaluation.vfdb import score_vfdb
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

EARLY_S = 1.0
"""Seconds before the definition of an event is met in which its alarm may be raised."""

SLACK_S = 0.15
"""Tolerance in seconds between detected and annotated beats, and so between detected and annotated events."""


def evaluate_alarms(names: Sequence[str], monitor: Monitor, catalog: Catalog | None = None) -> AlarmReport:
    """Run the monitor over all records and score it, with progress on standard error.

    Parameters
    ----------
    names : sequence of str
        Records of MIT-BIH, such as ``100``.
    monitor : callable
        As `model.evaluation.monitor_output.monitor_of` returns it.
    catalog : Catalog, optional

    Raises
    ------
    RecordError
        A record of MIT-BIH cannot be found or has no annotations.
    """
    catalog = catalog or Catalog.from_environment()
    records = {}
    for name in track(names, "mitdb"):
        record = load(f"mitdb/{name}", catalog)
        records[name] = score_record(name, record, monitor(record))
    return AlarmReport(records, score_challenge(monitor, catalog), score_vfdb(monitor, catalog))


def score_record(name: str, record: Record, output: MonitorOutput) -> RecordAlarms:
    """Compare the monitor's output on one record of MIT-BIH with its annotations.

    Raises
    ------
    RecordError
        The record has no annotations.
    """
    annotations = annotations_of(record)
    reference = reference_of(annotations.sample, annotations.symbol, record.n)
    events = events_of(reference)
    return RecordAlarms(
        beats=score(
            reference, [beat.index for beat in output.beats], [beat.type for beat in output.beats], until=record.n
        ),
        af=atrial_fibrillation(record, output),
        events={key: _find(events, output, kind) for kind, key in KEYS.items()},
        false=tuple(
            FalseAlarm(name, kind, at / FS)
            for kind in KEYS
            for at, _ in output.alarms([kind])
            if not _is_true(at, kind, events, reference)
        ),
        hours=record.n / FS / 3600,
    )


def _find(events: Sequence[RhythmEvent], output: MonitorOutput, kind: AlarmKind) -> EventScore:
    """Return how the events of one kind were found."""
    allowed = round(ALLOWED_S[KEYS[kind]] * FS)
    own, silencing = output.alarms([kind]), output.alarms(SUPPRESSED_BY[kind])
    total = EventScore()
    for event in events:
        if event.kind != kind:
            continue
        own_delays, other_delays = (
            [
                max(raised - event.met, 0)
                for raised, stop in alarms
                if raised <= event.met + allowed and stop >= event.met - round(EARLY_S * FS)
            ]
            for alarms in (own, silencing)
        )
        delays = own_delays or other_delays
        delay_s = min(delays) / FS if delays else math.nan
        total += EventScore(1, bool(delays), bool(delays and not own_delays), delay_s)
    return total


def _is_true(at: int, kind: AlarmKind, events: Sequence[RhythmEvent], reference: Reference) -> bool:
    """Return whether an alarm raised at a sample belongs to an event of its kind or to flutter."""
    slack = round(SLACK_S * FS)
    allowed = round(ALLOWED_S[KEYS[kind]] * FS)
    intervals = [(event.first, event.stop) for event in events if event.kind == kind] + list(reference.flutter)
    # A pause slightly shorter than the definition by the annotated beats can be long enough by the detected beats.
    if kind == "asystole":
        beats = reference.outside_flutter().sample
        long = np.flatnonzero(np.diff(beats) > ASYSTOLE_S * FS - slack)
        intervals += [(int(beats[i]), int(beats[i + 1])) for i in long]
    return any(first - slack <= at <= stop + allowed for first, stop in intervals)
