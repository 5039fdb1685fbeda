"""State and settings of the anomaly detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from model.anomaly.episodes import Episode
from model.anomaly.patient_history import PatientHistory
from model.anomaly.template_matching import TemplateMatching
from model.anomaly.template_memory import TemplateMemory
from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray

LOOK_BACK = 36
"""Past patches, 400 ms, among which the anomalous ones are located when the score is high."""


@dataclass(frozen=True, slots=True)
class AnomalyConfig:
    """Settings of the condition.

    Attributes
    ----------
    threshold : float
        Score at which a condition begins.
    release : float
        Score below which a condition may end.
    hold : int
        Patches of 4 samples (11 ms) below ``release`` after which it ends.
    """

    threshold: float = 3.0
    release: float = 1.5
    hold: int = 90


DEFAULT_CONFIG = AnomalyConfig()
"""The settings of the monitor, live and offline."""


class RecentPatches(NamedTuple):
    """Columns over beds: the last patches. They change with each patch.

    Attributes
    ----------
    patches : ndarray of int64, shape (beds,)
        Patches observed in this epoch.
    mean, scale : ndarray of float32, shape (beds, FORECAST_HISTORY, VOTES, patch, leads), mV
        Forecasts of the last origins at the horizons of the votes, see `model.anomaly.features.keep_forecast`; NaN
        before the epoch.
    observed : ndarray, shape (beds, 1, patch, leads), mV
        The last patch.
    channels : ndarray, shape (beds, CHANNEL_HISTORY, leads, CHANNELS)
    levels : ndarray, shape (beds, LEVEL_HISTORY, LEVELS)
    votes : ndarray, shape (beds, LOOK_BACK)
        Mean votes.
    deviations : ndarray, shape (beds, LOOK_BACK, DEVIATION)
        Largest deviation of each patch, see `model.anomaly.features.find_largest_deviation`.
    block_peaks : ndarray, shape (beds, LEVELS)
        Highest levels of the current block.
    block_log_odds : ndarray, shape (beds,)
        Highest log-odds of the current block.
    episode_open : ndarray of bool, shape (beds,)
        Whether the notes of the bed contain an open episode.
    frozen_until : ndarray of int64, shape (beds,)
        Sample of the epoch before which no templates are stored, because of the open episode; 0 without one.
    """

    patches: IntArray
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray
    channels: FloatArray
    levels: FloatArray
    votes: FloatArray
    deviations: FloatArray
    block_peaks: FloatArray
    block_log_odds: FloatArray
    episode_open: BoolArray
    frozen_until: IntArray


class AnomalyColumns(NamedTuple):
    """State of the anomaly detector for all beds; the first axis of all arrays is their slots.

    Attributes
    ----------
    recent : RecentPatches
    matching : TemplateMatching
    history : PatientHistory
    templates : TemplateMemory
    """

    recent: RecentPatches
    matching: TemplateMatching
    history: PatientHistory
    templates: TemplateMemory


@dataclass(frozen=True, slots=True)
class AnomalyNotes:
    """What is noted of a bed beside its columns; it changes only with an episode.

    Attributes
    ----------
    leads : tuple of str
    start : int
        Index of the first sample of the epoch.
    episode : Episode or None
        The open episode.
    """

    leads: tuple[str, ...]
    start: int
    episode: Episode | None = None


class AnomalyState(NamedTuple):
    """State of the anomaly detector for one bed.

    Attributes
    ----------
    columns : AnomalyColumns
        Of one slot.
    notes : AnomalyNotes
    """

    columns: AnomalyColumns
    notes: AnomalyNotes
