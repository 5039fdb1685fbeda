"""Analyses whole signals together, as the live worker analyses beds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.conditions.numeric_values import NumericSamples
from model.pipeline.analysis import Analysis, Models
from model.pipeline.beds import Beds
from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that is one epoch, from sample 0 on.

    Attributes
    ----------
    leads : tuple of str
    pieces : iterator of (ndarray, sequence of WaveSamples)
        The samples, shape (n, leads), mV, piece by piece, and those of other waves up to the end of the piece. Signals
        whose pieces have the same lengths step together.
    numerics : sequence of NumericSamples
        Values of the whole signal, in order of time.
    """

    leads: tuple[str, ...]
    pieces: Iterator[tuple[FloatArray, Sequence[WaveSamples]]]
    numerics: Sequence[NumericSamples] = ()


def analyze_signals(
    models: Models, signals: Sequence[Signal], *, forecast: bool = True
) -> Iterator[tuple[int, Analysis]]:
    """Yield the analysis of each piece, with the number of its signal, and at the end of a signal that of its end.

    Parameters
    ----------
    models : Models
    signals : sequence of Signal
    forecast : bool
        Without, there are no forecasts and no anomaly scores, on which beats and rhythm do not depend.
    """
    beds, limits = Beds(models, forecast=forecast), models.alarms.limits
    running = {number: beds.begin(signal.leads, 0, 0) for number, signal in enumerate(signals)}
    waiting = [deque(signal.numerics) for signal in signals]
    ends = [0] * len(signals)
    while running:
        pieces = {number: next(signals[number].pieces, None) for number in running}
        for number in [number for number, piece in pieces.items() if piece is None]:
            yield number, running.pop(number).finish()
        given = {number: piece for number, piece in pieces.items() if piece is not None}
        values: list[list[NumericSamples]] = []
        for number, (mv, _) in given.items():
            ends[number] += len(mv)
            values.append(_before(waiting[number], ends[number]))
        found = beds.step(
            list(running.values()),
            [mv for mv, _ in given.values()],
            [limits] * len(given),
            [waves for _, waves in given.values()],
            values,
        )
        yield from zip(list(running), found, strict=True)


def _before(waiting: deque[NumericSamples], end: int) -> list[NumericSamples]:
    """Remove and return the values before a sample."""
    found = []
    while waiting and waiting[0].index < end:
        found.append(waiting.popleft())
    return found
