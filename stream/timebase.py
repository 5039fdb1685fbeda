"""The time base of everything that travels: sampling rate, and samples between two forecasts."""

from __future__ import annotations

from typing import Final

FS: Final = 360
"""Samples per second of everything that travels; recordings with another rate are resampled before."""


STRIDE: Final = 36
"""Samples from one published forecast to the next, counted from the epoch's start: 100 ms."""
