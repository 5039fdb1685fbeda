"""The samples of several chunks in mV, computed together: for one chunk, numpy's calls take longer than the numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from stream.wire.messages import INVALID, Waveform


def millivolts(chunks: Sequence[Waveform]) -> list[npt.NDArray[np.float64]]:
    """Return the samples of each chunk as `Waveform.mv` does, shape (n, leads), NaN where invalid."""
    groups: dict[int, list[int]] = defaultdict(list)
    for number, chunk in enumerate(chunks):
        groups[len(chunk.leads)].append(number)
    found: dict[int, npt.NDArray[np.float64]] = {}
    for leads, members in groups.items():
        own = [chunks[number] for number in members]
        adu = np.frombuffer(b"".join([chunk.samples for chunk in own]), "<i2").reshape(-1, leads)
        counts = [chunk.n for chunk in own]
        zero = np.repeat(np.array([chunk.zero for chunk in own], np.float64), counts, axis=0)
        gain = np.repeat(np.array([chunk.gain for chunk in own], np.float64), counts, axis=0)
        mv = (adu - zero) / gain
        mv[adu == INVALID] = np.nan
        for number, (first, end) in zip(members, pairwise(accumulate(counts, initial=0)), strict=True):
            found[number] = mv[first:end]
    return [found[number] for number in range(len(chunks))]
