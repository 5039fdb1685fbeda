"""Shared parts of printed tables and JSON reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box

from stream.timebase import FS

NARROW: dict[str, Any] = {"box": box.SIMPLE_HEAD, "collapse_padding": True, "pad_edge": False}
"""Table options with which wide tables fit into 80 columns."""


def counted(records: int) -> str:
    """Return ``1 record`` or ``2 records``."""
    return f"{records} record{'s' if records != 1 else ''}"


def starts(scored_from: Iterable[int]) -> str:
    """Return the different first samples as times, such as ``5:00``, or ``1:40 or 5:00``."""
    seconds = sorted({first // FS for first in scored_from})
    return " or ".join(f"{second // 60}:{second % 60:02d}" for second in seconds)


def or_none(value: float) -> float | None:
    """Return a number for JSON, which has no NaN: None if it is NaN."""
    return None if math.isnan(value) else float(value)


def all_or_none(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return named numbers for JSON."""
    return {name: or_none(value) for name, value in values.items()}


def number(value: float, digits: int) -> str:
    """Return a number with so many decimals, or a dash if it is NaN."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def percent(share: float, digits: int) -> str:
    """Return a share in %, or a dash if it is NaN."""
    return number(100 * share, digits)


def ratio(part: float, whole: float) -> float:
    """Return a share; NaN of nothing."""
    return float(part) / float(whole) if whole else math.nan
