"""Chunks of writers that are not served: refused while the served session sends, until one of them takes over.

`stream.wire.ordering` uses it, and states the rules. Pure functions.
"""

from __future__ import annotations

from dataclasses import replace

from stream.wire.bed_stream import Arrival, Rival, Stream, Taken, begin, continues, flush, position, take
from stream.wire.continuity import SequenceCheck
from stream.wire.messages import Waveform

PATIENCE_NS = 3_000_000_000
"""Silence of the served session in ns after which another may take over; with long chunks `PATIENCE_CHUNKS`."""

PATIENCE_CHUNKS = 2.5
"""The same in chunks, if these are longer than announced and observed."""

CONTEST_NS = 5_000_000_000
"""Time in ns after the last chunk of a second writer until which two are reported to send."""


def patience_ns(stream: Stream) -> int:
    """Return the silence in ns after which another session may take over."""
    # Announced lengths alone would let one message of an intruder reserve the bed for minutes.
    return max(PATIENCE_NS, round(PATIENCE_CHUNKS * min(stream.interval_ns, stream.chunk_ns)))


def is_contested(stream: Stream, now_ns: int) -> bool:
    """Return whether two writers send: each has sent after the other."""
    rival = stream.rival
    return (
        rival is not None
        and rival.chunks > 1
        and stream.received_ns > rival.since_ns
        and now_ns - rival.last_ns <= CONTEST_NS
    )


def receive(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Arrival, Stream]:
    """Decide about a chunk of another writer, or one that contradicts the served session."""
    stream = replace(stream, rival=_rival(stream, chunk, now_ns))
    if stream.released or chunk.session == stream.expected:
        taken, stream = take_over(stream, chunk, now_ns)
        return Arrival((taken,)), stream
    if stream.confirmed and now_ns - stream.received_ns <= patience_ns(stream):
        return Arrival(refused=(chunk,)), stream
    contender = stream.contender
    if contender is None:
        arrival, stream = flush(stream, now_ns)
        return arrival, replace(stream, contender=chunk)
    if not continues(position(contender), chunk):
        return Arrival(refused=(contender,)), replace(stream, contender=chunk)
    first, stream = take_over(stream, contender, now_ns)
    second, stream = take(stream, chunk, now_ns)
    return Arrival((first, second)), stream


def _rival(stream: Stream, chunk: Waveform, now_ns: int) -> Rival:
    """Return what is known of the other writers after another chunk."""
    before = stream.rival
    if before is None or now_ns - before.last_ns > CONTEST_NS:
        since_ns, chunks = now_ns, 1
    else:
        since_ns, chunks = before.since_ns, before.chunks + 1
    blind_from = 0
    if before is not None and before.session == chunk.session:
        blind_from = before.end if stream.received_ns > before.last_ns else before.blind_from
    return Rival(chunk.session, chunk.end, blind_from, since_ns, now_ns, chunks)


def take_over(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Taken, Stream]:
    """Serve another session from this chunk on."""
    rival = stream.rival
    if chunk.session == stream.place.session:
        lost = chunk.start - stream.place.end
    elif not stream.confirmed:
        lost = 0  # the single chunk may have been old, from before the consumer subscribed
    elif rival is not None and rival.session == chunk.session:
        lost = chunk.start - rival.blind_from
    else:
        # The consumer was subscribed all the time, so earlier chunks of the new session are lost.
        lost = chunk.start
    check = SequenceCheck(discontinuous=True, lost_samples=max(lost, 0))
    return Taken(chunk, check), begin(chunk, now_ns)
