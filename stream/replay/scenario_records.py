"""The records with which the beds of a scenario begin: recorded, or patients made while they are replayed."""

from __future__ import annotations

from collections.abc import Callable

from stream.errors import UsageError
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.records.synthetic.patient import Patient
from stream.records.synthetic.presets import LIVE
from stream.replay.playhead import AnyRecord
from stream.scenario.file import initial_patient
from stream.scenario.scenario import Scenario
from stream.timebase import FS


def first_records(scenario: Scenario, load: Callable[[str], Record]) -> list[tuple[AnyRecord, float]]:
    """Return the record of each bed at the start, and where it begins, in s.

    Parameters
    ----------
    scenario : Scenario
    load : callable
        Returns a record by its name.

    Raises
    ------
    UsageError
        A record ends before its start in the scenario.
    RecordError, SourceError
        A record cannot be loaded.
    """
    found: list[tuple[AnyRecord, float]] = []
    for number, bed in enumerate(scenario.beds):
        if bed.record is None:
            found.append((live_record(scenario, number, initial_patient(bed), 0), 0.0))
            continue
        record = load(bed.record)
        first = round(bed.start_s * FS)
        if first >= record.n:
            raise UsageError(f"bed {bed.name} starts at {bed.start_s:g} s: {record.name} ends at {record.n / FS:.1f} s")
        found.append((record.until(min(first + scenario.samples, record.n)), bed.start_s))
    return found


def live_record(scenario: Scenario, number: int, patient: Patient, position: int) -> LiveRecord:
    """Return the patient of a bed from a position of the scenario on; another one after each jump.

    Parameters
    ----------
    scenario : Scenario
    number : int
        Of the bed in it.
    patient : Patient
        As at the position.
    position : int
        In samples at 360 Hz.
    """
    record = LiveRecord(patient, scenario.seed + 1000 * number + position, LIVE)  # a name that tells a student nothing
    record.n = scenario.samples - position
    return record
