"""The sequence check: how a chunk follows the last one of its bed.

Every consumer of waveforms uses it, so that all agree: each sample changes a consumer's state exactly once, or is
counted in a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import MessageError
from stream.wire.messages import Waveform


@dataclass(frozen=True, slots=True)
class Continuity:
    """The position of a bed's stream.

    Attributes
    ----------
    session : str
    epoch, seq : int
        Of the last chunk processed.
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
class SequenceCheck:
    """How a chunk relates to the last one.

    Attributes
    ----------
    duplicate : bool
        Received before: drop it.
    discontinuous : bool
        The chunk does not continue what came before (first chunk, new session, new epoch, other leads, gap): state
        derived from earlier samples does not apply.
    lost_chunks, lost_samples : int
        The gap before this chunk.
    """

    duplicate: bool = False
    discontinuous: bool = False
    lost_chunks: int = 0
    lost_samples: int = 0


def check_sequence(last: Continuity | None, chunk: Waveform) -> tuple[SequenceCheck, Continuity]:
    """Place a chunk after the last one.

    Parameters
    ----------
    last : Continuity or None
        None before the first chunk of a bed: a consumer that joins late has lost nothing.
    chunk : Waveform

    Returns
    -------
    SequenceCheck, Continuity
        For a duplicate, the continuity is unchanged.

    Raises
    ------
    MessageError
        The chunk contradicts its own past: its sample index goes back, its epoch goes back, or samples are missing
        between consecutive chunks.
    """
    now = Continuity(chunk.session, chunk.epoch, chunk.seq, chunk.end, chunk.leads)
    if last is None:
        return SequenceCheck(discontinuous=True), now
    if chunk.session != last.session:
        # The consumer was subscribed all the time, so what the new session sent before this chunk is lost.
        return SequenceCheck(discontinuous=True, lost_chunks=chunk.seq, lost_samples=chunk.start), now
    if chunk.seq <= last.seq:
        return SequenceCheck(duplicate=True), last
    lost_chunks = chunk.seq - last.seq - 1
    lost_samples = chunk.start - last.end
    if lost_samples < 0 or chunk.epoch < last.epoch or (lost_chunks == 0) != (lost_samples == 0):
        raise MessageError(
            f"bed {chunk.bed}: chunk {chunk.seq} (epoch {chunk.epoch}, sample {chunk.start}) contradicts "
            f"chunk {last.seq} (epoch {last.epoch}, up to sample {last.end})"
        )
    discontinuous = bool(lost_chunks) or chunk.epoch != last.epoch or chunk.leads != last.leads
    return SequenceCheck(discontinuous=discontinuous, lost_chunks=lost_chunks, lost_samples=lost_samples), now
