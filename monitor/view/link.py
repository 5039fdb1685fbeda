"""Connection state of a bed, as shown in its indicator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream.wire.alarm_texts import Phrase, phrase


class LinkState(StrEnum):
    """Connection state of a bed, from worst to best."""

    NO_BROKER = "no_broker"
    WAITING = "waiting"
    ENDED = "ended"
    PAUSED = "paused"
    NO_DATA = "no_data"
    NO_WORKER = "no_worker"
    OVERLOADED = "overloaded"
    NO_FORECAST = "no_forecast"
    LEARNING = "learning"
    LIVE = "live"


STALE = frozenset({LinkState.NO_BROKER, LinkState.WAITING, LinkState.ENDED, LinkState.PAUSED, LinkState.NO_DATA})
"""States in which the trace is dimmed because it shows no current samples."""


@dataclass(frozen=True, slots=True)
class Link:
    """The connection of a bed.

    Attributes
    ----------
    state : LinkState
    phrase : Phrase
        Text of the indicator: ``LIVE 0.1 s``, ``NO DATA 7 s``.
    """

    state: LinkState
    phrase: Phrase

    @property
    def stale(self) -> bool:
        """True when the trace shows no current samples."""
        return self.state in STALE


def state_phrase(state: LinkState, age: str = "") -> Phrase:
    """Return the phrase of a state, with the age of the data in seconds if one is given."""
    name = phrase(f"link.{state}")
    return phrase("link.age", state=name, age=age) if age else name
