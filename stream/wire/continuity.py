"""Does this chunk follow the last one? Each sample moves a consumer's state exactly once, or is named in a gap."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import MessageError
from stream.wire.messages import Waveform


@dataclass(frozen=True, slots=True)
class Continuity:
    """Where a bed's stream stands.

    Attributes
    ----------
    session : str
    epoch, seq : int
        Of the last chunk taken.
    end : int
        Index after its last sample.
    leads : tuple of str
    """

    session: str
    epoch: int
    seq: int
    end: int
    leads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a chunk is to its consumer.

    Attributes
    ----------
    duplicate : bool
        Seen before: drop it.
    fresh : bool
        What came before is not this chunk's past (first chunk, new session, new epoch, other leads, gap): start anew.
    lost_chunks, lost_samples : int
        The gap before this chunk.
    """

    duplicate: bool = False
    fresh: bool = False
    lost_chunks: int = 0
    lost_samples: int = 0


def follow(last: Continuity | None, chunk: Waveform) -> tuple[Arrival, Continuity]:
    """Place a chunk after the last one.

    Parameters
    ----------
    last : Continuity or None
        None before the first chunk of a bed: whoever joins late has lost nothing.
    chunk : Waveform

    Returns
    -------
    Arrival, Continuity
        For a duplicate, the continuity is unchanged.

    Raises
    ------
    MessageError
        The chunk contradicts its own past: its sample index goes back, its epoch goes back, or samples are missing
        between consecutive chunks.
    """
    now = Continuity(chunk.session, chunk.epoch, chunk.seq, chunk.end, chunk.leads)
    if last is None:
        return Arrival(fresh=True), now
    if chunk.session != last.session:
        # We listened all the time, so what the new session sent before this chunk is lost.
        return Arrival(fresh=True, lost_chunks=chunk.seq, lost_samples=chunk.start), now
    if chunk.seq <= last.seq:
        return Arrival(duplicate=True), last
    lost_chunks = chunk.seq - last.seq - 1
    lost_samples = chunk.start - last.end
    if lost_samples < 0 or chunk.epoch < last.epoch or (lost_chunks == 0) != (lost_samples == 0):
        raise MessageError(
            f"bed {chunk.bed}: chunk {chunk.seq} (epoch {chunk.epoch}, sample {chunk.start}) contradicts "
            f"chunk {last.seq} (epoch {last.epoch}, up to sample {last.end})"
        )
    fresh = bool(lost_chunks) or chunk.epoch != last.epoch or chunk.leads != last.leads
    return Arrival(fresh=fresh, lost_chunks=lost_chunks, lost_samples=lost_samples), now
