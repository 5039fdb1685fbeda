"""What an instructor's window knows: beds with their publishers, what is done to them, and what became of commands.

No Qt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from monitor.view.process_status import Services
from stream.mqtt.client import Received
from stream.timebase import FS
from stream.wire.injection_kinds import (
    INJECTION_KINDS,
    INJECTION_RULES,
    Disturbable,
    InjectedSignal,
    InjectionKind,
    disturbs,
)
from stream.wire.numerics_message import Numerics
from stream.wire.score_message import Score
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind
from stream.wire.truth_message import Truth

INSTRUCTOR_KINDS = (Kind.STATUS, Kind.PROCESS, Kind.TRUTH, Kind.NUMERICS, Kind.SCORE)
"""What an instructor's window receives."""

MAX_BEDS = 64
MAX_TRUTHS = 200
"""Beds, and messages of truth of each, that are kept."""

STEERABLE = ("N", "SBR", "SVTA", "AFIB", "B", "T", "VT", "VFL", "VF", "ASYS")
"""Rhythms of a patient that can be steered, harmless ones first."""

VITALS: dict[str, tuple[int, int, str]] = {
    "heart_rate": (20, 220, "1/min"),
    "spo2": (40, 100, "%"),
    "respiration_rate": (0, 60, "1/min"),
    "abp_systolic": (40, 250, "mmHg"),
    "abp_diastolic": (20, 150, "mmHg"),
    "etco2": (0, 90, "mmHg"),
    "temperature": (32, 42, "°C"),
    "pvc_rate": (0, 40, "1/min"),
}
"""Values that can be set, with the ends and units of their sliders: within what a patient accepts."""


class Instruction:
    """State of the window.

    Attributes
    ----------
    beds : dict of str to deque of Truth
        The beds of which a publisher's status has come, with the truth about them, oldest first.
    revision : int
        Grows with each message.
    """

    def __init__(self) -> None:
        self.beds: dict[str, deque[Truth]] = {}
        self.revision = 0
        self._early: dict[str, deque[Truth]] = {}
        self._services = Services()
        self._asked: dict[str, str] = {}
        self._received_ns: dict[str, int] = {}
        self._values: dict[str, dict[str, float]] = {}
        self._scores: dict[str, Score] = {}

    def process(self, received: Received) -> None:
        """Process a message."""
        self.revision += 1
        self._services.process(received)
        message = received.message
        if isinstance(message, BedStatus) and message.role == "publisher":
            if message.bed in self.beds or len(self.beds) < MAX_BEDS:
                if message.bed not in self.beds:
                    self.beds[message.bed] = self._early.pop(message.bed, deque(maxlen=MAX_TRUTHS))
                self._received_ns[message.bed] = received.monotonic_ns
        elif isinstance(message, Truth):
            self._add_truth(message)
        elif isinstance(message, Score) and message.bed in self.beds:
            self._scores[message.bed] = message
        elif isinstance(message, Numerics) and message.bed in self.beds:
            self._values[message.bed] = {one.name: one.value for one in message.values if one.value is not None}

    def _add_truth(self, message: Truth) -> None:
        """Keep the truth about a bed, also before its first status: the start of a scenario precedes it."""
        if message.bed in self.beds:
            self.beds[message.bed].append(message)
        elif message.bed in self._early or len(self._early) < MAX_BEDS:
            self._early.setdefault(message.bed, deque(maxlen=MAX_TRUTHS)).append(message)

    def score(self, bed: str) -> Score | None:
        """Return the live score of what a bed's publisher sends, or has sent last; None if nobody scores it."""
        score, status = self._scores.get(bed), self.status(bed)
        return score if score is not None and (status is None or score.session == status.session) else None

    def values(self, bed: str) -> Mapping[str, float]:
        """Return the present values of a patient, by name, as the publisher sent them last."""
        return self._values.get(bed, {})

    def status(self, bed: str) -> BedStatus | None:
        """Return the status of a bed's publisher; None if it is not online, or its replay has ended."""
        status = self._services.publisher(bed)
        return None if status is None or status.state == "ended" else status

    def asked(self, bed: str, command_id: str) -> None:
        """Note the last command to a bed."""
        self._asked[bed] = command_id

    def refusal(self, bed: str) -> str:
        """Return why the last command to a bed was refused; empty if it was not."""
        status = self.status(bed)
        results = () if status is None else status.commands
        return next((one.refused or "" for one in results if one.command_id == self._asked.get(bed)), "")

    def scenario_s(self, bed: str, now_ns: int) -> float | None:
        """Return where the scenario of a bed is at a monotonic time, s; None without one."""
        status = self.status(bed)
        if status is None or status.scenario is None:
            return None
        scenario, since_s = status.scenario, (now_ns - self._received_ns[bed]) / 1e9
        if not scenario.playing or status.state != "playing":
            return scenario.position_s
        return min(scenario.position_s + max(since_s, 0.0) * status.speed, scenario.seconds)


def rhythms_of(status: BedStatus) -> dict[str, int | None]:
    """Return the rhythms that a bed can have: how many episodes there are; None for those that are generated."""
    if status.steerable:
        return dict.fromkeys(STEERABLE)
    offered = {offer.rhythm: offer.episodes for offer in status.rhythms}
    known = {code: offered[code] for code in STEERABLE if code in offered}
    return {**known, **offered}


def impossible(status: BedStatus) -> dict[InjectionKind, tuple[Disturbable, ...]]:
    """Return the injections that a bed's publisher would refuse now, with what each needs one of."""
    found = status.disturbable
    if found is None:
        return {}
    running = {one.kind for one in status.injections or ()}  # they can be stopped
    return {
        kind: disturbs(kind)
        for kind in INJECTION_KINDS
        if kind not in running and not any(one in found for one in disturbs(kind))
    }


def signal_for(status: BedStatus, kind: InjectionKind) -> InjectedSignal | None:
    """Return the signal of a bed that an injection of this kind changes; None leaves it to the publisher."""
    signals = INJECTION_RULES[kind].signals
    return next((one for one in signals if one in (status.disturbable or ())), None)


def place(truth: Truth) -> str:
    """Return where in the session something happens, ``h:mm:ss``."""
    seconds = truth.index // FS
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
