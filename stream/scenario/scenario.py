"""A scenario: patients, and what happens to them; the layout of its file.

`stream.scenario.file` reads it. Constraints that a type cannot express are checked there, too.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind
from stream.wire.fields import MAX_SPEED, MIN_SPEED, BedName, RhythmName
from stream.wire.injection_kinds import MAX_INJECTION_S, InjectedSignal, InjectionKind
from stream.wire.replay_actions import MAX_RAMP_S, RhythmCode, VitalName
from stream.wire.replay_actions import After as Then

MAX_SECONDS = 86_400.0
"""Longest scenario, s of patient time."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}\Z")]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=900)]

ActionName = Literal["acknowledge", "pause_audio", "pause_alarms", "set_limits", "answer"]
"""What a student does: the commands of a monitor that change no replay."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Part of a scenario file."""


class Texts(Part, frozen=True, kw_only=True):
    """A text for people in each language.

    Attributes
    ----------
    en, ja : str
    """

    en: Sentence
    ja: Sentence

    def of(self, language: str) -> str:
        """Return the text in a language, ``en`` or ``ja``."""
        return self.ja if language == "ja" else self.en


class Bed(Part, frozen=True, kw_only=True):
    """A bed at the start.

    Attributes
    ----------
    name : str
    record : str or None
        A record such as ``mitdb/208``; None: a synthetic patient, who can be given rhythms and vital signs.
    start_s : float
        Begin in the record, s.
    rhythm, rate, vitals
        Of a synthetic patient, as in `Step`.
    """

    name: BedName = "bed-1"
    record: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    start_s: Seconds = 0.0
    rhythm: RhythmCode = "N"
    rate: Annotated[float, msgspec.Meta(gt=0)] | None = None
    vitals: dict[VitalName, float] = {}


class After(Part, frozen=True, kw_only=True):
    """What a step waits for, since the step before it in the file, at the same bed: one of the first four.

    Attributes
    ----------
    event : str or None
        A command of somebody at a monitor.
    alarm : str or None
        An alarm of this kind is raised.
    rhythm : str or None
        This rhythm has lasted ``seconds``.
    step : str or None
        The step of this name.
    seconds : float
        With ``rhythm``: its duration.
    delay_s : float
        Time from then to the step.
    latest_s : float or None
        The step happens at this time of the scenario, if it has not happened by then; None: it may never happen.
    """

    event: ActionName | None = None
    alarm: AlarmKind | None = None
    rhythm: RhythmCode | None = None
    step: Name | None = None
    seconds: Seconds = 0.0
    delay_s: Seconds = 0.0
    latest_s: Seconds | None = None


class Injection(Part, frozen=True, kw_only=True):
    """A disturbance of a signal, or of the messages of the bed, as in `stream.wire.replay_actions.Inject`."""

    kind: InjectionKind
    signal: InjectedSignal | None = None
    lead: Annotated[str, msgspec.Meta(min_length=1, max_length=16)] | None = None
    level: float | None = None
    hz: float | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0, le=MAX_INJECTION_S)] | None = None


class Expect(Part, frozen=True, kw_only=True):
    """What the student should do.

    Attributes
    ----------
    action : str
    within_s : float
        Time limit from the step on, s of patient time.
    text : Texts
        What should be done, and why.
    """

    action: ActionName
    within_s: Annotated[float, msgspec.Meta(gt=0, le=MAX_SECONDS)]
    text: Texts


class Place(Part, frozen=True, kw_only=True):
    """An episode at a place of a record.

    Attributes
    ----------
    record : str
        Such as ``mitdb/205``.
    start_s, end_s : float
        s from its first sample.
    rhythm : str or None
        What it is; None: as the table of episodes says.
    """

    rhythm: RhythmName | None = None
    record: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    start_s: Seconds
    end_s: Seconds


class Step(Part, frozen=True, kw_only=True):
    """Something that happens, at a time or after an event.

    Attributes
    ----------
    name : str or None
        For `After.step` and ``stop``.
    bed : str or None
        None: the only bed.
    at_s : float or None
        Time of the scenario, s of patient time.
    after : After or None
        Instead of ``at_s``.
    rhythm : str or None
        Another rhythm, with ``rate`` in 1/min, None: the usual one.
    vitals : dict of str to float
        Targets, reached linearly within ``ramp_s``.
    episode : str, Place or None
        Of a bed with a record: a real episode of this rhythm, or the one at this place, is shown.
    then : str or None
        With ``episode``: ``return`` to where the record was, which None means too, or ``go_on`` in that of the episode.
    inject : Injection or None
    stop : str or None
        Name of the step whose injection ends.
    note : Texts or None
        For the teacher.
    expect : Expect or None
    """

    name: Name | None = None
    bed: BedName | None = None
    at_s: Seconds | None = None
    after: After | None = None
    rhythm: RhythmCode | None = None
    rate: Annotated[float, msgspec.Meta(gt=0)] | None = None
    vitals: dict[VitalName, float] = {}
    ramp_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_RAMP_S)] = 0.0
    episode: RhythmName | Place | None = None
    then: Then | None = None
    inject: Injection | None = None
    stop: Name | None = None
    note: Texts | None = None
    expect: Expect | None = None


class Scenario(Part, frozen=True, kw_only=True):
    """A scenario.

    Attributes
    ----------
    name : str
    title, about : Texts
        What it is called; what it teaches and how it is used, for the teacher.
    seconds : float
        Duration, s of patient time.
    seed : int
        Of the synthetic patients.
    speed : float
        Patient time per time; 1 is real time.
    beds, steps : tuple
    sources : tuple of str
        Literature behind its numbers.
    """

    name: Name
    title: Texts
    about: Texts
    seconds: Annotated[float, msgspec.Meta(ge=10, le=MAX_SECONDS)]
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 1
    speed: Annotated[float, msgspec.Meta(ge=MIN_SPEED, le=MAX_SPEED)] = 1.0
    beds: Annotated[tuple[Bed, ...], msgspec.Meta(min_length=1, max_length=64)] = (Bed(),)
    steps: Annotated[tuple[Step, ...], msgspec.Meta(max_length=1000)] = ()
    sources: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=300)], ...] = ()

    @property
    def samples(self) -> int:
        """Duration in samples at 360 Hz."""
        return round(self.seconds * FS)

    @property
    def waits_for_alarms(self) -> bool:
        """Whether a step waits for an alarm."""
        return any(step.after is not None and step.after.alarm is not None for step in self.steps)

    def steps_of(self, bed: str) -> tuple[Step, ...]:
        """Return the steps of a bed, in the order of the file."""
        return tuple(step for step in self.steps if self.bed_of(step) == bed)

    def bed_of(self, step: Step) -> str:
        """Return the bed of a step."""
        return step.bed or self.beds[0].name
