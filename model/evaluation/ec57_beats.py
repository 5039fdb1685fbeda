"""Beat-by-beat comparison with the reference after ANSI/AAMI EC57, as in WFDB's ``bxb``.

A detected beat matches a reference beat within 150 ms; each matches at most one. Beats in ventricular flutter (between
``[`` and ``]``) are not scored, because annotators mark none there.

- *QRS*: sensitivity is the share of reference beats that were detected, positive predictive value the share of
  detected beats that are beats.
- *VEB*: class V. A fusion beat (F) or a paced or unclassifiable one (Q) classified as V is neither correct nor false.
- *SVEB*: class S. A Q classified as S is neither correct nor false.
- A VEB or SVEB that was not detected, or not classified, is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from model.datasets.reference import Reference, within
from model.signal.arrays import IntArray
from stream.timebase import FS

WINDOW = 54
"""Largest distance of a match in samples: 150 ms (EC57)."""

SCORED_FROM = 300 * FS
"""First scored sample: 5:00, after the learning period of EC57."""

TOLERATED = {"V": frozenset("FQ"), "S": frozenset("Q")}
"""Reference classes for which a classification as V, or S, is not a false positive."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of found, missed and falsely detected beats; tallies of records can be added."""

    found: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Tally)))

    @property
    def sensitivity(self) -> float:
        """Share of reference beats that were found; NaN without reference beats."""
        return _share(self.found, self.missed)

    @property
    def positive_predictivity(self) -> float:
        """Share of detections that are correct; NaN without detections."""
        return _share(self.found, self.false)


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")


def match(reference: IntArray, found: IntArray, window: int = WINDOW) -> list[tuple[int | None, int | None]]:
    """Match reference beats and detected beats, each with its nearest free counterpart within the window.

    Parameters
    ----------
    reference, found : ndarray of int64
        R peaks, rising.
    window : int
        Largest distance in samples.

    Returns
    -------
    list of (int or None, int or None)
        Indices into both; None for an unmatched beat.
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
            pairs.append((None, j))  # the next detected beat is nearer
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
    """Tallies of one record or of several records together."""

    qrs: Tally = Tally()
    veb: Tally = Tally()
    sveb: Tally = Tally()

    def __add__(self, other: BeatScores) -> BeatScores:
        return BeatScores(self.qrs + other.qrs, self.veb + other.veb, self.sveb + other.sveb)


def score(
    reference: Reference, index: Sequence[int], label: Sequence[str], *, since: int = SCORED_FROM, until: int
) -> BeatScores:
    """Compare detected beats with the reference from sample ``since`` to ``until`` (exclusive).

    Parameters
    ----------
    reference : Reference
    index : sequence of int
        Detected R peaks, rising.
    label : sequence of str
        Their class: N, S, V or Q (not classified).
    since, until : int
        A pair counts at its reference beat, an unmatched detected beat at its own position.
    """
    reference = reference.outside_flutter()
    found = np.asarray(index, np.int64)
    tallies = {"qrs": [0, 0, 0], "V": [0, 0, 0], "S": [0, 0, 0]}
    for i, j in match(reference.sample, found):
        at = int(reference.sample[i]) if i is not None else int(found[j])
        if not since <= at < until or (i is None and within(at, reference.flutter)):
            continue
        actual = None if i is None else reference.label[i]
        detected = None if j is None else label[j]
        tallies["qrs"][0 if actual and detected else 1 if actual else 2] += 1
        for kind in "VS":
            if actual == kind:
                tallies[kind][0 if detected == kind else 1] += 1
            elif detected == kind and (actual is None or actual not in TOLERATED[kind]):
                tallies[kind][2] += 1
    return BeatScores(*(Tally(*tallies[name]) for name in ("qrs", "V", "S")))
