"""Analyses beds: forecast, anomaly score, beats, rhythm, vital signs and conditions; the same live and offline.

To analyse one signal chunk by chunk:

    beds = Beds(load_models())
    bed = beds.begin(("MLII",), start=0, epoch_start=0)
    for mv in chunks:
        [analysis] = beds.step([bed], [mv], [limits])
    last = bed.finish()

Each bed has one intake (`model.signal.intake`), which passes whole strides to all stages. So the results do not depend
on how a signal is cut into chunks, nor on the beds that step with it, and no output depends on later samples. The pulse
(`model.signal.pulses`) comes with a chunk of ECG, as samples of other waves up to its end; it only confirms beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from model.beats.beat import Beat
from model.conditions.changes import Change
from model.conditions.numeric_values import NumericSamples
from model.forecast.inference import Precision
from model.physiology.derived_values import DerivedValues
from model.pipeline import bed_state
from model.pipeline.analysis import Analysis, Models, StepAnalysis
from model.pipeline.bed_group import BedGroup, Slot
from model.pipeline.bed_state import BedState
from model.pipeline.stride_forecasts import NONE, StrideForecasts
from model.rhythm.vitals import VitalSigns
from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples
from stream.wire.alarm_messages import Limits


class Beds:
    """The beds that one process analyses; their states are kept and advanced together.

    Parameters
    ----------
    models : Models
    forecast : bool
        Without, there are no forecasts and no anomaly scores: beats and rhythm need neither.
    """

    def __init__(self, models: Models, *, forecast: bool = True) -> None:
        self._models = models
        self._forecast = forecast
        self._groups: dict[tuple[int, Precision], BedGroup] = {}

    def begin(self, leads: Sequence[str], start: int, epoch_start: int) -> Slot:
        """Begin a bed whose first sample is ``start``, in an epoch that began with sample ``epoch_start``."""
        return self.put(bed_state.begin(self._models, leads, start, epoch_start))

    def put(self, state: BedState) -> Slot:
        """Go on with the state of a bed.

        Raises
        ------
        StorageError
            The state is that of other models.
        """
        key = len(state.leads), state.precision
        if key not in self._groups:
            example = bed_state.begin(self._models, state.leads, 0, 0, state.precision)
            self._groups[key] = BedGroup(self._models, example, forecast=self._forecast)
        return self._groups[key].put(state)

    def step(
        self,
        beds: Sequence[Slot],
        chunks: Sequence[FloatArray],
        limits: Sequence[Limits],
        waves: Sequence[Sequence[WaveSamples]] | None = None,
        numerics: Sequence[Sequence[NumericSamples]] | None = None,
    ) -> list[Analysis]:
        """Push one chunk of each of some beds.

        Parameters
        ----------
        beds : sequence of Slot
            Each at most once.
        chunks : sequence of ndarray of float64, shape (n, leads), mV
            The next samples of each bed, NaN where invalid; any n.
        limits : sequence of Limits
            Current limits of each bed.
        waves : sequence of sequence of WaveSamples, optional
            Samples of other waves of each bed, received since the last step and up to the end of its chunk.
        numerics : sequence of sequence of NumericSamples, optional
            The same for the values of its publisher.

        Returns
        -------
        list of Analysis
            In the order of ``beds``.

        Raises
        ------
        ValueError
            The number of leads of a chunk differs from that of its bed.
        """
        collected = [_Collected() for _ in beds]
        for found in self.advance(beds, chunks, limits, waves, numerics):
            for name in ("beats", "vitals", "derived", "changes"):
                for bed, item in getattr(found, name):
                    getattr(collected[bed], name).append(item)
            if found.forecasts is not None:
                for bed, forecasts in zip(found.beds, found.forecasts.of_beds(), strict=True):
                    collected[bed].forecasts = forecasts
        return [
            Analysis(own.forecasts, tuple(own.beats), tuple(own.vitals), tuple(own.derived), tuple(own.changes))
            for own in collected
        ]

    def advance(
        self,
        beds: Sequence[Slot],
        chunks: Sequence[FloatArray],
        limits: Sequence[Limits],
        waves: Sequence[Sequence[WaveSamples]] | None = None,
        numerics: Sequence[Sequence[NumericSamples]] | None = None,
    ) -> list[StepAnalysis]:
        """Push one chunk of each of some beds, as `step`; return the results of the beds together."""
        waves = [()] * len(beds) if waves is None else waves
        numerics = [()] * len(beds) if numerics is None else numerics
        results = []
        for group in self._groups.values():
            own = [number for number, bed in enumerate(beds) if bed.group is group]
            if own:
                found = group.step(
                    np.array([beds[number].index for number in own]),
                    [chunks[number] for number in own],
                    [limits[number] for number in own],
                    [waves[number] for number in own],
                    [numerics[number] for number in own],
                )
                results += [step.of(own) for step in found]
        return results


@dataclass
class _Collected:
    """Results of one bed."""

    forecasts: StrideForecasts = NONE
    beats: list[Beat] = field(default_factory=list)
    vitals: list[VitalSigns] = field(default_factory=list)
    derived: list[DerivedValues] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
