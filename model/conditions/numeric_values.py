"""Values of a bed from its publisher: which of them are known at a sample.

A message holds all values of the publisher, each with its age. It is used `DELAY` samples after its time, so that the
order in which messages and ECG arrive changes nothing; one that comes later is used from then on, unless a newer one is
known. A value is unknown while it is missing, and when it is too old.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from stream.timebase import FS
from stream.wire.numerics_message import Numeric, NumericName

DELAY: Final = FS
"""Samples after which a message is used."""

MIN_STALE_S: Final = 10.0
"""Age up to which a value is known, s, or"""

STALE_INTERVALS, MAX_STALE_S = 2.5, 150.0
"""so many intervals between the last two messages, if that is longer, but no more than so many s: numbers of some
recordings come once in a minute."""

MIN_QUALITY: Final = 0.5
"""Smallest quality of a value that is used."""


@dataclass(frozen=True, slots=True)
class NumericSamples:
    """Values of a bed at one moment.

    Attributes
    ----------
    index : int
        Sample of the session.
    values : tuple of Numeric
    """

    index: int
    values: tuple[Numeric, ...]


@dataclass(frozen=True, slots=True)
class ValuesState:
    """State carried from step to step.

    Attributes
    ----------
    waiting : tuple of NumericSamples
        Messages that are not used yet, in order of time, one for each sample.
    latest : NumericSamples or None
        The one in use.
    interval_s : float
        Time between the last two that were used, s.
    """

    waiting: tuple[NumericSamples, ...] = ()
    latest: NumericSamples | None = None
    interval_s: float = 0.0


def push(state: ValuesState, received: Sequence[NumericSamples]) -> ValuesState:
    """Return the state after messages were received."""
    if not received:
        return state
    waiting = {samples.index: samples for samples in (*state.waiting, *received)}
    return replace(state, waiting=tuple(waiting[index] for index in sorted(waiting)))


def advance(state: ValuesState, at: int) -> ValuesState:
    """Return the state at sample ``at``: messages whose time has come are used."""
    while state.waiting and state.waiting[0].index <= at - DELAY:
        next_one, waiting = state.waiting[0], state.waiting[1:]
        if state.latest is None:
            state = replace(state, waiting=waiting, latest=next_one)
        elif next_one.index > state.latest.index:
            interval_s = (next_one.index - state.latest.index) / FS
            state = replace(state, waiting=waiting, latest=next_one, interval_s=interval_s)
        else:
            state = replace(state, waiting=waiting)
    return state


def current(state: ValuesState, at: int, measured: Sequence[Numeric] = ()) -> Mapping[NumericName, Numeric]:
    """Return the values that are neither missing nor too old at sample ``at``, of any quality.

    Parameters
    ----------
    state : ValuesState
    at : int
    measured : sequence of Numeric
        Values measured from the waves, at ``at``. One from the publisher precedes that of the same name.
    """
    found = {own.name: own for own in measured if _is_current(own, 0.0, MIN_STALE_S)}
    if state.latest is not None:
        stale_s = min(max(MIN_STALE_S, STALE_INTERVALS * state.interval_s), MAX_STALE_S)
        elapsed_s = (at - state.latest.index) / FS
        found.update({own.name: own for own in state.latest.values if _is_current(own, elapsed_s, stale_s)})
    return found


def known(values: Mapping[NumericName, Numeric]) -> Mapping[NumericName, float]:
    """Return those of the current values whose quality is good enough to be used."""
    return {
        name: own.value
        for name, own in values.items()
        if own.value is not None and (own.quality is None or own.quality >= MIN_QUALITY)
    }


def _is_current(numeric: Numeric, elapsed_s: float, stale_s: float) -> bool:
    return numeric.lead is None and numeric.value is not None and numeric.age_s + elapsed_s <= stale_s
