"""Waves that a worker has received before the ECG of their interval; bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field

from model.serving.wave_continuity import Places, WaveVerdict, follow
from model.signal.wave_samples import WaveSamples
from stream.wire.messages import Waveform
from stream.wire.wave_message import Wave

MAX_MESSAGES = 8192
"""Messages kept per bed: of six waves at 125 Hz 10 s in chunks of single samples, 136 s in chunks of 100 ms."""

MAX_SAMPLES = 250_000
"""Samples kept per bed: six waves at 1000 Hz for the 30 s of an inbox and the longest chunk."""


@dataclass
class _Kept:
    """Waves of one bed in order of arrival, and their number of samples."""

    waves: deque[Wave] = field(default_factory=deque)
    samples: int = 0

    def append(self, wave: Wave) -> list[Wave]:
        """Keep a wave, and return those that had to give way."""
        dropped = []
        self.waves.append(wave)
        self.samples += wave.n
        while len(self.waves) > MAX_MESSAGES or self.samples > MAX_SAMPLES:
            dropped.append(self.waves.popleft())
            self.samples -= dropped[-1].n
        return dropped


class WaveBuffer:
    """Waves of several beds until the chunk of ECG of their interval takes them.

    What does not fit is dropped, oldest first, and counts as a missing pulse. Each chunk of a bed with ECG is named
    once: as taken, as a duplicate, or as refused.

    Parameters
    ----------
    max_beds : int
        Beds whose waves are kept.
    """

    def __init__(self, max_beds: int) -> None:
        self._max_beds = max_beds
        self._beds: dict[str, _Kept] = {}
        self._places: dict[str, Places] = {}

    def put(self, wave: Wave, served: Container[str]) -> list[Wave]:
        """Keep a wave, and return those of its bed that had to give way.

        ``served`` are the beds that have sent ECG: if there are too many, others are dropped first.
        """
        if wave.bed not in self._beds and len(self._beds) >= self._max_beds:
            other = next((bed for bed in self._beds if bed not in served), None)
            if other is None:
                return [wave]
            del self._beds[other]
        return self._beds.setdefault(wave.bed, _Kept()).append(wave)

    def __bool__(self) -> bool:
        return bool(self._beds)

    def __contains__(self, bed: str) -> bool:
        return bed in self._beds

    def take(self, chunk: Waveform) -> tuple[tuple[WaveSamples, ...], tuple[WaveVerdict, ...]]:
        """Remove and return the waves of a chunk's session and epoch that begin before its end, and all verdicts.

        Waves of earlier epochs are dropped; those of later ones, and of another session, wait for their ECG.
        """
        kept = self._beds.pop(chunk.bed, None)
        if kept is None:
            return (), ()
        places = self._places.setdefault(chunk.bed, {})
        taken, later, verdicts = [], _Kept(), []
        for wave in kept.waves:
            same_session = wave.session == chunk.session
            if same_session and wave.epoch == chunk.epoch and wave.start < chunk.end:
                verdicts.append(follow(places, wave))
                if verdicts[-1].verdict != "duplicate":
                    taken.append(WaveSamples(wave.signal, wave.fs, wave.start, wave.values()))
            elif not same_session or wave.epoch >= chunk.epoch:
                later.append(wave)
            else:
                verdicts.append(WaveVerdict(wave, "refused"))
        if later.waves:
            self._beds[chunk.bed] = later
        return tuple(taken), tuple(verdicts)

    def forget(self, bed: str) -> None:
        """Remove all that is kept of a bed that is not served any more."""
        self._beds.pop(bed, None)
        self._places.pop(bed, None)
