"""From messages to the picture: keeps what each bed and process said, and makes a `Frame` for any moment. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.view.bed import Bed
from monitor.view.link import Link, LinkState, state_phrase
from monitor.view.replay_status import Replaying
from monitor.view.view_model import BedTab, Drawn, Frame, Numbers, Patient, Pauses, Replay, View
from stream.mqtt.client import Received
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Limits
from stream.wire.messages import Annotation, Beat, BedStatus, Forecast, ProcessStatus, Vitals, Waveform
from stream.wire.phrases import Phrase, phrase
from stream.wire.replay_actions import ReplayAction
from stream.wire.topics import Kind, Role

STALE_S = 1.0
"""Data older than this, or than two and a half chunks, is not of now."""

VIEW = View()

NO_FORECAST_S = 3.0
"""A worker that says it lives and forecasts nothing for so long has hung."""

NOTICES: Mapping[LinkState, Phrase] = {
    state: phrase(f"notice.{state}") for state in LinkState if state not in (LinkState.LIVE, LinkState.NO_DATA)
}
"""What a technical message says of a state; that of NO_DATA counts the seconds."""


@dataclass(frozen=True, slots=True)
class Broker:
    """The connection to the broker.

    Attributes
    ----------
    connected : bool
    phrase : Phrase
        With the address.
    """

    connected: bool
    phrase: Phrase


class Presenter:
    """The state of everything on the broker, as far as a monitor shows it."""

    def __init__(self) -> None:
        self._beds: dict[str, Bed] = {}
        self._status: dict[tuple[str, Role], BedStatus] = {}
        self._online: dict[tuple[Role, str], bool] = {}
        self._worst_age: dict[str, _WorstAge] = {}
        self._replaying: dict[str, Replaying] = {}

    @property
    def beds(self) -> tuple[str, ...]:
        """The names of the beds that are there, in order.

        A bed is there from its publisher's status, or its first sample, until the publisher has taken its leave. One
        that died is there with NO DATA; so is one with an alarm that its worker still holds.
        """
        return tuple(sorted(name for name, bed in self._beds.items() if self._is_there(bed)))

    def _is_there(self, bed: Bed) -> bool:
        publisher = self._status.get((bed.name, Role.PUBLISHER))
        if publisher is not None and self._lives(publisher):
            return True
        if bed.alarms.most_urgent() is not None and self._has_worker(bed):
            return True
        return bed.waveform is not None and (publisher is None or publisher.state != "ended")

    def take(self, received: Received) -> None:
        """Take one message."""
        topic, message = received.topic, received.message
        if topic.kind is Kind.PROCESS and topic.role is not None and topic.instance is not None:
            online = isinstance(message, ProcessStatus) and message.state == "online"
            self._online[topic.role, topic.instance] = online
            if message is None:
                del self._online[topic.role, topic.instance]
        elif topic.kind is Kind.STATUS and topic.bed is not None and topic.role is not None:
            if topic.role is Role.PUBLISHER:
                told = message if isinstance(message, BedStatus) else None
                self._replay_of(topic.bed).take(told, received.received_ns)
            if isinstance(message, BedStatus):
                self._status[topic.bed, topic.role] = message
                if topic.role is Role.PUBLISHER and self._lives(message):
                    self._bed(topic.bed)
            else:
                self._status.pop((topic.bed, topic.role), None)
                if topic.role is Role.PUBLISHER:
                    self._forget(topic.bed)
        elif topic.bed is not None and (message is not None or topic.bed in self._beds):
            self._take_of_bed(self._bed(topic.bed), received)

    def _take_of_bed(self, bed: Bed, received: Received) -> None:
        if received.topic.kind is Kind.ALARMS_ACTIVE and received.message is None:
            bed.alarms.take_active(None)
        match received.message:
            case Waveform() as chunk:
                bed.take_waveform(chunk, received.received_ns)
            case Forecast() as forecast:
                bed.take_forecast(forecast, received.received_ns)
            case Alarm() as alarm:
                bed.alarms.take_event(alarm)
                if alarm.phase == "raised":
                    bed.trend.mark(received.received_ns, alarm.priority)
            case ActiveAlarms() as active:
                bed.alarms.take_active(active)
            case Beat() as beat:
                bed.take_beat(beat)
            case Annotation() as annotation:
                bed.take_annotation(annotation)
            case Vitals() as vitals:
                bed.take_vitals(vitals, received.received_ns)

    def _bed(self, name: str) -> Bed:
        bed = self._beds.get(name)
        if bed is None:
            bed = self._beds[name] = Bed(name)
        return bed

    def _forget(self, name: str) -> None:
        """Let a bed go whose publisher took its status back; one that sends on comes back with the next chunk."""
        self._beds.pop(name, None)
        self._worst_age.pop(name, None)

    def bed(self, name: str | None) -> Bed | None:
        """Return what is known of a bed, to look at; None for a name that was never heard."""
        return None if name is None else self._beds.get(name)

    def limits(self, bed: str) -> Limits | None:
        """Return the limits of a bed as its worker last told them; None where it has not."""
        known = self._beds.get(bed)
        return None if known is None or known.alarms.settings is None else known.alarms.settings.limits

    def wish(self, bed: str, action: ReplayAction, now_ns: int) -> None:
        """Remember what was asked of a bed's publisher, until its status shows it."""
        self._replay_of(bed).ask(action, now_ns)

    def _replay_of(self, bed: str) -> Replaying:
        return self._replaying.setdefault(bed, Replaying())

    # --- frames -------------------------------------------------------------------------------------------------

    def frame(self, now_ns: int, bed: str | None, broker: Broker, view: View = VIEW) -> Frame:
        """Return the picture of one bed at this moment.

        Parameters
        ----------
        now_ns : int
            Unix time.
        bed : str or None
            The bed to show; None or an unknown one shows the first that streams, or nothing of any bed.
        broker : Broker
        view : View
            How much of the signal fits.
        """
        tabs = self._tabs(self.beds, now_ns, broker)
        if bed is None:
            bed = next((tab.name for tab in tabs if self._beds[tab.name].waveform is not None), None)
        shown = self._beds.get(bed) if bed is not None else None
        if shown is None:
            state = LinkState.WAITING if broker.connected else LinkState.NO_BROKER
            link = Link(state, state_phrase(state))
            notice = NOTICES[state] if broker.connected else broker.phrase
            return Frame(
                now_ns=now_ns,
                bed=bed,
                beds=tabs,
                record="",
                position_s=0,
                synthetic=False,
                speed=1.0,
                link=link,
                trace=None,
                patient=Patient(),
                numbers=Numbers(),
                pauses=Pauses(),
                notices=(notice,),
                worker=False,
                active=(),
                history=(),
                broker=broker.phrase,
            )
        return self._picture(shown, now_ns, tabs, broker, view, None)

    def frames(self, now_ns: int, broker: Broker, wanted: Mapping[str, tuple[View, Drawn | None]]) -> tuple[Frame, ...]:
        """Return the pictures of several beds at this moment; each names these beds alone.

        Parameters
        ----------
        now_ns : int
            Unix time.
        broker : Broker
        wanted : dict of str to (View, Drawn or None)
            For each bed, how much of the signal fits, and what its sweep shows already.
        """
        known = {name: what for name, what in wanted.items() if name in self._beds}
        tabs = self._tabs(known, now_ns, broker)
        return tuple(
            self._picture(self._beds[name], now_ns, tabs, broker, view, drawn) for name, (view, drawn) in known.items()
        )

    def _picture(
        self, shown: Bed, now_ns: int, tabs: tuple[BedTab, ...], broker: Broker, view: View, drawn: Drawn | None
    ) -> Frame:
        chunk, trace = shown.waveform, shown.trace(now_ns, view, drawn)
        link = self._link(shown, self._state(shown, now_ns, broker), now_ns)
        session, cursor = (trace.session, trace.cursor) if trace else (None, None)
        worker = self._has_worker(shown)
        live = worker and not link.stale
        notices = [link.phrase if link.state is LinkState.NO_DATA else NOTICES.get(link.state)]
        if chunk is not None and not worker and link.state is not LinkState.NO_WORKER:
            notices.append(NOTICES[LinkState.NO_WORKER])
        return Frame(
            now_ns=now_ns,
            bed=shown.name,
            beds=tabs,
            record=chunk.record if chunk else "",
            position_s=(chunk.position + trace.cursor - chunk.start) // FS if chunk and trace else 0,
            synthetic=chunk.synthetic if chunk else False,
            speed=chunk.speed if chunk else 1.0,
            link=link,
            trace=trace,
            patient=shown.patient(now_ns) if live else Patient(),
            numbers=shown.numbers(),
            pauses=shown.pauses(now_ns),
            notices=tuple(notice for notice in notices if notice),
            worker=worker and broker.connected,
            active=shown.alarms.active(session, cursor),
            history=shown.alarms.history(session, cursor),
            broker=broker.phrase,
            replay=self._replay(shown, now_ns) if broker.connected else None,
        )

    def _replay(self, bed: Bed, now_ns: int) -> Replay | None:
        return self._replay_of(bed.name).picture(now_ns, bed.waveform) if self._publisher(bed) else None

    def _tabs(self, names: Iterable[str], now_ns: int, broker: Broker) -> tuple[BedTab, ...]:
        beds = (self._beds[name] for name in names)
        return tuple(BedTab(bed.name, self._state(bed, now_ns, broker), bed.alarms.most_urgent()) for bed in beds)

    def _link(self, bed: Bed, state: LinkState, now_ns: int) -> Link:
        if bed.playout is None or state in (LinkState.WAITING, LinkState.PAUSED):
            return Link(state, state_phrase(state))
        age = bed.playout.age_s(now_ns)
        if state in (LinkState.NO_DATA, LinkState.NO_BROKER, LinkState.ENDED):
            return Link(state, state_phrase(state, f"{age:.0f}"))
        # The age swings with each chunk; the worst of the last second can be read.
        worst = self._worst_age.setdefault(bed.name, _WorstAge()).take(now_ns, age)
        return Link(state, state_phrase(state, f"{worst:.1f}"))

    def _state(self, bed: Bed, now_ns: int, broker: Broker) -> LinkState:
        if not broker.connected:
            return LinkState.NO_BROKER
        if bed.playout is None:
            return LinkState.WAITING
        publisher = self._publisher(bed)
        # While it was paused no sample was due: whatever is late is late since it plays again.
        resumed_ns = self._replay_of(bed.name).since_ns if publisher is not None else 0
        chunk_s = bed.playout.chunk_s
        if publisher is not None:
            chunk_s = max(chunk_s, bed.playout.n / (FS * publisher.speed))  # it may just have become slower
        late_s = min(bed.playout.age_s(now_ns), (now_ns - resumed_ns) / 1e9)
        drawn = bed.playout.cursor(now_ns) >= bed.playout.start + bed.playout.n
        if publisher is not None and publisher.state == "paused" and drawn:
            return LinkState.PAUSED
        if late_s > max(STALE_S, 2.5 * chunk_s):
            last = self._status.get((bed.name, Role.PUBLISHER))
            return LinkState.ENDED if last is not None and last.state == "ended" else LinkState.NO_DATA
        if not self._has_worker(bed):
            return LinkState.NO_WORKER
        if bed.forecast_at_ns is not None and now_ns - max(bed.forecast_at_ns, resumed_ns) > NO_FORECAST_S * 1e9:
            return LinkState.NO_FORECAST
        learning = self._status[bed.name, Role.WORKER].state == "learning"
        return LinkState.LEARNING if learning else LinkState.LIVE

    def _publisher(self, bed: Bed) -> BedStatus | None:
        """Return what the publisher says; None where it does not live."""
        publisher = self._status.get((bed.name, Role.PUBLISHER))
        return publisher if publisher is not None and self._lives(publisher) else None

    def _has_worker(self, bed: Bed) -> bool:
        worker = self._status.get((bed.name, Role.WORKER))
        return worker is not None and worker.state != "stopped" and self._lives(worker)

    def _lives(self, status: BedStatus) -> bool:
        return self._online.get((Role(status.role), status.instance), False)


class _WorstAge:
    """The largest age within the last whole second."""

    def __init__(self) -> None:
        self._second = 0
        self._shown = self._now = 0.0

    def take(self, now_ns: int, age: float) -> float:
        second = now_ns // 1_000_000_000
        if second != self._second:
            self._second, self._shown, self._now = second, self._now, age
        self._now = max(self._now, age)
        return max(self._shown, age)
