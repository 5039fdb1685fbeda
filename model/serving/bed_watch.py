"""Technical alarms of a bed: nothing is sent, samples are lost or left out, or two publishers send."""

from __future__ import annotations

from collections.abc import Iterable

from model.conditions.changes import Began, Change, Ended
from model.serving.bed import Bed
from stream.timebase import FS
from stream.wire.messages import Waveform

NO_DATA_NS = 5_000_000_000
"""A playing bed that sends nothing for this time in ns, or for 2.5 chunks if that is longer, has a technical alarm."""

PAUSE_BELIEVED_NS = 10_000_000_000
"""Time in ns for which a report of a pause excuses a silent bed; a publisher repeats it every 2 s."""


def is_silent(bed: Bed, now_ns: int) -> bool:
    """Return whether a bed should have sent a chunk; a pause and the end of the record excuse it.

    Parameters
    ----------
    bed : Bed
    now_ns : int
        Monotonic time in ns.
    """
    if bed.ended or now_ns < bed.paused_until_ns:
        bed.received_ns = now_ns  # the silence that counts begins when the excuse ends
        return False
    if now_ns - bed.received_ns <= NO_DATA_NS:
        return False
    chunk_ns = 1e9 * bed.chunk.n / (bed.chunk.fs * bed.chunk.speed)
    return now_ns - bed.received_ns > max(NO_DATA_NS, 2.5 * chunk_ns)


def silence_began(bed: Bed, now_ns: int) -> Iterable[Change]:
    """Note that a bed is silent, and return the change."""
    bed.silent = True
    end = bed.chunk.end
    return [Began("no_data", end, end, "bed_silent", (now_ns - bed.received_ns) / 1e9)]


def shedding_began(bed: Bed, samples: int) -> Iterable[Change]:
    """Note that ``samples`` after the last chunk are left out, and return the change."""
    bed.silent = bed.shed = True
    end = bed.chunk.end
    return [Began("no_data", end, end, "samples_lost", samples / FS)]


def silence_ended(bed: Bed, chunk: Waveform, lost_samples: int) -> Iterable[Change]:
    """Return the change when a bed that was silent, or whose chunks were shed, goes on with ``chunk``."""
    end = bed.chunk.end
    if bed.shed and lost_samples:
        return [Ended("no_data", end, chunk.start, chunk.start - 1, "samples_lost", lost_samples / FS)]
    return [Ended("no_data", end, chunk.start, chunk.start, "data_resumed")]


def samples_lost(start: int, lost_samples: int) -> Iterable[Change]:
    """Return the changes of a gap that ends before the sample ``start``: begun and ended at once."""
    onset, seconds = start - lost_samples, lost_samples / FS
    return [
        Began("no_data", onset, start - 1, "samples_lost", seconds),
        Ended("no_data", onset, start, start - 1, "samples_lost", seconds),
    ]


def contest_changed(bed: Bed, contested: bool) -> Iterable[Change]:
    """Note whether two publishers send a bed, and return the change if it is new."""
    if contested == bed.contested:
        return []
    bed.contested = contested
    end = bed.chunk.end
    if contested:
        return [Began("two_publishers", end, end, "two_sources")]
    return [Ended("two_publishers", end, end, end, "rule_no_longer_met")]
