"""The sequence check: compares a chunk with the previous one of its session.

`stream.wire.ordering` uses it, so that each sample is processed exactly once or counted in a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import MessageError
from stream.wire.messages import Waveform


@dataclass(frozen=True, slots=True)
class Continuity:
    """The position of a consumer in a bed's stream.

    Attributes
    ----------
    session : str
    epoch, seq : int
        Those of the last processed chunk.
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
    """Result of the sequence check of one chunk.

    Attributes
    ----------
    duplicate : bool
        The chunk was received before and must be dropped.
    discontinuous : bool
        The chunk does not continue the previous one (first chunk, new session, new epoch, other leads, gap): state
        derived from earlier samples is invalid.
    lost_samples : int
        Size of the gap before this chunk.
    """

    duplicate: bool = False
    discontinuous: bool = False
    lost_samples: int = 0


def check_sequence(last: Continuity | None, chunk: Waveform) -> tuple[SequenceCheck, Continuity]:
    """Compare a chunk with the last one of the same session.

    Parameters
    ----------
    last : Continuity or None
        None before the first chunk of a bed: a consumer that subscribes late has lost nothing.
    chunk : Waveform

    Returns
    -------
    SequenceCheck, Continuity
        The result, and the position after the chunk; unchanged for a duplicate.

    Raises
    ------
    MessageError
        The chunk contradicts the last one: its sample index or epoch decreases, or samples are missing between
        consecutive chunks.
    """
    now = Continuity(chunk.session, chunk.epoch, chunk.seq, chunk.end, chunk.leads)
    if last is None:
        return SequenceCheck(discontinuous=True), now
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
    return SequenceCheck(discontinuous=discontinuous, lost_samples=lost_samples), now
