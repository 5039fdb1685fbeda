"""Synthetic waves: a regular rhythm, broad complexes without rest, ventricular fibrillation."""

from __future__ import annotations

import numpy as np

from model.signal.arrays import FloatArray
from stream.timebase import FS


def beats(seconds: float, rate: float = 75, seed: int = 0) -> FloatArray:
    """Return two leads of a regular rhythm: QRS complexes, T waves and a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * FS)) / FS
    phase = (time * rate / 60) % 1 * 60 / rate
    wave = 1.2 * np.exp(-(((phase - 0.1) / 0.012) ** 2)) + 0.25 * np.exp(-(((phase - 0.35) / 0.05) ** 2))
    return np.stack([wave, 0.6 * wave], axis=1) + rng.normal(0, 0.008, (len(time), 2))


def broad_beats(seconds: float, rate: float = 110, seed: int = 0) -> FloatArray:
    """Return two leads of broad QRS complexes, each followed by a large T wave, at slightly irregular intervals."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * FS)) / FS
    wave = np.zeros(len(time))
    at = 0.3
    while at < seconds:
        wave -= 0.9 * np.exp(-(((time - at) / 0.045) ** 2))
        wave += 0.8 * np.exp(-(((time - at - 0.19) / 0.09) ** 2))
        at += 60 / rate * (1 + rng.normal(0, 0.04))
    return np.stack([wave, 0.6 * wave], axis=1) + rng.normal(0, 0.008, (len(time), 2))


def fibrillating(seconds: float, hz: float = 5.0, mv: float = 0.5, seed: int = 0) -> FloatArray:
    """Return two leads of a wave with varying frequency and amplitude."""
    rng = np.random.default_rng(seed)
    n = round(seconds * FS)
    knots = np.arange(0, n + FS, FS // 4)
    variation = np.interp(np.arange(n), knots, rng.normal(0, 0.1, len(knots)))
    phase = 2 * np.pi * np.cumsum(hz * (1 + variation)) / FS
    wave = mv * (1 + 2 * variation) * np.sin(phase)
    return np.stack([wave, -0.7 * wave], axis=1) + rng.normal(0, 0.008, (n, 2))
