"""State and settings of the anomaly detector."""

from __future__ import annotations

from dataclasses import dataclass

from model.anomaly.episodes import Episode
from model.anomaly.template_memory import TemplateMemory
from model.signal.arrays import Float32Array, FloatArray

LOOK_BACK = 36
"""Patches, 400 ms, among which the anomalous ones are searched when a score is high."""


@dataclass(frozen=True, slots=True)
class AnomalyConfig:
    """When a score becomes a condition; durations are counted in patches of 4 samples (11 ms).

    Attributes
    ----------
    block : int
        The patient's past is remembered as one peak per block; 90 patches are one second, the unit of the chance.
    memory : int
        Blocks remembered, of levels.
    long_memory : int
        Blocks remembered, of log-odds.
    warm : int
        Blocks needed before the first score.
    threshold : float
        Score at which a condition begins.
    release : float
        The condition lasts while the score reaches this.
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
class Usual:
    """What is usual for this patient, one peak per block, oldest first.

    Attributes
    ----------
    peaks : ndarray, shape (n, LEVELS)
    quantiles : ndarray, shape (len(QUANTILES), LEVELS)
        Of the peaks; NaN while learning.
    log_odds : ndarray, shape (m,)
        The highest of each block.
    shift : float
        By how much the null distribution is shifted upwards.
    """

    peaks: FloatArray
    quantiles: FloatArray
    log_odds: FloatArray
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class AnomalyState:
    """All that is carried from step to step.

    Attributes
    ----------
    leads : tuple of str
    start : int
        Index of the first sample of the epoch.
    patches : int
        Patches observed in this epoch.
    mean, scale : ndarray, shape (LOOK_BACK + max(LAGS), len(LAGS), patch, leads), float32, mV
        What the last origins forecast for the patches that vote; NaN before the epoch.
    observed : ndarray, shape (LOOK_BACK, patch, leads), mV
        The last patches.
    channels : ndarray, shape (RAW_KEPT, leads, CHANNELS)
        Of the last patches.
    levels : ndarray, shape (LEVELS_KEPT, LEVELS)
        Of the last patches.
    votes : ndarray, shape (LOOK_BACK,)
        Mean votes of the last patches.
    block_peaks : ndarray, shape (LEVELS,)
        Highest levels of the block that is being filled.
    block_log_odds : float
        Highest log-odds of the block that is being filled.
    usual : Usual
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
    usual: Usual
    templates: TemplateMemory
    episode: Episode | None = None
