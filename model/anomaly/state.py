"""State and settings of the anomaly detector."""

from __future__ import annotations

from dataclasses import dataclass

from model.anomaly.episodes import Episode
from model.anomaly.template_memory import TemplateMemory
from model.signal.arrays import Float32Array, FloatArray

LOOK_BACK = 36
"""Past patches, 400 ms, among which the anomalous ones are located when the score is high."""


@dataclass(frozen=True, slots=True)
class AnomalyConfig:
    """Settings of the score and of the condition; durations in patches of 4 samples (11 ms).

    Attributes
    ----------
    block : int
        Patches per block; the patient's history holds one peak per block. 90 patches are one second, the interval to
        which the probability refers.
    memory : int
        Blocks of the history of levels.
    long_memory : int
        Blocks of the history of log-odds.
    warm : int
        Blocks needed before the first score.
    threshold : float
        Score at which a condition begins.
    release : float
        Score below which a condition may end.
    hold : int
        Patches below ``release`` after which it ends.
    """

    block: int = 90
    memory: int = 120
    long_memory: int = 300
    warm: int = 12
    threshold: float = 3.0
    release: float = 1.5
    hold: int = 90


DEFAULT_CONFIG = AnomalyConfig()
"""The settings of the monitor, live and offline."""


@dataclass(frozen=True, slots=True)
class PatientHistory:
    """Peaks of the patient's past blocks, oldest first; see `model.anomaly.patient_history`.

    Attributes
    ----------
    peaks : ndarray, shape (n, LEVELS)
        Highest levels of each block.
    quantiles : ndarray, shape (len(QUANTILES), LEVELS)
        Quantiles of the peaks; NaN while learning.
    log_odds : ndarray, shape (m,)
        Highest log-odds of each block.
    shift : float
        Upward shift of the null distribution.
    """

    peaks: FloatArray
    quantiles: FloatArray
    log_odds: FloatArray
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class AnomalyState:
    """State of the anomaly detector for one bed.

    Attributes
    ----------
    leads : tuple of str
    start : int
        Index of the first sample of the epoch.
    patches : int
        Patches observed in this epoch.
    mean, scale : ndarray, shape (LOOK_BACK + max(LAGS), len(LAGS), patch, leads), float32, mV
        Forecasts of the last origins at the horizons of the votes; NaN before the epoch.
    observed : ndarray, shape (LOOK_BACK, patch, leads), mV
        The last patches.
    channels : ndarray, shape (CHANNEL_HISTORY, leads, CHANNELS)
        Channels of the last patches.
    levels : ndarray, shape (LEVEL_HISTORY, LEVELS)
        Levels of the last patches.
    votes : ndarray, shape (LOOK_BACK,)
        Mean votes of the last patches.
    block_peaks : ndarray, shape (LEVELS,)
        Highest levels of the current block.
    block_log_odds : float
        Highest log-odds of the current block.
    history : PatientHistory
    templates : TemplateMemory
    episode : Episode or None
    """

    leads: tuple[str, ...]
    start: int
    patches: int
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray
    channels: FloatArray
    levels: FloatArray
    votes: FloatArray
    block_peaks: FloatArray
    block_log_odds: float
    history: PatientHistory
    templates: TemplateMemory
    episode: Episode | None = None
