"""Errors of the amplifier: a gain that is not the stated one, and saturation."""

from __future__ import annotations

import numpy as np

from stream.injections.noise import Samples


def gain_error(values: Samples, factor: float) -> Samples:
    """Return a signal as an amplifier shows it whose gain is wrong by a factor."""
    return values * factor


def saturation(mv: Samples, rail: float) -> Samples:
    """Return a lead as an amplifier shows it that ends at ± ``rail`` mV; monitors end at about 5 mV."""
    return np.clip(mv, -rail, rail)
