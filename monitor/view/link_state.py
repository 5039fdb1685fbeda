"""Connection state of a bed, from its playout and the processes that serve it."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.view.bed import Bed
from monitor.view.link import Link, LinkState, state_phrase
from monitor.view.process_status import Services
from stream.timebase import FS
from stream.wire.alarm_texts import Phrase, phrase

STALE_AFTER_S = 1.0
"""Age at which data are stale, s; for long chunks it is 2.5 chunks."""

FORECAST_TIMEOUT_S = 3.0
"""An online worker that sends no forecast for this time does not respond, s."""

NOTICES: Mapping[LinkState, Phrase] = {
    state: phrase(f"notice.{state}") for state in LinkState if state not in (LinkState.LIVE, LinkState.NO_DATA)
}
"""Technical message of each state; that of NO_DATA contains the seconds and is not listed."""

NO_ALARMS = phrase("notice.no_alarms")
"""Shown while the list of alarms of a worker that serves the bed has not been received."""


def link_state(bed: Bed, services: Services, playing_since_ns: int, now_ns: int) -> LinkState:
    """Return the worst state that applies to a bed, while the broker is connected.

    Parameters
    ----------
    bed : Bed
    services : Services
    playing_since_ns : int
        Unix time since which the publisher has been playing. While it was paused no sample was due, so lateness
        counts from this time.
    now_ns : int
        Unix time.
    """
    playout, publisher = bed.playout, services.publisher(bed.name)
    if bed.chart.current is not None:
        return _chart_state(bed.name, services)
    if playout is None:
        return LinkState.WAITING
    resumed_ns = playing_since_ns if publisher is not None else 0
    chunk_s = playout.chunk_s
    if publisher is not None:
        chunk_s = max(chunk_s, playout.n / (FS * publisher.speed))  # the speed may just have been reduced
    late_s = min(playout.age_s(now_ns), (now_ns - resumed_ns) / 1e9)
    drawn = playout.cursor(now_ns) >= playout.start + playout.n
    if publisher is not None and publisher.state == "paused" and drawn:
        return LinkState.PAUSED
    if late_s > max(STALE_AFTER_S, 2.5 * chunk_s):
        last = services.last_publisher(bed.name)
        return LinkState.ENDED if last is not None and last.state == "ended" else LinkState.NO_DATA
    worker = services.worker(bed.name)
    if worker is None:
        return LinkState.NO_WORKER
    if services.overloaded(bed.name):
        return LinkState.OVERLOADED
    if bed.forecast_at_ns is not None and now_ns - max(bed.forecast_at_ns, resumed_ns) > FORECAST_TIMEOUT_S * 1e9:
        return LinkState.NO_FORECAST
    return LinkState.LEARNING if worker.state == "learning" else LinkState.LIVE


def _chart_state(bed: str, services: Services) -> LinkState:
    """Return the state of a bed without ECG, whose values may come once an hour: that of its processes."""
    last, publisher, worker = services.last_publisher(bed), services.publisher(bed), services.worker(bed)
    if last is not None and last.state == "ended":
        return LinkState.ENDED
    if publisher is None:
        return LinkState.NO_DATA
    if publisher.state == "paused":
        return LinkState.PAUSED
    if worker is None:
        return LinkState.NO_WORKER
    return LinkState.OVERLOADED if services.overloaded(bed) else LinkState.LIVE


class MaxAge:
    """Largest data age of the last whole second: the age oscillates with each chunk and would be unreadable."""

    def __init__(self) -> None:
        self._second = 0
        self._shown = self._now = 0.0

    def update(self, now_ns: int, age: float) -> float:
        """Add an age in seconds, and return the largest."""
        second = now_ns // 1_000_000_000
        if second != self._second:
            self._second, self._shown, self._now = second, self._now, age
        self._now = max(self._now, age)
        return max(self._shown, age)


def bed_link(bed: Bed, state: LinkState, max_age: MaxAge, now_ns: int) -> Link:
    """Return the state with its phrase, including the age of the data where it applies."""
    if bed.chart.current is not None:
        lost = state in (LinkState.NO_DATA, LinkState.NO_BROKER, LinkState.ENDED)
        return Link(state, state_phrase(state, f"{(now_ns - bed.chart.received_ns) / 1e9:.0f}" if lost else ""))
    if bed.playout is None or state in (LinkState.WAITING, LinkState.PAUSED):
        return Link(state, state_phrase(state))
    age = bed.playout.age_s(now_ns)
    if state in (LinkState.NO_DATA, LinkState.NO_BROKER, LinkState.ENDED):
        return Link(state, state_phrase(state, f"{age:.0f}"))
    return Link(state, state_phrase(state, f"{max_age.update(now_ns, age):.1f}"))
