"""The time base of all messages: sampling rate and forecast stride."""

from __future__ import annotations

from typing import Final

FS: Final = 360
"""Sampling rate of all messages, in Hz; recordings with another rate are resampled before they are published."""

STRIDE: Final = 36
"""Samples between two published forecasts, counted from the start of the epoch; 100 ms."""
