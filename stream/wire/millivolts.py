"""The analysed leads of several chunks in mV, computed together: for one chunk, numpy's calls take longer than the
numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from stream.wire.messages import ANALYSED_LEADS, INVALID, Waveform
from stream.wire.ward_messages import WardEcg


def millivolts(chunks: Sequence[Waveform]) -> list[npt.NDArray[np.float64]]:
    """Return the samples of the analysed leads of each chunk, shape (n, one or two), mV, NaN where invalid."""
    groups: dict[int, list[int]] = defaultdict(list)
    for number, chunk in enumerate(chunks):
        groups[len(chunk.leads)].append(number)
    found: dict[int, npt.NDArray[np.float64]] = {}
    for leads, members in groups.items():
        own = [chunks[number] for number in members]
        adu = np.frombuffer(b"".join([chunk.samples for chunk in own]), "<i2").reshape(-1, leads)[:, :ANALYSED_LEADS]
        counts = [chunk.n for chunk in own]
        zero = np.repeat(np.array([chunk.zero[:ANALYSED_LEADS] for chunk in own], np.float64), counts, axis=0)
        gain = np.repeat(np.array([chunk.gain[:ANALYSED_LEADS] for chunk in own], np.float64), counts, axis=0)
        mv = (adu - zero) / gain
        mv[adu == INVALID] = np.nan
        for number, (first, end) in zip(members, pairwise(accumulate(counts, initial=0)), strict=True):
            found[number] = mv[first:end]
    return [found[number] for number in range(len(chunks))]


class WardScale:
    """Converts the samples of messages that have the sources and the lengths of an example.

    Parameters
    ----------
    message : WardEcg
        The example.
    """

    def __init__(self, message: WardEcg) -> None:
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        places, counts = message.source_of_bed().tolist(), message.sample_counts().tolist()
        leads = [len(message.sources[place].leads) for place in places]
        for row, shape in enumerate(zip(counts, leads, strict=True)):
            groups[shape].append(row)
        begins = np.array(list(accumulate(np.multiply(counts, leads).tolist(), initial=0)))
        self._beds = len(places)
        self._groups = []
        for shape, rows in groups.items():
            at = begins[rows][:, None, None] + np.arange(shape[0] * shape[1]).reshape(shape)[:, :ANALYSED_LEADS]
            own = [message.sources[places[row]] for row in rows]
            zero = np.array([source.zero[:ANALYSED_LEADS] for source in own], np.float64)[:, None]
            gain = np.array([source.gain[:ANALYSED_LEADS] for source in own], np.float64)[:, None]
            self._groups.append((rows, at, zero, gain))

    def millivolts(self, samples: bytes, rows: Sequence[int]) -> list[npt.NDArray[np.float64]]:
        """Return the samples of the chunks at some places of a message, as the function `millivolts`."""
        found: list[npt.NDArray[np.float64]] = [_NONE] * self._beds
        adu = np.frombuffer(samples, "<i2")
        for members, at, zero, gain in self._groups:
            own = adu[at]
            mv = (own - zero) / gain
            mv[own == INVALID] = np.nan
            for row, chunk in zip(members, mv, strict=True):
                found[row] = chunk
        return [found[row] for row in rows]


_NONE = np.zeros((0, 1))
