"""Beats found against reference beats: the comparison of ANSI/AAMI EC57, as WFDB's ``bxb`` makes it.

A found beat and a reference beat belong together when they lie within 150 ms; each has one partner at most. What lies
in ventricular flutter (between ``[`` and ``]``) is not scored: nobody annotates beats there.

- *QRS*: sensitivity is the share of reference beats that were found, positive predictivity the share of found beats
  that are beats.
- *VEB*: V and E. A fusion beat (F) or an unknown or paced one (Q, /, f) called V is neither right nor wrong.
- *SVEB*: A, a, J, S. A Q, / or f called S is neither right nor wrong.
- A reference beat that was not found, or was left untyped, is a missed VEB or SVEB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from model.signal.arrays import IntArray
from stream.records.record import Annotations
from stream.timebase import FS

WINDOW = 54
"""150 ms."""

SCORED_FROM = 300 * FS
"""Scores begin at 5:00, after the learning period of EC57."""

CLASS = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""AAMI class of each annotation that is a beat."""

NOT_WRONG = {"V": frozenset("FQ"), "S": frozenset("Q")}
"""Classes of which it is no mistake to call a beat V, or S."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Beats counted: hits, misses and false ones; they add up over records."""

    found: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Tally)))

    @property
    def sensitivity(self) -> float:
        """Share of what was there that was found; NaN where nothing was."""
        return _share(self.found, self.missed)

    @property
    def positive_predictivity(self) -> float:
        """Share of what was found that was there; NaN where nothing was found."""
        return _share(self.found, self.false)


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference beats that are scored.

    Attributes
    ----------
    sample : ndarray of int64, shape (n,)
        Rising.
    label : tuple of str
        AAMI class: N, S, V, F or Q.
    flutter : tuple of (int, int)
        First sample and the one after the last of each stretch of ventricular flutter.
    """

    sample: IntArray
    label: tuple[str, ...]
    flutter: tuple[tuple[int, int], ...]


def reference_of(annotations: Annotations, n: int) -> Reference:
    """Return the reference beats of a record with n samples, over its whole length."""
    flutter = flutter_of(annotations, n)
    kept = [
        (int(at), CLASS[symbol])
        for at, symbol in zip(annotations.sample, annotations.symbol, strict=True)
        if symbol in CLASS and not _within(int(at), flutter)
    ]
    return Reference(np.array([at for at, _ in kept], np.int64), tuple(label for _, label in kept), flutter)


def flutter_of(annotations: Annotations, n: int) -> tuple[tuple[int, int], ...]:
    """Return the stretches between ``[`` and ``]``; one without an end lasts to the record's."""
    found = []
    begin = None
    for at, symbol in zip(annotations.sample.tolist(), annotations.symbol, strict=True):
        if symbol == "[":
            begin = at
        elif symbol == "]" and begin is not None:
            found.append((begin, at))
            begin = None
    if begin is not None:
        found.append((begin, n))
    return tuple(found)


def _within(at: int, stretches: Iterable[tuple[int, int]]) -> bool:
    return any(first <= at <= stop for first, stop in stretches)


def match(reference: IntArray, found: IntArray, window: int = WINDOW) -> list[tuple[int | None, int | None]]:
    """Pair reference beats with found ones, both rising; each to its nearest free partner within the window.

    Returns
    -------
    list of (int or None, int or None)
        Indices into the two; None where there is no partner.
    """
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(reference) and j < len(found):
        gap = int(found[j]) - int(reference[i])
        if gap < -window:
            pairs.append((None, j))
            j += 1
        elif gap > window:
            pairs.append((i, None))
            i += 1
        elif j + 1 < len(found) and abs(int(found[j + 1]) - int(reference[i])) < abs(gap):
            pairs.append((None, j))  # the next one is nearer
            j += 1
        elif i + 1 < len(reference) and abs(int(found[j]) - int(reference[i + 1])) < abs(gap):
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    pairs += [(k, None) for k in range(i, len(reference))]
    pairs += [(None, k) for k in range(j, len(found))]
    return pairs


@dataclass(frozen=True, slots=True)
class BeatScores:
    """Tallies of one record, or of several together."""

    qrs: Tally = Tally()
    veb: Tally = Tally()
    sveb: Tally = Tally()

    def __add__(self, other: BeatScores) -> BeatScores:
        return BeatScores(self.qrs + other.qrs, self.veb + other.veb, self.sveb + other.sveb)


def score(
    reference: Reference, index: Sequence[int], label: Sequence[str], *, since: int = SCORED_FROM, until: int
) -> BeatScores:
    """Compare found beats with the reference from sample ``since`` to ``until``.

    Parameters
    ----------
    reference : Reference
    index : sequence of int
        R peaks found, rising.
    label : sequence of str
        N, S, V or Q for each.
    since, until : int
        A pair counts where its reference beat lies; a found beat without a partner where it lies itself.
    """
    found = np.asarray(index, np.int64)
    tallies = {"qrs": [0, 0, 0], "V": [0, 0, 0], "S": [0, 0, 0]}
    for i, j in match(reference.sample, found):
        at = int(reference.sample[i]) if i is not None else int(found[j])
        if not since <= at < until or (i is None and _within(at, reference.flutter)):
            continue
        true = None if i is None else reference.label[i]
        said = None if j is None else label[j]
        tallies["qrs"][0 if true and said else 1 if true else 2] += 1
        for kind in "VS":
            if true == kind:
                tallies[kind][0 if said == kind else 1] += 1
            elif said == kind and (true is None or true not in NOT_WRONG[kind]):
                tallies[kind][2] += 1
    return BeatScores(*(Tally(*tallies[name]) for name in ("qrs", "V", "S")))
