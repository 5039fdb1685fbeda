"""How far the picture of a bed can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream.wire.phrases import Phrase, phrase


class LinkState(StrEnum):
    """How far the picture can be trusted; the worst that applies."""

    NO_BROKER = "no_broker"
    WAITING = "waiting"
    ENDED = "ended"
    PAUSED = "paused"
    NO_DATA = "no_data"
    NO_WORKER = "no_worker"
    NO_FORECAST = "no_forecast"
    LEARNING = "learning"
    LIVE = "live"


STALE = frozenset({LinkState.NO_BROKER, LinkState.WAITING, LinkState.ENDED, LinkState.PAUSED, LinkState.NO_DATA})
"""In these states the trace dims: what it shows is not now."""


@dataclass(frozen=True, slots=True)
class Link:
    """The connection of a bed.

    Attributes
    ----------
    state : LinkState
    phrase : Phrase
        For the indicator: ``LIVE 0.1 s``, ``NO DATA 7 s``.
    """

    state: LinkState
    phrase: Phrase

    @property
    def stale(self) -> bool:
        """True when the trace is not of now."""
        return self.state in STALE


def state_phrase(state: LinkState, age: str = "") -> Phrase:
    """Return the state of a connection; with an age in seconds, how old its data are."""
    name = phrase(f"link.{state}")
    return phrase("link.age", state=name, age=age) if age else name
