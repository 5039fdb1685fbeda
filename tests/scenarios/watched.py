"""A scenario as a worker sees it: its publisher's messages go into a worker, without a broker and without pacing."""

from __future__ import annotations

from model.pipeline.analysis import Models
from stream.scenario.file import load
from stream.timebase import FS
from stream.wire import codec
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.wave_message import Wave
from tests.model.serving.worker_harness import WorkerHarness
from tests.stream.scenario.scenario_harness import play

Expected = tuple[str, str, float, float]
"""An alarm that must be raised: bed, kind, from and to which second of the scenario."""

EXPECTED: dict[str, tuple[Expected, ...]] = {
    "vf-arrest": (
        ("bed-1", "ventricular_tachycardia", 130, 136),
        ("bed-1", "ventricular_fibrillation", 142, 150),
        ("bed-1", "abp_systolic_low", 262, 300),
    ),
    "af-fast": (("bed-1", "atrial_fibrillation", 100, 160), ("bed-1", "heart_rate_high", 100, 160)),
    "pvcs-to-vt": (
        ("bed-1", "ventricular_tachycardia", 180, 186),
        ("bed-1", "ventricular_tachycardia", 250, 256),
        ("bed-1", "abp_systolic_low", 250, 285),
    ),
    "hypoxia": (
        ("bed-1", "respiration_low", 90, 150),
        ("bed-1", "apnoea", 165, 180),
        ("bed-1", "spo2_low", 190, 230),
        ("bed-1", "desaturation", 210, 260),
        ("bed-1", "extreme_bradycardia", 245, 305),
    ),
    "lead-off-or-asystole": (("bed-1", "lead_off", 90, 95), ("bed-1", "asystole", 203, 208)),
    "artefact-or-vt": (("bed-1", "noise", 90, 115), ("bed-1", "ventricular_tachycardia", 200, 208)),
    "sepsis-decline": (
        ("bed-1", "abp_systolic_low", 7200, 12600),
        ("bed-1", "abp_mean_low", 9000, 13200),
        ("bed-1", "heart_rate_high", 7200, 12600),
    ),
    "night-on-a-ward": (
        ("bed-3", "lead_off", 120, 125),
        ("bed-4", "spo2_low", 400, 660),
        ("bed-5", "ventricular_tachycardia", 560, 567),
        ("bed-7", "ventricular_fibrillation", 900, 910),
        ("bed-2", "lead_off", 915, 920),
    ),
}

HIGH_FROM: dict[str, float] = {
    "vf-arrest": 130,
    "af-fast": 100,
    "pvcs-to-vt": 180,
    "hypoxia": 150,
    "lead-off-or-asystole": 200,
    "artefact-or-vt": 200,
    "sepsis-decline": 7200,
    "night-on-a-ward": 560,
}
"""The second of each scenario before which nothing of high priority may be raised, at any bed."""


def sent_by(name: str, until_s: float | None = None, chunk: int = 360) -> list[Message]:
    """Return what the publisher of a scenario sends."""
    sent: list[Message] = []
    play(load(name), sent.append, chunk=chunk, until_s=until_s)
    return sent


def as_bytes(messages: list[Message]) -> list[bytes]:
    """Return the messages as they are sent."""
    return [codec.encode(message) for message in messages]


def alarms_of(models: Models, messages: list[Message]) -> list[Alarm]:
    """Return the alarms that a worker raises; chunks of several beds that are due together are one tick of it."""
    harness = WorkerHarness(models)
    due: list[Waveform] = []

    def tick() -> None:
        if due:
            harness.clock.now = max(harness.clock.now, due[0].due_ns)
            harness.worker.tick(due)
            due.clear()

    for message in messages:
        if isinstance(message, Wave):
            harness.worker.add_wave(message)
        elif isinstance(message, Numerics):
            harness.worker.add_numerics(message)
        elif isinstance(message, Waveform):
            if due and message.due_ns != due[0].due_ns:
                tick()
            due.append(message)
    tick()
    return [one for one in harness.messages if isinstance(one, Alarm) and one.phase == "raised"]


def problems(name: str, alarms: list[Alarm], until_s: float = float("inf")) -> list[str]:
    """Return what is wrong with the alarms of a scenario."""
    raised = [(one.bed, one.kind, (one.at or one.onset) / FS) for one in alarms]
    found = [
        f"{bed}: no {kind} from {first} to {last} s"
        for bed, kind, first, last in EXPECTED[name]
        if last <= until_s and not any((bed, kind) == (b, k) and first <= at <= last for b, k, at in raised)
    ]
    high = [(one.bed, one.kind, (one.at or one.onset) / FS) for one in alarms if one.priority == "high"]
    return found + [f"{bed}: {kind} of high priority at {at:.1f} s" for bed, kind, at in high if at < HIGH_FROM[name]]
