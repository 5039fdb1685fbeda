"""The analysis as functions of states: states of beds in, analyses and new states out."""

from __future__ import annotations

from collections.abc import Sequence

from model.pipeline.analysis import Analysis, Models
from model.pipeline.bed_state import BedState
from model.pipeline.beds import Beds
from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples

_known: dict[tuple[int, bool], tuple[Models, Beds]] = {}


def _beds(models: Models, forecast: bool) -> Beds:
    """Return beds of these models, made once."""
    key = id(models), forecast
    if key not in _known:
        _known[key] = models, Beds(models, forecast=forecast)
    return _known[key][1]


def step(
    models: Models,
    states: Sequence[BedState],
    chunks: Sequence[FloatArray],
    waves: Sequence[Sequence[WaveSamples]] | None = None,
    *,
    forecast: bool = True,
) -> list[tuple[Analysis, BedState]]:
    """Push one chunk of each bed, with the limits of the settings."""
    beds = _beds(models, forecast)
    slots = [beds.put(state) for state in states]
    try:
        found = beds.step(slots, chunks, [models.alarms.limits] * len(slots), waves)
        return [(analysis, slot.state()) for analysis, slot in zip(found, slots, strict=True)]
    finally:
        for slot in slots:
            slot.release()
