"""Time-based comparison of a detected rhythm with the annotated one, second by second."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.monitor_output import MonitorOutput
from model.signal.arrays import BoolArray, IntArray
from stream.records.record import Record
from stream.timebase import FS


def annotated(record: Record, rhythms: Iterable[str]) -> BoolArray:
    """Return which samples are annotated with one of some rhythms, such as ``AFIB``, shape (n,)."""
    wanted = frozenset(rhythms)
    marked = np.zeros(record.n, bool)
    if record.annotations is None:
        return marked
    changes = [
        (int(at), aux[1:])
        for at, aux in zip(record.annotations.sample, record.annotations.aux, strict=True)
        if aux[:1] == "("
    ]
    for number, (at, rhythm) in enumerate(changes):
        stop = changes[number + 1][0] if number + 1 < len(changes) else record.n
        if rhythm in wanted:
            marked[at:stop] = True
    return marked


def confusion(actual: BoolArray, detected: BoolArray, scored: BoolArray | None = None) -> IntArray:
    """Return the confusion matrix in seconds, each represented by its middle sample.

    Parameters
    ----------
    actual, detected : ndarray of bool, shape (n,)
    scored : ndarray of bool, shape (n,), optional
        Samples that count; all by default.

    Returns
    -------
    ndarray of int64, shape (2, 2)
        Row: actual, column: detected.
    """
    middle = np.arange(FS // 2, len(actual), FS)
    if scored is not None:
        middle = middle[scored[middle]]
    return np.bincount(2 * actual[middle] + detected[middle], minlength=4).reshape(2, 2)


def atrial_fibrillation(record: Record, output: MonitorOutput) -> IntArray:
    """Return the confusion matrix of atrial fibrillation from 5:00 on; annotated atrial flutter is excluded."""
    detected = np.zeros(record.n, bool)
    for last, label in output.rhythm:
        detected[max(last + 1 - FS, 0) : last + 1] = label == "atrial fibrillation"
    scored = ~annotated(record, ["AFL"])
    scored[:SCORED_FROM] = False
    return confusion(annotated(record, ["AFIB"]), detected, scored)
