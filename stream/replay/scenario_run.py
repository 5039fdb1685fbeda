"""A scenario in progress: moves the timeline of each bed with its samples, and does what its steps say. No socket."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import msgspec

from stream.clock import rfc3339
from stream.errors import UsageError
from stream.records.episodes import Episode
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.records.synthetic.patient import Patient
from stream.records.synthetic.presets import LIVE
from stream.replay.playhead import AnyRecord, Playhead
from stream.replay.scenario_episodes import Episodes
from stream.replay.truths import truth_of
from stream.scenario.course import in_progress, injection, injection_id, patient_at
from stream.scenario.description import described, in_words
from stream.scenario.file import initial_patient
from stream.scenario.scenario import Scenario, Step
from stream.scenario.timeline import Event, Happening, Timeline, advance, begin, due, observe
from stream.timebase import FS
from stream.wire.fields import MAX_INDEX
from stream.wire.messages import Message
from stream.wire.replay_actions import (
    After,
    InjectionAction,
    PatientAction,
    SetRhythm,
    SetScenario,
    SetVitals,
    StopInjection,
)
from stream.wire.scenario_status import MAX_SCENARIO_STEPS, MAX_STATUS_ACTIONS, ScenarioStatus
from stream.wire.truth_message import TruthPhase, TruthWhat


class Actor(Protocol):
    """What does the steps of a scenario: the publisher."""

    def do(self, bed: str, action: PatientAction | InjectionAction) -> None:
        """Change the patient of a bed, or disturb it."""

    def show(self, bed: str, record: AnyRecord, position: int) -> None:
        """Go on with another record at a position, in a new epoch."""

    def show_episode(self, bed: str, record: Record, episode: Episode, then: After) -> None:
        """Show an episode of a record, and return or go on."""

    def end_after(self, bed: str, n: int) -> None:
        """End the replay of a recorded bed after its next samples."""

    def tell_rhythm(self, bed: str, rhythm: str) -> None:
        """Tell which rhythm a patient has at its next sample."""


@dataclass
class _BedRun:
    """One bed.

    Attributes
    ----------
    number : int
        Of the bed in the scenario.
    steps : tuple of Step
    timeline : Timeline
    at : int
        Sample of the session up to which the timeline was moved.
    record : Record or LiveRecord
        That of the begin.
    begun, over : bool
        Whether the begin and the end of the scenario were told.
    ending : bool
        Whether the record ends with the next chunk, as the scenario does.
    """

    number: int
    steps: tuple[Step, ...]
    timeline: Timeline
    record: AnyRecord
    at: int = 0
    begun: bool = False
    over: bool = False
    ending: bool = False


def first_records(scenario: Scenario, load: Callable[[str], Record]) -> list[tuple[AnyRecord, float]]:
    """Return the record of each bed at the begin, and where it begins, in s.

    Parameters
    ----------
    scenario : Scenario
    load : callable
        Returns a record by its name.

    Raises
    ------
    UsageError
        A record ends before its begin in the scenario.
    RecordError, SourceError
        A record cannot be loaded.
    """
    found: list[tuple[AnyRecord, float]] = []
    for number, bed in enumerate(scenario.beds):
        if bed.record is None:
            found.append((_live(scenario, number, initial_patient(bed), 0), 0.0))
            continue
        record = load(bed.record)
        first = round(bed.start_s * FS)
        if first >= record.n:
            raise UsageError(f"bed {bed.name} starts at {bed.start_s:g} s: {record.name} ends at {record.n / FS:.1f} s")
        found.append((record.until(min(first + scenario.samples, record.n)), bed.start_s))
    return found


def _live(scenario: Scenario, number: int, patient: Patient, position: int) -> LiveRecord:
    """Return the patient of a bed from a position of the scenario on; another one after each jump."""
    record = LiveRecord(patient, scenario.seed + 1000 * number + position, LIVE)  # a name that tells a student nothing
    record.n = scenario.samples - position
    return record


class ScenarioRun:
    """All beds of a scenario.

    Parameters
    ----------
    scenario : Scenario
    records : sequence of Record or LiveRecord
        Those of the begin.
    episodes : mapping
        See `stream.replay.scenario_episodes.episodes_of`.
    language : str
        Of its texts, ``en`` or ``ja``.
    send : callable
        Sends a message.
    actor : Actor
    """

    def __init__(
        self,
        scenario: Scenario,
        records: Sequence[AnyRecord],
        episodes: Episodes,
        language: str,
        *,
        send: Callable[[Message], None],
        actor: Actor,
    ) -> None:
        self.scenario = scenario
        self._episodes = episodes
        self._language = language
        self._send = send
        self._actor = actor
        self._playing = True
        self._beds: dict[str, _BedRun] = {}
        for number, (bed, record) in enumerate(zip(scenario.beds, records, strict=True)):
            steps = scenario.steps_of(bed.name)
            self._beds[bed.name] = _BedRun(number, steps, begin(steps, bed.rhythm), record)

    def reach(self, head: Playhead, now_ns: int) -> None:
        """Do what happens at a bed up to its next sample, with it."""
        run = self._beds[head.bed]
        if not run.begun:
            run.begun, run.at = True, head.start
            self._tell(head, now_ns, "scenario", "begin", self.scenario.name, text=self._about)
            if isinstance(head.record, LiveRecord):
                self._actor.tell_rhythm(head.bed, run.timeline.rhythm)
        elapsed, run.at = head.start - run.at, head.start
        if self._playing and not run.over:
            self._advance(run, head, now_ns, run.timeline.position + elapsed)
            if run.timeline.position >= self.scenario.samples:
                self.end(head, now_ns)
        self._end_record(run, head)

    def _end_record(self, run: _BedRun, head: Playhead) -> None:
        """End a recorded bed with the scenario: its record may be longer, or restart. A live patient ends by itself."""
        left = max(self.scenario.samples - run.timeline.position, 0)
        if (
            run.ending
            or not self._playing
            or head.record.alone
            or head.fast_until
            or isinstance(head.record, LiveRecord)
        ):
            return
        if left <= head.chunk and head.position + left <= head.record.n:
            run.ending = True
            self._actor.end_after(head.bed, left)

    def pass_over(self, bed: str, n: int) -> None:
        """Note that the next samples of a bed are not of its time: those before an episode, passed in a moment."""
        self._beds[bed].at += n

    def end(self, head: Playhead, now_ns: int) -> None:
        """Do what happens at the end of the scenario of a bed, and tell that it is over, once."""
        run = self._beds[head.bed]
        if run.begun and not run.over:
            self._advance(run, head, now_ns, self.scenario.samples)
            run.over = True
            self._tell(head, now_ns, "scenario", "end", self.scenario.name)

    def _advance(self, run: _BedRun, head: Playhead, now_ns: int, to: int) -> None:
        run.timeline, happened = advance(run.steps, run.timeline, min(to, self.scenario.samples))
        for one in happened:
            if one.kind == "step":
                self._do(run, head, now_ns, one.step)
            else:
                self._tell_outcome(run, head, now_ns, one)

    def observe(self, head: Playhead, event: Event, now_ns: int) -> None:
        """Process an event at a bed: a step may wait for it, or a student was to do it."""
        run = self._beds[head.bed]
        run.timeline, done = observe(run.steps, run.timeline, event)
        for one in done:
            self._tell_outcome(run, head, now_ns, one)

    def set(self, action: SetScenario, head_of: Callable[[str], Playhead]) -> str:
        """Pause, go on, or jump, at all beds; return what was done, in words.

        Raises
        ------
        UsageError
            The position is beyond the end.
        """
        done = []
        if action.position_s is not None:
            if action.position_s >= self.scenario.seconds:
                raise UsageError(f"position {action.position_s:g} s: the scenario has {self.scenario.seconds:g} s")
            position = round(action.position_s * FS)
            for name, run in self._beds.items():
                self._jump(run, head_of(name), position)
            done.append(f"moved to {action.position_s:g} s")
        if action.playing is not None:
            self._playing = action.playing
            done.append("goes on" if action.playing else "waits")
        for name, run in self._beds.items():
            head = head_of(name)
            if isinstance(head.record, LiveRecord):
                left = self.scenario.samples - run.timeline.position
                head.record.n = head.position + left if self._playing else MAX_INDEX
        return f"scenario {' and '.join(done) or 'is as it was'}"

    def status(self, bed: str) -> ScenarioStatus:
        """Return the state of a bed's timeline, as the status of the bed shows it."""
        run = self._beds[bed]
        planned = [due(run.steps, run.timeline, number) for number in range(len(run.steps))]
        following = min(range(len(planned)), key=planned.__getitem__, default=0)
        comes = bool(planned) and not math.isinf(planned[following])
        steps, actions = [], 0
        for step, at, fired in islice(zip(run.steps, planned, run.timeline.fired, strict=True), MAX_SCENARIO_STEPS):
            known = at if fired is None else fired
            at_s = None if math.isinf(known) else round(known / FS, 2)
            one = described(run.steps, step, at_s, happened=fired is not None)
            actions += len(one.actions)
            steps.append(one if actions <= MAX_STATUS_ACTIONS else msgspec.structs.replace(one, actions=()))
        return ScenarioStatus(
            name=self.scenario.name,
            title=self.scenario.title.of(self._language)[:200],
            position_s=round(run.timeline.position / FS, 2),
            seconds=self.scenario.seconds,
            playing=self._playing and not run.over,
            next=in_words(run.steps[following])[:80] if comes else "",
            next_s=round(planned[following] / FS, 2) if comes else None,
            steps=tuple(steps),
        )

    @property
    def _about(self) -> str:
        return f"{self.scenario.title.of(self._language)}\n{self.scenario.about.of(self._language)}"

    def _do(self, run: _BedRun, head: Playhead, now_ns: int, number: int) -> None:
        """Do a step."""
        step = run.steps[number]
        if step.rhythm is not None:
            self._actor.do(head.bed, SetRhythm(rhythm=step.rhythm, rate=step.rate))
        if step.vitals:
            self._actor.do(head.bed, SetVitals(values=step.vitals, seconds=step.ramp_s))
        begun = injection(self.scenario, run.steps, number)
        if begun is not None:
            self._actor.do(head.bed, begun)
        if step.stop is not None:
            [other] = (i for i, one in enumerate(run.steps) if one.name == step.stop)
            self._actor.do(head.bed, StopInjection(injection_id=injection_id(self.scenario, other)))
        if step.note is not None:
            self._tell(head, now_ns, "note", "at", step.name or "", number, step.note.of(self._language))
        if step.expect is not None:
            text = step.expect.text.of(self._language)
            values = {"within_s": step.expect.within_s}
            self._tell(head, now_ns, "expected_action", "begin", step.expect.action, number, text, values)
        if step.episode is not None:
            record, episode = self._episodes[head.bed, number]
            self._actor.show_episode(head.bed, record, episode, step.then or "return")

    def _tell_outcome(self, run: _BedRun, head: Playhead, now_ns: int, one: Happening) -> None:
        """Tell that an expected action was done, or missed."""
        expect, since = run.steps[one.step].expect, run.timeline.fired[one.step]
        assert expect is not None
        assert since is not None
        values = {"done": float(one.kind == "done"), "seconds": round((one.at - since) / FS, 3)}
        self._tell(head, now_ns, "expected_action", "end", expect.action, one.step, values=values)

    def _tell(
        self,
        head: Playhead,
        now_ns: int,
        what: TruthWhat,
        phase: TruthPhase,
        name: str,
        step: int | None = None,
        text: str = "",
        values: dict[str, float] | None = None,
    ) -> None:
        self._send(
            truth_of(
                head,
                head.start,
                rfc3339(now_ns),
                truth_id=self.scenario.name if step is None else f"{self.scenario.name}-{step}-{what}",
                what=what,
                phase=phase,
                name=name,
                text=text,
                values=values or {},
                scenario=self.scenario.name,
            )
        )

    def _jump(self, run: _BedRun, head: Playhead, position: int) -> None:
        """Go on at another position: with what is in effect there, as if nobody had done anything."""
        bed = self.scenario.beds[run.number]
        for number, step in enumerate(run.steps):
            if step.inject is not None and run.timeline.fired[number] is not None:
                self._actor.do(head.bed, StopInjection(injection_id=injection_id(self.scenario, number)))
        timeline, happened = advance(run.steps, begin(run.steps, bed.rhythm), position)
        # What was expected before is not expected any more.
        run.timeline, run.over, run.ending = timeline._replace(expected=()), False, False
        if isinstance(run.record, LiveRecord):
            patient = patient_at(bed, run.steps, happened, position)
            self._actor.show(head.bed, _live(self.scenario, run.number, patient, position), 0)
            self._actor.tell_rhythm(head.bed, timeline.rhythm)
        else:
            first = round(bed.start_s * FS) + position
            self._actor.show(head.bed, run.record, first % run.record.n)
        run.at = head.start
        for one in in_progress(self.scenario, run.steps, happened, position):
            self._actor.do(head.bed, one)
