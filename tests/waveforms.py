"""Chunks whose samples contain their own index, so that loss, reordering and duplicates are detected."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.wire.messages import Waveform
from stream.wire.numerics_message import UNIT_OF, Numeric, NumericName, Numerics
from stream.wire.wave_message import Wave

SESSION = "0123456789abcdef" * 2


def chunk(seq: int, n: int = 36, **changes: Any) -> Waveform:
    """Return chunk ``seq`` of a stream of chunks of ``n`` samples; sample i has the value i modulo 10,000."""
    start = seq * n
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "seq": seq,
        "start": start,
        "epoch_start": 0,
        "t0_ns": 1_700_000_000_000_000_000 + round(start * 1e9 / 360),
        "speed": 1.0,
        "fs": 360,
        "leads": ("MLII",),
        "gain": (200.0,),
        "zero": (1024,),
        "samples": (np.arange(start, start + n) % 10_000).astype("<i2").tobytes(),
        "record": "traceable",
        "position": start,
        "synthetic": True,
    }
    return Waveform(**{**fields, **changes})


def wave(seq: int, n: int = 36, fs: float = 125.0, **changes: Any) -> Wave:
    """Return the wave of chunk ``seq`` of a stream of chunks of ``n`` samples of ECG; all its samples are 0."""
    first, stop = (-(-index * fs // 360) for index in (seq * n, (seq + 1) * n))
    start = first * 360 / fs
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "seq": seq,
        "signal": "pleth",
        "unit": "NU",
        "start": start,
        "epoch_start": 0,
        "t0_ns": 1_700_000_000_000_000_000 + round(start * 1e9 / 360),
        "speed": 1.0,
        "fs": fs,
        "gain": 100.0,
        "zero": 0,
        "samples": bytes(2 * round(stop - first)),
        "record": "traceable",
        "position": start,
        "synthetic": True,
    }
    return Wave(**{**fields, **changes})


def numeric(name: NumericName = "spo2", value: float | None = 97.0, **changes: Any) -> Numeric:
    """Return a recorded value."""
    fields: dict[str, Any] = {"unit": UNIT_OF[name], "source": "recorded", "age_s": 0.25}
    return Numeric(name=name, value=value, **{**fields, **changes})


def numerics(**changes: Any) -> Numerics:
    """Return numerics of a publisher: one value, and one that is missing."""
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "index": 720,
        "when": "2026-01-31T12:00:00.000Z",
        "values": (numeric("spo2"), numeric("abp_mean", None, age_s=8.0)),
        "synthetic": False,
    }
    return Numerics(**{**fields, **changes})
