"""Presenter: processes messages, keeps the state of each bed, and builds a `Frame` for a given time. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.view.bed import Bed
from monitor.view.central_station import RedAlarm
from monitor.view.chart import WardRow, by_risk
from monitor.view.detail_requests import DrawnBeds
from monitor.view.link import STALE, Link, LinkState, state_phrase
from monitor.view.link_state import NO_ALARMS, NOTICES, MaxAge, bed_link, link_state
from monitor.view.process_status import Services
from monitor.view.replay_status import ReplayStatus
from monitor.view.trace import Drawn, View
from monitor.view.view_model import Arrivals, BedTab, Frame, Patient, Pauses, Replay
from stream.mqtt.client import Received
from stream.timebase import FS
from stream.wire.alarm_messages import ADVISORIES, ActiveAlarms, Alarm, Limits
from stream.wire.alarm_texts import Phrase
from stream.wire.bed_places import WINDOW_PLACES, BedPlaces, configured_places
from stream.wire.lease import Leases
from stream.wire.messages import Annotation, Beat, Forecast, Message, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import Outlook
from stream.wire.publishers import Publishers
from stream.wire.replay_actions import ReplayAction
from stream.wire.score_message import Score
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role
from stream.wire.wave_message import Wave

DEFAULT_VIEW = View()


@dataclass(frozen=True, slots=True)
class Broker:
    """State of the connection to the broker.

    Attributes
    ----------
    connected : bool
    phrase : Phrase
        State and address.
    """

    connected: bool
    phrase: Phrase


class Presenter:
    """State of all beds on the broker."""

    def __init__(self) -> None:
        self._beds: dict[str, Bed] = {}
        self._places = BedPlaces(configured_places(WINDOW_PLACES))
        self._services = Services()
        self._leases = Leases()
        self._publishers = Publishers()
        self._max_age: dict[str, MaxAge] = {}
        self._drawn = DrawnBeds()
        self._replays: dict[str, ReplayStatus] = {}
        self._present: tuple[str, ...] | None = ()

    @property
    def beds(self) -> tuple[str, ...]:
        """Names of the beds that are present, sorted.

        A bed is present from its publisher's status or first sample until its publisher has ended and gone offline. It
        stays present, with NO DATA, if the publisher was lost, and while an online worker holds an alarm of it.
        """
        if self._present is None:  # several times in each frame
            self._present = tuple(sorted(name for name, bed in self._beds.items() if self._is_present(bed)))
        return self._present

    def _is_present(self, bed: Bed) -> bool:
        if self._services.publisher(bed.name) is not None:
            return True
        if bed.alarms.highest_priority() is not None and self._services.worker(bed.name) is not None:
            return True
        last = self._services.last_publisher(bed.name)
        return self._streams(bed) and (last is None or last.state != "ended")

    def process(self, received: Received) -> None:
        """Process one message; one of a worker that another one has replaced is ignored."""
        topic, message = received.topic, received.message
        self._present = None
        if topic.bed is not None and not self._admit(topic.bed, received):
            return
        if not self._leases.accept(message):
            return
        self._services.process(received)
        if isinstance(message, BedStatus | ProcessStatus):
            self._follow_status(message, received)
        if topic.kind is Kind.STATUS and topic.bed is not None:
            if topic.role is Role.PUBLISHER:
                self._process_publisher(topic.bed, message, received.received_ns)
        elif (
            topic.kind is not Kind.PROCESS
            and topic.bed is not None
            and (message is not None or topic.bed in self._beds)
        ):
            self._process_bed(self._bed(topic.bed), received)

    def _admit(self, bed: str, received: Received) -> bool:
        """Return whether there is a place for a bed; forget the one that loses its place to it."""
        chunk = received.message
        signal_s = chunk.n / FS if isinstance(chunk, Waveform) else 0.0
        admitted, lost = self._places.admit(bed, received.monotonic_ns / 1e9, signal_s, retained=received.retained)
        if lost is not None:
            self._forget(lost)
        return admitted

    def _follow_status(self, status: BedStatus | ProcessStatus, received: Received) -> None:
        """Process what a status says about the sessions that are sent and served."""
        for name, session in self._publishers.update(status):
            if name in self._beds:
                self._beds[name].release(session, received.received_ns, received.monotonic_ns)
        if isinstance(status, BedStatus) and status.role == "worker" and status.bed in self._beds:
            self._beds[status.bed].follow_worker(status.session)

    def _process_publisher(self, bed: str, message: Message | None, received_ns: int) -> None:
        status = message if isinstance(message, BedStatus) else None
        self._replay_of(bed).process(status, received_ns)
        if status is None:
            self._remove(bed)
        elif self._services.publisher(bed) is not None:
            self._bed(bed)

    def _process_bed(self, bed: Bed, received: Received) -> None:
        if received.topic.kind is Kind.ALARMS_ACTIVE and received.message is None:
            bed.alarms.set_active(None)
        match received.message:
            case Waveform() as chunk:
                bed.add_waveform(chunk, received.received_ns, received.monotonic_ns)
            case Forecast() as forecast:
                bed.add_forecast(forecast, received.received_ns)
            case Alarm() as alarm:
                bed.alarms.add_event(alarm)
                if alarm.phase == "raised" and alarm.kind not in ADVISORIES:
                    bed.trend.mark(received.received_ns, alarm.priority)
            case ActiveAlarms() as active:
                bed.alarms.set_active(active)
            case Beat() as beat:
                bed.add_beat(beat)
            case Annotation() as annotation:
                bed.add_annotation(annotation)
            case Vitals() as vitals:
                bed.add_vitals(vitals, received.received_ns)
            case Wave() as wave:
                bed.add_wave(wave)
            case Outlook() as outlook:
                bed.chart.add_outlook(outlook)
            case Score() as score:
                bed.latest_score = score
            case Numerics() as numerics:
                bed.add_numerics(numerics, received.received_ns, worker=self._services.worker(bed.name) is not None)

    def _bed(self, name: str) -> Bed:
        bed = self._beds.get(name)
        if bed is None:
            bed = self._beds[name] = Bed(name)
        return bed

    def _remove(self, name: str) -> None:
        """Remove a bed whose publisher removed its status; it reappears with its next chunk."""
        self._beds.pop(name, None)
        self._max_age.pop(name, None)

    def _forget(self, name: str) -> None:
        """Remove everything about a bed."""
        self._remove(name)
        self._replays.pop(name, None)
        self._services.forget(name)
        self._drawn.forget(name)

    def in_full(self, bed: str) -> bool:
        """Return whether a bed sends in full without being asked: its ward is not large; see `stream.wire.detail`."""
        return self._services.in_full(bed)

    def bed(self, name: str | None) -> Bed | None:
        """Return the state of a bed, for reading; None for an unknown name."""
        return None if name is None else self._beds.get(name)

    def limits(self, bed: str) -> Limits | None:
        """Return the limits of a bed as last reported by its worker; None if not reported."""
        known = self._beds.get(bed)
        return None if known is None else known.alarms.limits

    def request(self, bed: str, action: ReplayAction, now_ns: int) -> None:
        """Register a request to a bed's publisher; it is pending until the status shows its effect."""
        self._replay_of(bed).add_request(action, now_ns)

    def _replay_of(self, bed: str) -> ReplayStatus:
        return self._replays.setdefault(bed, ReplayStatus())

    def red_alarms(self, now_ns: int) -> tuple[RedAlarm, ...]:
        """Return the unacknowledged alarms of high priority of all beds whose worker is online, one of each bed.

        Parameters
        ----------
        now_ns : int
            Unix time.
        """
        lines = ((name, self._beds[name].alarms.red_line()) for name in self.beds)
        return tuple(
            RedAlarm(name, line, paused=self._beds[name].alarms.pauses(now_ns).alarms_s > 0)
            for name, line in lines
            if line is not None and self._services.worker(name) is not None
        )

    # --- frames -------------------------------------------------------------------------------------------------

    def frame(self, now_ns: int, bed: str | None, broker: Broker, view: View = DEFAULT_VIEW) -> Frame:
        """Return the frame of one bed at a time.

        Parameters
        ----------
        now_ns : int
            Unix time.
        bed : str or None
            The bed to show; None shows the first that streams. The frame of an unknown bed is empty.
        broker : Broker
        view : View
            Amount of signal that fits.
        """
        tabs = self._tabs(self.beds, now_ns, broker)
        if bed is None:
            streaming = (tab.name for tab in tabs if self._streams(self._beds[tab.name]))
            bed = next(streaming, None)
        shown = self._beds.get(bed) if bed is not None else None
        if shown is None:
            state = LinkState.WAITING if broker.connected else LinkState.NO_BROKER
            link = Link(state, state_phrase(state))
            notice = NOTICES[state] if broker.connected else broker.phrase
            return Frame(
                now_ns=now_ns,
                bed=bed,
                beds=tabs,
                waveform=None,
                position_s=0,
                link=link,
                trace=None,
                patient=Patient(),
                forecast=None,
                arrivals=Arrivals(),
                pauses=Pauses(),
                notices=(notice,),
                worker=False,
                active=(),
                history=(),
                broker=broker.phrase,
            )
        return self._frame(shown, now_ns, tabs, broker, view, None)

    @staticmethod
    def _streams(bed: Bed) -> bool:
        return bed.waveform is not None or bed.chart.current is not None

    def ward_rows(self) -> tuple[WardRow, ...]:
        """Return the beds without ECG that are present, by risk."""
        return by_risk(
            WardRow(bed.name, chart, link_state(bed, self._services, 0, 0) not in STALE, bed.alarms.highest_priority())
            for bed in map(self._beds.__getitem__, self.beds)
            if (chart := bed.chart.current) is not None
        )

    def frames(self, now_ns: int, broker: Broker, wanted: Mapping[str, tuple[View, Drawn | None]]) -> tuple[Frame, ...]:
        """Return the frames of several beds at a time; the tabs of each list only these beds.

        Parameters
        ----------
        now_ns : int
            Unix time.
        broker : Broker
        wanted : dict of str to (View, Drawn or None)
            For each bed, the amount of signal that fits, and what its sweep has already drawn.
        """
        known = {name: view for name, view in wanted.items() if name in self._beds}
        tabs = self._tabs(known, now_ns, broker)
        return tuple(
            self._frame(self._beds[name], now_ns, tabs, broker, view, drawn) for name, (view, drawn) in known.items()
        )

    def _frame(
        self, shown: Bed, now_ns: int, tabs: tuple[BedTab, ...], broker: Broker, view: View, drawn: Drawn | None
    ) -> Frame:
        self._drawn.mark(shown.name, now_ns)
        shown.advance(now_ns, view)
        chunk, trace = shown.waveform, shown.trace(drawn)
        tab = next((tab for tab in tabs if tab.name == shown.name), None)
        state = self._state(shown, now_ns, broker) if tab is None else tab.state
        link = bed_link(shown, state, self._max_age.setdefault(shown.name, MaxAge()), now_ns)
        cursor = trace.cursor if trace else None
        session = trace.session if trace else None
        chart = shown.chart.current
        hours = None if chunk is None else shown.chart.hours_of(chunk)
        if chart is not None:
            hours = chart.hours
            cursor, session = chart.numerics.index + 1, chart.numerics.session
        worker = self._services.worker(shown.name) is not None
        live = worker and not link.stale
        notices = [link.phrase if link.state is LinkState.NO_DATA else NOTICES.get(link.state)]
        if self._streams(shown) and not worker and link.state is not LinkState.NO_WORKER:
            notices.append(NOTICES[LinkState.NO_WORKER])
        if live and link.state is LinkState.LIVE and not shown.alarms.listed:
            notices.append(NO_ALARMS)
        return Frame(
            now_ns=now_ns,
            bed=shown.name,
            beds=tabs,
            waveform=chunk,
            position_s=(chunk.position + trace.cursor - chunk.start) // FS if chunk and trace else 0,
            link=link,
            trace=trace,
            patient=shown.patient(now_ns) if live else Patient(),
            readings=shown.numerics.readings(trace.session, now_ns, worker=worker) if trace and not link.stale else {},
            st_levels=shown.numerics.st_levels(trace.session, now_ns) if trace and live else (),
            forecast=shown.forecast,
            arrivals=shown.arrivals(),
            pauses=shown.alarms.pauses(now_ns),
            notices=tuple(notice for notice in notices if notice),
            worker=worker and broker.connected,
            active=shown.alarms.active(session, cursor),
            history=shown.alarms.history(session, cursor),
            listed=shown.alarms.listed,
            broker=broker.phrase,
            score=shown.score,
            replay=self._replay(shown, now_ns) if broker.connected else None,
            chart=chart,
            hours=hours,
        )

    def _replay(self, bed: Bed, now_ns: int) -> Replay | None:
        return self._replay_of(bed.name).snapshot(now_ns, bed.waveform) if self._services.publisher(bed.name) else None

    def _tabs(self, names: Iterable[str], now_ns: int, broker: Broker) -> tuple[BedTab, ...]:
        beds = (self._beds[name] for name in names)
        return tuple(BedTab(bed.name, self._state(bed, now_ns, broker), bed.alarms.highest_priority()) for bed in beds)

    def _state(self, bed: Bed, now_ns: int, broker: Broker) -> LinkState:
        if not broker.connected:
            return LinkState.NO_BROKER
        state = link_state(bed, self._services, self._replay_of(bed.name).playing_since_ns, now_ns)
        if state is LinkState.NO_DATA and not self.in_full(bed.name) and not self._drawn.expected(bed.name, now_ns):
            return LinkState.WAITING  # of a large ward, and not asked for, or only just
        return state
