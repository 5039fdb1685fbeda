"""Numerics of one bed: which source is shown, how old a value is, and why one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from monitor.view.st_levels import StLevel, st_levels
from stream.wire.numerics_message import OF_A_LEAD, Numeric, NumericName, Numerics, NumericSource, NumericUnit

INTERMITTENT: frozenset[NumericName] = frozenset({"nibp_systolic", "nibp_diastolic", "nibp_mean", "temperature"})
"""Measured now and then: shown with the age of the measurement."""

LIVE_S = 10.0
"""Age up to which a continuous value is live, s."""

SHOWN_S = 60.0
"""Age up to which a continuous value is shown, dimmed and with its age, s."""

INTERMITTENT_SHOWN_S = 4 * 3600.0
MEASURED_TIMEOUT_S = 3.0
"""The worker measures each second; its values are not shown when older messages are the latest, s."""

_STEP_NS = 100_000_000
"""Interval at which readings are computed again, ns; ages are shown in whole seconds."""

State = Literal["live", "stale", "missing"]
_STATES = get_args(State)
"""The better ones first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as shown.

    Attributes
    ----------
    value : float or None
        None if it is missing.
    unit, source : str
    age_s : int
        Age of the measurement in whole seconds; of a missing value, since the last one.
    state : str
        ``live``; ``stale``: shown dimmed, with its age; ``missing``.
    """

    value: float | None
    unit: NumericUnit
    source: NumericSource
    age_s: int
    state: State


Readings = Mapping[NumericName, Reading]


class BedNumerics:
    """The latest numerics of one bed: recorded or simulated ones of the publisher, measured ones of the worker."""

    def __init__(self) -> None:
        self._latest: dict[bool, tuple[Numerics, int]] = {}
        self._early: dict[bool, tuple[Numerics, int]] = {}
        self._found: tuple[object, dict[NumericName, Reading]] = (None, {})

    def add(self, message: Numerics, received_ns: int, shown: str | None = None) -> None:
        """Process a message; one of another session than the one shown is kept beside its message.

        Parameters
        ----------
        message : Numerics
        received_ns : int
            Unix time.
        shown : str or None
            The session shown; None before the bed streams.
        """
        kept = self._latest if shown in (None, message.session) else self._early
        kept[message.derived] = (message, received_ns)
        self._found = (None, {})

    def readings(self, session: str, now_ns: int, *, worker: bool) -> dict[NumericName, Reading]:
        """Return the numbers of a session at a Unix time in ns, of which tenths of a second count.

        A number that the worker measures replaces the recorded one, unless the recorded one is in a better state: live
        before stale before missing. ST levels are not included.

        Parameters
        ----------
        session : str
        now_ns : int
        worker : bool
            False omits the values of a worker that is offline.
        """
        key = session, now_ns // _STEP_NS, worker
        if key != self._found[0]:
            self._found = (key, self._readings(session, now_ns, worker=worker))
        return self._found[1]

    def _readings(self, session: str, now_ns: int, *, worker: bool) -> dict[NumericName, Reading]:
        found: dict[NumericName, Reading] = {}
        for derived in (False, True):
            message, received_ns = self._latest.get(derived, (None, 0))
            if message is None or message.session != session:
                message, received_ns = self._early.get(derived, (None, 0))
            since_s = max(now_ns - received_ns, 0) / 1e9
            if message is None or message.session != session:
                continue
            if derived and (not worker or since_s > MEASURED_TIMEOUT_S):
                continue
            for value in message.values:
                if value.name in OF_A_LEAD:
                    continue
                reading = _reading(value, since_s)
                before = found.get(value.name, reading)
                if _STATES.index(reading.state) <= _STATES.index(before.state):
                    found[value.name] = reading
        return found

    def st_levels(self, session: str, now_ns: int) -> tuple[StLevel, ...]:
        """Return the ST levels of a session that a worker has measured, at a Unix time in ns."""
        for kept in (self._latest, self._early):
            message, received_ns = kept.get(True, (None, 0))
            if message is not None and message.session == session:
                return st_levels(message, max(now_ns - received_ns, 0) / 1e9)
        return ()


def _reading(value: Numeric, since_s: float) -> Reading:
    age_s = value.age_s + since_s
    intermittent = value.name in INTERMITTENT
    live_s, shown_s = (INTERMITTENT_SHOWN_S,) * 2 if intermittent else (LIVE_S, SHOWN_S)
    state: State = "live" if age_s <= live_s else "stale" if age_s <= shown_s else "missing"
    if value.value is None:
        state = "missing"
    shown = None if state == "missing" else value.value
    return Reading(shown, value.unit, value.source, round(age_s), state)
