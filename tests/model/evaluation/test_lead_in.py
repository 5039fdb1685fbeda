"""A tachycardia is recognised at once: best after a lead-in that shows the patient, some from their first beats on."""

from dataclasses import replace
from pathlib import Path

from model.evaluation.database import find_database
from model.evaluation.monitor_output import monitor_of
from model.evaluation.reference_events import RhythmEvent
from model.pipeline.analysis import load_models
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.replay.visit import LEAD_IN
from stream.timebase import FS

RECORDS = "203,205,210,223"
"""Those of mitdb with five ventricular beats in a row at more than 100/min."""

WITHIN_S = 5.0


def recognised(shown: list[tuple[Record, RhythmEvent]], lead_in: int) -> int:
    """Return how many tachycardias are an alarm within 5 s of their fifth beat if the signal begins so early."""
    begins = [max(event.first - lead_in, 0) for _, event in shown]
    cut = [
        replace(record, adu=record.adu[begin : event.stop + round(WITHIN_S * FS)])
        for begin, (record, event) in zip(begins, shown, strict=True)
    ]
    found = monitor_of(load_models())(cut)
    return sum(
        any(begin + at <= event.met + WITHIN_S * FS < begin + stop + WITHIN_S * FS for at, stop in alarms)
        for begin, (_, event), output in zip(begins, shown, found, strict=True)
        for alarms in [output.alarms(["ventricular_tachycardia"])]
    )


def test_tachycardias_are_recognised_within_5_s_after_the_lead_in_and_some_of_an_unknown_patient(
    mitdb_dir: Path,
) -> None:
    database = find_database("mitdb", Catalog(data_dir=mitdb_dir))
    examples = [database.example(name) for name in database.chosen(RECORDS)]
    shown = [(one.record, event) for one in examples for event in one.truth.events["vt"]]
    assert len(shown) == 12
    assert recognised(shown, LEAD_IN) >= 10
    assert recognised(shown, FS) >= 6, "their five beats are detected in 10: in the first 1.5 s of a signal no beat is"
