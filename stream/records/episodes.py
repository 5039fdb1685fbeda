"""The index of arrhythmia in public recordings: facts taken from their annotations, shipped as a small table.

The table, episodes.csv, is the output of ``bedside data episodes --database mitdb,vfdb,cudb,svdb --csv``
(`model.evaluation.episode_index` finds the episodes). It says where a rhythm is, and contains no samples.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import msgspec

from stream.errors import UsageError

COLUMNS = ("rhythm", "record", "start_s", "end_s", "rate", "leads", "quality")

LEAD_IN_S = 20.0
"""Seconds of the record before an episode from which a worker learns the patient; see `stream.replay.visit`."""

GOOD_QUALITY = 0.9
"""Share of valid signal from which an episode is shown rather than another one."""

LONG_ENOUGH_S = 30.0
"""Duration from which a longer episode is not preferred to another."""

FAST_RHYTHMS = ("VT", "SVTA")
"""Rhythms that are clear if they are fast: a ventricular one at 90/min looks idioventricular."""

FAST_RATE = 120.0
"""Rate of those from which they are shown rather than slower ones, 1/min."""

FAST_ENOUGH_S = 3.0
"""Duration of those from which the faster is preferred to the longer one: at `FAST_RATE`, six beats."""


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """An interval of a record with one rhythm.

    Attributes
    ----------
    rhythm : str
        Code of a WFDB rhythm annotation, such as ``VT``; ``BRADY`` for beats at less than 40/min of any origin.
    record : str
        Such as ``mitdb/205``.
    start_s, end_s : float
        Seconds from the first sample of the record.
    rate : float or None
        Mean rate of the annotated beats inside, 1/min; None with fewer than three.
    leads : tuple of str
    quality : float
        Share of the signal that is valid, neither flat nor saturated, 0 to 1; mean over the leads.
    """

    rhythm: str
    record: str
    start_s: float
    end_s: float
    rate: float | None
    leads: tuple[str, ...]
    quality: float

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.end_s - self.start_s


@cache
def shipped() -> tuple[Episode, ...]:
    """Return the episodes of the table in the package, sorted by record and time."""
    return from_csv((files("stream.records") / "episodes.csv").read_text(encoding="utf-8"))


def from_csv(text: str) -> tuple[Episode, ...]:
    """Return the episodes of a table, see `to_csv`."""
    return tuple(
        msgspec.convert(row | {"rate": row["rate"] or None, "leads": row["leads"].split("+")}, Episode, strict=False)
        for row in csv.DictReader(io.StringIO(text))
    )


def to_csv(episodes: Iterable[Episode]) -> str:
    """Return episodes as a table with a header; leads are joined by ``+``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in episodes:
        rate = "" if one.rate is None else f"{one.rate:g}"
        start, end, quality = f"{one.start_s:.3f}", f"{one.end_s:.3f}", f"{one.quality:g}"
        writer.writerow((one.rhythm, one.record, start, end, rate, "+".join(one.leads), quality))
    return text.getvalue()


def counts(episodes: Iterable[Episode]) -> dict[str, int]:
    """Return how many episodes there are of each rhythm, the most first."""
    return dict(Counter(one.rhythm for one in episodes).most_common())


def choose(episodes: Sequence[Episode], rhythm: str, turn: int = 0) -> Episode:
    """Return the episode that shows a rhythm best, or in further turns the next best that fit as well, then again.

    It has a good signal and is preceded by enough of the record, without this rhythm, to learn the patient. Of
    `FAST_RHYTHMS`, it has at least `FAST_RATE` and `FAST_ENOUGH_S` and is the fastest one, then the longest; one whose
    rate is not annotated comes after those. Of other rhythms, it is the longest. Of several, it is the first in the
    order of the table.

    Parameters
    ----------
    episodes : sequence of Episode
    rhythm : str
    turn : int
        How many have been chosen before.

    Raises
    ------
    UsageError
        There is none of this rhythm.
    """
    of_rhythm = [one for one in episodes if one.rhythm == rhythm]
    if not of_rhythm:
        known = ", ".join(counts(episodes)) or "no rhythm: fetch records with 'bedside data fetch mitdb'"
        raise UsageError(f"no episode of {rhythm!r} is at hand; there is {known}")
    fitness = [_fitness(one, of_rhythm) for one in of_rhythm]
    fitting = [one for one, fits in zip(of_rhythm, fitness, strict=True) if fits == max(fitness)]
    return sorted(fitting, key=_merit, reverse=True)[turn % len(fitting)]  # of equal ones the order is kept


def named(episodes: Iterable[Episode], record: str, start_s: float, end_s: float, rhythm: str | None) -> Episode:
    """Return the episode at a place; without a rhythm, with that of the table that overlaps it most, else ``?``."""
    overlaps = {
        min(end_s, one.end_s) - max(start_s, one.start_s): one.rhythm for one in episodes if one.record == record
    }
    longest = max(overlaps, default=0.0)
    return Episode(
        rhythm=rhythm or (overlaps[longest] if longest > 0 else "?"),
        record=record,
        start_s=start_s,
        end_s=end_s,
        rate=None,
        leads=(),
        quality=1.0,
    )


def _fitness(one: Episode, of_rhythm: Iterable[Episode]) -> tuple[bool, ...]:
    begin = one.start_s - LEAD_IN_S
    learned = begin >= 0 and not any(
        other.record == one.record and begin < other.end_s <= one.start_s for other in of_rhythm
    )
    if one.rhythm not in FAST_RHYTHMS:
        return one.quality >= GOOD_QUALITY, learned
    fast = one.rate is not None and one.rate >= FAST_RATE
    return one.quality >= GOOD_QUALITY, learned, one.seconds >= FAST_ENOUGH_S, fast, fast or one.rate is None


def _merit(one: Episode) -> tuple[float, float]:
    return (one.rate or 0.0) if one.rhythm in FAST_RHYTHMS else 0.0, min(one.seconds, LONG_ENOUGH_S)
