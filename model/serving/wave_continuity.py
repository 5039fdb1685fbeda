"""Whether a chunk of a wave other than ECG continues the one before, or what is missing between them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from stream.timebase import FS
from stream.wire.wave_message import Signal, Wave

Verdict = Literal["taken", "gap", "duplicate", "refused"]

ALIKE = 0.5
"""A chunk continues another one if its start is where that one ended, within this share of a sample."""


class WavePlace(NamedTuple):
    """Where the chunks of one wave of a bed have arrived."""

    session: str
    epoch: int
    end: float


class WaveVerdict(NamedTuple):
    """What became of a chunk; ``lost_samples`` of its wave are missing before it."""

    wave: Wave
    verdict: Verdict
    lost_samples: int = 0


Places = dict[Signal, WavePlace]
"""The places of a bed by wave; changed in place."""


def follow(places: Places, wave: Wave) -> WaveVerdict:
    """Return whether a chunk is taken, and how many samples are missing before it; the place moves with it.

    A chunk that begins before the end of the last one is a duplicate. In a new session or epoch a wave begins anew.

    Parameters
    ----------
    places : dict of str to WavePlace
    wave : Wave
        One of the session and epoch of the ECG that is processed.
    """
    before, step = places.get(wave.signal), FS / wave.fs
    verdict = WaveVerdict(wave, "taken")
    if before is not None and (before.session, before.epoch) == (wave.session, wave.epoch):
        if wave.start < before.end - ALIKE * step:
            return WaveVerdict(wave, "duplicate")
        if (lost := round((wave.start - before.end) / step)) > 0:
            verdict = WaveVerdict(wave, "gap", lost)
    places[wave.signal] = WavePlace(wave.session, wave.epoch, wave.end)
    return verdict
