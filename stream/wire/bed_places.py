"""Which beds a process keeps: at most as many as it has places, whatever names arrive.

One setting bounds the beds of every process that receives: the environment variable `PLACES_VARIABLE`, by default
`DEFAULT_PLACES`, for a window `WINDOW_PLACES`. It is a bound against names that strangers invent, not a size of the
ward: a place takes memory once its bed sends (docs/scale.md).

A bed takes a place with its first message. If all places are taken, a new bed gets that of the bed that has been silent
for longest, if it has been silent for long enough: `SILENT_S`, or `ESTABLISHED_SILENT_S` once it has sent a few seconds
of signal. Otherwise the new bed is refused. So a thousand invented names displace no bed that sends, and those that
do not go on sending keep nobody out for long. A bed of which only retained messages are known takes a free place, and
yields it at once to one that sends.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass

from stream.errors import UsageError

PLACES_VARIABLE = "BEDSIDE_PLACES"
"""Environment variable with the number of beds that a process keeps."""

DEFAULT_PLACES = 2048
WINDOW_PLACES = 64
"""Default of a window, which keeps 11 minutes of each bed, 4.8 MB."""

MAX_PLACES = 16_384
"""Largest setting."""

ESTABLISHED_S = 10.0
"""Seconds of signal after which a bed is established."""

SILENT_S = 10.0
ESTABLISHED_SILENT_S = 3600.0
"""Time without a message after which a bed, an established one, may lose its place."""


def configured_places(default: int = DEFAULT_PLACES) -> int:
    """Return the number of beds that this process keeps: that of the environment variable, else ``default``.

    Raises
    ------
    UsageError
        The environment variable is not a number, or out of range.
    """
    text = os.environ.get(PLACES_VARIABLE) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PLACES:
        raise UsageError(f"{PLACES_VARIABLE} {text[:20]!r}: use 1 to {MAX_PLACES} beds")
    return int(text)


@dataclass(slots=True)
class _Place:
    last_s: float
    signal_s: float = 0.0

    @property
    def kept_until_s(self) -> float:
        """Time until which the place is kept without a further message."""
        return self.last_s + (ESTABLISHED_SILENT_S if self.signal_s >= ESTABLISHED_S else SILENT_S)


class BedPlaces:
    """The beds that have a place.

    Parameters
    ----------
    places : int or None
        None: as configured for this process.

    Attributes
    ----------
    limit : int
        Number of places.
    refused : int
        Messages of beds without a place.
    """

    def __init__(self, places: int | None = None) -> None:
        self.limit = configured_places() if places is None else places
        self.refused = 0
        self._places: dict[str, _Place] = {}
        self._taken_until_s = -math.inf  # none becomes free earlier: most of a flood is refused without a search

    def __contains__(self, bed: str) -> bool:
        return bed in self._places

    def __len__(self) -> int:
        return len(self._places)

    def admit(
        self, bed: str, now_s: float, signal_s: float = 0.0, *, retained: bool = False
    ) -> tuple[bool, str | None]:
        """Process a message of a bed.

        Parameters
        ----------
        bed : str
        now_s : float
            Monotonic time.
        signal_s : float
            Seconds of signal in the message.
        retained : bool
            The message was retained before the subscription: nobody may be sending any more.

        Returns
        -------
        bool, str or None
            Whether the bed has a place, and the bed that has lost it to this one: what is kept of it must go.
        """
        place = self._places.get(bed)
        lost = None
        if place is None:
            if len(self._places) >= self.limit:
                lost = None if retained else self._free_place(now_s)
                if lost is None:
                    self.refused += 1
                    return False, None
                del self._places[lost]
            place = self._places[bed] = _Place(-math.inf)
        if not retained:
            place.last_s = now_s
        self._taken_until_s = min(self._taken_until_s, place.kept_until_s)
        place.signal_s += signal_s
        return True, lost

    def renew(self, beds: Iterable[str], now_s: float, signal_s: float) -> None:
        """Process a message of each of some beds that have a place, as `admit` does."""
        for bed in beds:
            place = self._places[bed]
            place.last_s = now_s
            place.signal_s += signal_s

    def _free_place(self, now_s: float) -> str | None:
        """Return the bed whose place may be given away; None if there is none."""
        if now_s <= self._taken_until_s:
            return None
        first = min(self._places, key=lambda bed: self._places[bed].kept_until_s)
        self._taken_until_s = self._places[first].kept_until_s
        return first if now_s > self._taken_until_s else None

    def leave(self, bed: str) -> None:
        """Free the place of a bed that the process has removed itself."""
        self._places.pop(bed, None)
