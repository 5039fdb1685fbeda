"""From a recording to chunks with deadlines; never sleeps.

Time contract: sample i of the session is due at ``begin_ns + i / (fs * speed)``. A chunk carries the due time of its
first sample and is sent when its last one is due (`Waveform.due_ns`). All deadlines are counted from the one begin,
so that lateness never adds up.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from stream.errors import UsageError
from stream.messages import FS, MAX_SPEED, MIN_SPEED, Waveform
from stream.record import Record
from stream.topics import check_bed

MAX_CHUNK = 3600


@dataclass(frozen=True)
class ReplayConfig:
    """How a record is replayed.

    Attributes
    ----------
    bed : str
    chunk : int
        Samples per message, 1 to 3600; 36 is 100 ms.
    speed : float
        1 is real time; 0.01 to 1000.
    loop : bool
        Start again at the record's begin when it ends, in a new epoch.
    start_s : float
        Seconds into the record at which to begin.

    Raises
    ------
    UsageError
        A value that cannot be.
    """

    bed: str = "bed-1"
    chunk: int = 36
    speed: float = 1.0
    loop: bool = False
    start_s: float = 0.0

    def __post_init__(self) -> None:
        check_bed(self.bed)
        if not 1 <= self.chunk <= MAX_CHUNK:
            raise UsageError(f"chunk of {self.chunk} samples: take 1 to {MAX_CHUNK} (36 samples are 100 ms)")
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise UsageError(f"speed {self.speed:g}: take {MIN_SPEED:g} to {MAX_SPEED:g} (1 is real time)")
        if not 0 <= self.start_s < float("inf"):
            raise UsageError(f"start {self.start_s:g} s: take seconds from the begin of the record, 0 or more")


def first_sample(record: Record, config: ReplayConfig) -> int:
    """Return where in the record its replay begins.

    Raises
    ------
    UsageError
        The record ends before ``config.start_s``.
    """
    first = round(config.start_s * FS)
    if first >= record.n:
        raise UsageError(f"start {config.start_s:g} s: record {record.name} ends at {record.n / FS:.1f} s; take less")
    return first


def replay(record: Record, config: ReplayConfig, begin_ns: int, session: str | None = None) -> Iterator[Waveform]:
    """Yield the chunks of a record in order.

    Parameters
    ----------
    record : Record
    config : ReplayConfig
    begin_ns : int
        Unix time in ns at which the first sample is due.
    session : str or None
        128 bits in hex; random when None.

    Yields
    ------
    Waveform
        Each is to be sent at its ``due_ns``. The last chunk before the record's end may be shorter.

    Raises
    ------
    UsageError
        The record ends before ``config.start_s``.
    """
    first = first_sample(record, config)
    session = session or secrets.token_hex(16)
    samples = record.adu.astype("<i2", copy=False)
    seq = start = epoch = epoch_start = 0
    position = first
    while True:
        n = min(config.chunk, record.n - position)
        yield Waveform(
            bed=config.bed,
            session=session,
            epoch=epoch,
            seq=seq,
            start=start,
            epoch_start=epoch_start,
            t0_ns=begin_ns + round(start * 1e9 / (FS * config.speed)),
            speed=config.speed,
            fs=FS,
            leads=record.leads,
            gain=record.gain,
            zero=record.zero,
            samples=samples[position : position + n].tobytes(),
            record=record.name,
            position=position,
            synthetic=record.synthetic,
        )
        seq += 1
        start += n
        position += n
        if position >= record.n:
            if not config.loop:
                return
            position, epoch, epoch_start = 0, epoch + 1, start
