"""Synthetic patients by name: a healthy one, and one for each alarm that a monitor should raise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from stream.records.record import Record
from stream.records.synthetic.generator import generate
from stream.records.synthetic.live_record import LiveRecord
from stream.records.synthetic.patient import NOTES, Patient, Segment

NAME = "synthetic"
LIVE = f"{NAME}/live"
"""Name of the patient that lives while it is replayed, and can be steered."""

SECONDS = 300.0
SEED = 1

# Without ectopy in the first minute, in which the analysis learns the patient.
STABLE = Patient(pvc_rate=((60, 0), (60, 3)))

PRESETS: dict[str, Patient] = {
    NAME: STABLE,
    f"{NAME}/ecg": STABLE,
    f"{NAME}/pvcs": Patient(rhythm=(Segment(0, "sinus"), Segment(180, "bigeminy")), pvc_rate=((60, 0), (60, 12))),
    f"{NAME}/af": Patient(rhythm=(Segment(0, "sinus"), Segment(60, "atrial fibrillation")), heart_rate=95),
    f"{NAME}/vt": Patient(rhythm=(Segment(0, "sinus"), Segment(120, "ventricular tachycardia"), Segment(150, "sinus"))),
    f"{NAME}/vf": Patient(
        rhythm=(
            Segment(0, "sinus"),
            Segment(110, "ventricular tachycardia"),
            Segment(120, "ventricular fibrillation"),
            Segment(180, "sinus"),
        ),
        pvc_rate=((60, 0), (60, 6)),
    ),
    f"{NAME}/asystole": Patient(rhythm=(Segment(0, "sinus"), Segment(120, "asystole"), Segment(150, "sinus"))),
    f"{NAME}/desaturation": Patient(
        spo2=((90, 97), (150, 74), (200, 74), (240, 96)),
        heart_rate=((90, 72), (150, 105), (200, 110), (260, 80)),
        respiration_rate=((90, 15), (150, 26), (260, 18)),
    ),
    f"{NAME}/apnoea": Patient(
        respiration_rate=((120, 14), (120, 0), (165, 0), (165, 18)),
        spo2=((140, 97), (170, 83), (185, 95), (200, 97)),
    ),
    f"{NAME}/hypotension": Patient(
        abp_systolic=((90, 120), (180, 74), (240, 74), (280, 110)),
        abp_diastolic=((90, 75), (180, 44), (240, 44), (280, 68)),
        heart_rate=((90, 74), (180, 118), (240, 118), (280, 90)),
    ),
}
"""Patients by the name of their record."""


def synthetic_record(name: str = NAME) -> Record:
    """Return five minutes of one of the `PRESETS`; ``synthetic/ecg`` without other waves and numbers."""
    record = generate(PRESETS[name], SECONDS, SEED, name)
    return replace(record, waves=(), numerics=()) if name == f"{NAME}/ecg" else record


def live_record(seed: int = SEED) -> LiveRecord:
    """Return a stable patient that can be steered."""
    return LiveRecord(STABLE, seed, LIVE)


def rhythms_of(name: str) -> tuple[str, ...]:
    """Return the rhythms of one of the `PRESETS` as its annotations name them, longest total duration first."""
    segments = PRESETS[name].rhythm
    durations: Counter[str] = Counter()
    for segment, stop in zip(segments, [*(segment.start_s for segment in segments[1:]), SECONDS], strict=True):
        durations[NOTES[segment.rhythm][1:]] += round(stop - segment.start_s)
    return tuple(rhythm for rhythm, _ in durations.most_common())
