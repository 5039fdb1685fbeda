"""A scenario in progress: moves the timeline of each bed with its samples, and does what its steps say. No socket."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from stream.clock import rfc3339
from stream.errors import UsageError
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.bed import Bed
from stream.replay.bed_actions import BedActions
from stream.replay.bed_statuses import BedStatuses
from stream.replay.playhead import AnyRecord, Playhead
from stream.replay.scenario_episodes import Episodes
from stream.replay.scenario_records import live_record
from stream.replay.truths import truth_of
from stream.scenario.course import in_progress, injection, injection_id, patient_at
from stream.scenario.description import status_of
from stream.scenario.scenario import Scenario, Step
from stream.scenario.timeline import Event, Happening, Timeline, advance, begin, observe
from stream.timebase import FS
from stream.wire.alarm_texts import Language
from stream.wire.fields import MAX_INDEX
from stream.wire.messages import Message
from stream.wire.replay_actions import InjectionAction, PatientAction, SetRhythm, SetScenario, SetVitals, StopInjection
from stream.wire.scenario_status import ScenarioStatus
from stream.wire.truth_message import TruthPhase, TruthWhat

log = logging.getLogger("bedside.publisher")


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
        That of the start.
    begun, over : bool
        Whether the truth about start and end of the scenario was sent.
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


class ScenarioRun:
    """All beds of a scenario.

    Parameters
    ----------
    scenario : Scenario
    beds : mapping of str to Bed
        Those of the publisher, at the start, with the records of `stream.replay.scenario_records.first_records`.
    episodes : mapping
        See `stream.replay.scenario_episodes.episodes_of`.
    language : str
        Of its texts, ``en`` or ``ja``.
    actions : BedActions
        Does what the steps say.
    statuses : BedStatuses
        Publishes the status of a bed after a step.
    send : callable
        Sends a message.
    """

    def __init__(
        self,
        scenario: Scenario,
        beds: Mapping[str, Bed],
        episodes: Episodes,
        language: Language,
        actions: BedActions,
        statuses: BedStatuses,
        send: Callable[[Message], None],
    ) -> None:
        self._scenario = scenario
        self._beds = beds
        self._episodes = episodes
        self._language: Language = language
        self._actions = actions
        self._statuses = statuses
        self._send = send
        self._playing = True
        self._runs: dict[str, _BedRun] = {}
        for number, bed in enumerate(scenario.beds):
            steps = scenario.steps_of(bed.name)
            record = beds[bed.name].head.record
            self._runs[bed.name] = _BedRun(number, steps, begin(steps, bed.rhythm), record)

    def reach(self, head: Playhead, now_ns: int) -> None:
        """Do what happens at a bed up to its next sample, with it."""
        run = self._runs[head.bed]
        if not run.begun:
            run.begun, run.at = True, head.start
            self._tell(head, now_ns, "scenario", "begin", self._scenario.name, text=self._about)
            if isinstance(head.record, LiveRecord):
                self._actions.send_rhythm(head.bed, run.timeline.rhythm)
        elapsed, run.at = head.start - run.at, head.start
        if self._playing and not run.over:
            self._advance(run, head, now_ns, run.timeline.position + elapsed)
            if run.timeline.position >= self._scenario.samples:
                self.end(head, now_ns)
        self._end_record(run, head)

    def _end_record(self, run: _BedRun, head: Playhead) -> None:
        """End a recorded bed with the scenario: its record may be longer, or restart. A live patient ends by itself."""
        left = max(self._scenario.samples - run.timeline.position, 0)
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
            self._actions.end_after(head.bed, left)

    def pass_over(self, bed: str, n: int) -> None:
        """Note that the next samples of a bed are not of its time: those before an episode, passed in a moment."""
        self._runs[bed].at += n

    def end(self, head: Playhead, now_ns: int) -> None:
        """Do what happens at the end of the scenario of a bed, and tell that it is over, once."""
        run = self._runs[head.bed]
        if run.begun and not run.over:
            self._advance(run, head, now_ns, self._scenario.samples)
            run.over = True
            self._tell(head, now_ns, "scenario", "end", self._scenario.name)

    def _advance(self, run: _BedRun, head: Playhead, now_ns: int, to: int) -> None:
        run.timeline, happened = advance(run.steps, run.timeline, min(to, self._scenario.samples))
        for one in happened:
            if one.kind == "step":
                self._do(run, head, now_ns, one.step)
            else:
                self._tell_outcome(run, head, now_ns, one)

    def observe(self, head: Playhead, event: Event, now_ns: int) -> None:
        """Process an event at a bed: a step may wait for it, or a student was to do it."""
        run = self._runs[head.bed]
        run.timeline, done = observe(run.steps, run.timeline, event)
        for one in done:
            self._tell_outcome(run, head, now_ns, one)

    def set(self, action: SetScenario, now_ns: int) -> str:
        """Pause, go on, or jump, at all beds; return what was done, in words.

        Raises
        ------
        UsageError
            The position is beyond the end.
        """
        done = []
        if action.position_s is not None:
            if action.position_s >= self._scenario.seconds:
                raise UsageError(f"position {action.position_s:g} s: the scenario has {self._scenario.seconds:g} s")
            position = round(action.position_s * FS)
            for name, run in self._runs.items():
                self._jump(run, self._beds[name].head, now_ns, position)
            done.append(f"moved to {action.position_s:g} s")
        if action.playing is not None:
            self._playing = action.playing
            done.append("goes on" if action.playing else "waits")
        for name, run in self._runs.items():
            head = self._beds[name].head
            if isinstance(head.record, LiveRecord):
                left = self._scenario.samples - run.timeline.position
                head.record.n = head.position + left if self._playing else MAX_INDEX
        return f"scenario {' and '.join(done) or 'is as it was'}"

    def status(self, bed: str) -> ScenarioStatus:
        """Return the state of a bed's timeline, as the status of the bed shows it."""
        run = self._runs[bed]
        return status_of(self._scenario, run.steps, run.timeline, self._playing and not run.over, self._language)

    @property
    def _about(self) -> str:
        return f"{self._scenario.title.of(self._language)}\n{self._scenario.about.of(self._language)}"

    def _do(self, run: _BedRun, head: Playhead, now_ns: int, number: int) -> None:
        """Do a step."""
        step = run.steps[number]
        if step.rhythm is not None:
            self._perform(head, now_ns, SetRhythm(rhythm=step.rhythm, rate=step.rate))
        if step.vitals:
            self._perform(head, now_ns, SetVitals(values=step.vitals, seconds=step.ramp_s))
        begun = injection(self._scenario, run.steps, number)
        if begun is not None:
            self._perform(head, now_ns, begun)
        if step.stop is not None:
            [other] = (i for i, one in enumerate(run.steps) if one.name == step.stop)
            self._perform(head, now_ns, StopInjection(injection_id=injection_id(self._scenario, other)))
        if step.note is not None:
            self._tell(head, now_ns, "note", "at", step.name or "", number, step.note.of(self._language))
        if step.expect is not None:
            text = step.expect.text.of(self._language)
            values = {"within_s": step.expect.within_s}
            self._tell(head, now_ns, "expected_action", "begin", step.expect.action, number, text, values)
        if step.episode is not None:
            record, episode = self._episodes[head.bed, number]
            show = partial(self._actions.show_episode, head.bed, record, episode, step.then or "return")
            if self._possible(head, show):
                self._statuses.publish(self._beds[head.bed])

    def _perform(self, head: Playhead, now_ns: int, action: PatientAction | InjectionAction) -> None:
        if self._possible(head, partial(self._actions.perform, head.bed, action, "scenario")):
            if isinstance(action, SetRhythm):
                self.observe(head, Event("rhythm", action.rhythm), now_ns)
            self._statuses.publish(self._beds[head.bed])

    def _possible(self, head: Playhead, do: Callable[[], None]) -> bool:
        """Do something; after a command of somebody it may be impossible: that is logged, and False is returned."""
        try:
            do()
        except UsageError as error:
            log.warning("%s: a step of the scenario is left out: %s", head.bed, error)
            return False
        return True

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
                truth_id=self._scenario.name if step is None else f"{self._scenario.name}-{step}-{what}",
                what=what,
                phase=phase,
                name=name,
                text=text,
                values=values or {},
                scenario=self._scenario.name,
            )
        )

    def _jump(self, run: _BedRun, head: Playhead, now_ns: int, position: int) -> None:
        """Go on at another position: with what is in effect there, as if nobody had done anything."""
        bed = self._scenario.beds[run.number]
        for number, step in enumerate(run.steps):
            if step.inject is not None and run.timeline.fired[number] is not None:
                self._perform(head, now_ns, StopInjection(injection_id=injection_id(self._scenario, number)))
        timeline, happened = advance(run.steps, begin(run.steps, bed.rhythm), position)
        # What was expected before is not expected any more.
        run.timeline, run.over, run.ending = timeline._replace(expected=()), False, False
        if isinstance(run.record, LiveRecord):
            patient = patient_at(bed, run.steps, happened, position)
            self._actions.go_to(head.bed, live_record(self._scenario, run.number, patient, position), 0)
            self._actions.send_rhythm(head.bed, timeline.rhythm)
        else:
            first = round(bed.start_s * FS) + position
            self._actions.go_to(head.bed, run.record, first % run.record.n)
        run.at = head.start
        for one in in_progress(self._scenario, run.steps, happened, position):
            self._perform(head, now_ns, one)
