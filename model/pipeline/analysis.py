"""What the analysis of beds needs, and what it finds; `model.pipeline.beds` analyses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from model.beats.beat import Beat
from model.beats.classifier import BeatClassifier, load_classifier
from model.conditions import settings
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from model.forecast.forecaster import load_forecaster
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.inference import Precision
from model.physiology.derived_values import DerivedValues
from model.pipeline import stride_forecasts
from model.pipeline.stride_forecasts import GroupForecasts, StrideForecasts
from model.rhythm.vitals import VitalSigns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Models:
    """Trained models and alarm settings, shared by all beds.

    Attributes
    ----------
    forecaster : TrainedForecaster
    beat_classifier : BeatClassifier
    alarms : AlarmConfig
    precision : Precision
        Of the forecaster for beds that begin.
    """

    forecaster: TrainedForecaster
    beat_classifier: BeatClassifier
    alarms: AlarmConfig
    precision: Precision = "float32"


def load_models(weights: Path | None = None, alarms: Path | None = None, precision: Precision = "float32") -> Models:
    """Load the models and alarm settings; by default the shipped ones.

    Parameters
    ----------
    weights : Path, optional
        Weights of another forecaster.
    alarms : Path, optional
        Another alarms.toml.
    precision : Precision
        Of the forecaster.

    Raises
    ------
    WeightsError
        The weights are missing, damaged, or not a forecaster of this format.
    UsageError
        The alarm settings are not valid.
    """
    return Models(load_forecaster(weights), load_classifier(), settings.load(alarms), precision)


class Analysis(NamedTuple):
    """Results of one step of one bed.

    Attributes
    ----------
    forecasts : StrideForecasts
        One for each whole stride.
    beats : tuple of Beat
    vitals : tuple of VitalSigns
        One for each whole second.
    derived : tuple of DerivedValues
        Values from the waves, one for each whole second; none for a bed without waves.
    changes : tuple of Began or Ended
        In the order of detection.
    """

    forecasts: StrideForecasts = stride_forecasts.NONE
    beats: tuple[Beat, ...] = ()
    vitals: tuple[VitalSigns, ...] = ()
    derived: tuple[DerivedValues, ...] = ()
    changes: tuple[Change, ...] = ()


class StepAnalysis(NamedTuple):
    """Results of one step of the beds that complete equally many strides, one or more.

    Most steps of a bed complete a forecast and nothing else, so all else is listed, with the number of its bed.

    Attributes
    ----------
    beds : list of int
        Numbers of the beds among those that step, in order.
    forecasts : GroupForecasts or None
        Row i is of ``beds[i]``; None without a forecaster.
    beats : list of (int, Beat)
    vitals : list of (int, VitalSigns)
    derived : list of (int, DerivedValues)
    changes : list of (int, Began or Ended)
        Each bed by bed, and of each bed in the order of detection.
    """

    beds: list[int]
    forecasts: GroupForecasts | None
    beats: list[tuple[int, Beat]]
    vitals: list[tuple[int, VitalSigns]]
    derived: list[tuple[int, DerivedValues]]
    changes: list[tuple[int, Change]]

    def of(self, numbers: Sequence[int]) -> StepAnalysis:
        """Return the results with the number ``numbers[i]`` for that of bed ``i``."""

        def renumbered(found: list[tuple[int, T]]) -> list[tuple[int, T]]:
            return [(numbers[bed], item) for bed, item in found]

        return StepAnalysis(
            [numbers[bed] for bed in self.beds],
            self.forecasts,
            renumbered(self.beats),
            renumbered(self.vitals),
            renumbered(self.derived),
            renumbered(self.changes),
        )
