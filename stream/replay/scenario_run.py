"""A scenario in progress: moves the timeline of each bed with its samples, and does what its steps say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from stream.clock import rfc3339
from stream.errors import UsageError
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import AnyRecord, Playhead
from stream.scenario.course import in_progress, in_words, injection, injection_id, patient_at
from stream.scenario.file import initial_patient
from stream.scenario.scenario import Bed, Scenario, Step
from stream.scenario.timeline import Event, Happening, Timeline, advance, begin, due, observe
from stream.timebase import FS
from stream.wire.messages import MAX_INDEX, MAX_SCENARIO_STEPS, ScenarioStatus, ScenarioStep
from stream.wire.replay_actions import Inject, InjectionAction, PatientAction, SetRhythm, SetVitals, StopInjection
from stream.wire.truth_message import Truth, TruthWhat

Perform = Callable[[str, PatientAction | InjectionAction], None]


@dataclass
class _BedRun:
    """One bed.

    Attributes
    ----------
    bed : Bed
    steps : tuple of Step
    timeline : Timeline
    at : int or None
        Sample of the session up to which the timeline was moved; None before the first.
    happened : list of Happening
    seen : int
        Samples of the record before the position 0 of the scenario.
    """

    bed: Bed
    steps: tuple[Step, ...]
    timeline: Timeline
    at: int | None
    happened: list[Happening]


def first_record(scenario: Scenario, number: int, load: Callable[[str], Record]) -> AnyRecord:
    """Return the record of a bed at the begin of a scenario.

    Parameters
    ----------
    scenario : Scenario
    number : int
        Of the bed.
    load : callable
        Returns a record by its name.

    Raises
    ------
    UsageError
        The record ends before its begin in the scenario.
    RecordError, SourceError
        The record cannot be loaded.
    """
    bed = scenario.beds[number]
    if bed.record is None:
        return _live(scenario, number, initial_patient(bed), 0)
    record = load(bed.record)
    first = round(bed.start_s * FS)
    if first >= record.n:
        raise UsageError(f"bed {bed.name} starts at {bed.start_s:g} s: {record.name} ends at {record.n / FS:.1f} s")
    return record.until(min(first + scenario.samples, record.n))


def _live(scenario: Scenario, number: int, patient: object, position: int) -> LiveRecord:
    raise NotImplementedError
