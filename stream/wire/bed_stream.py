"""What a consumer knows of a bed's stream, and how the chunks that are taken move it.

Pure functions; the state is a plain dataclass. Times are monotonic, so a state that moves to another process needs
a new `Stream.received_ns`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from stream.errors import MessageError
from stream.timebase import FS
from stream.wire.continuity import Continuity, SequenceCheck, check_sequence
from stream.wire.messages import Waveform


@dataclass(frozen=True, slots=True)
class Rival:
    """Another writer of the bed, whose chunks are refused; with several, the last one.

    Attributes
    ----------
    session : str
    end : int
        Index after the last sample of its last chunk.
    blind_from : int
        Its samples from here on are lost if it takes over: it has sent them since the last chunk of the served session.
    since_ns, last_ns : int
        Monotonic times of the first and the last chunk of rivals, without an interruption of `CONTEST_NS`.
    chunks : int
        Number of chunks since then.
    """

    session: str
    end: int
    blind_from: int
    since_ns: int
    last_ns: int
    chunks: int = 1


@dataclass(frozen=True, slots=True)
class Stream:
    """What a consumer knows of a bed's stream.

    Attributes
    ----------
    place : Continuity
        Position after the last taken chunk.
    chunk_ns : int
        Wall time of the last taken chunk, ns, and
    speed : float
        its speed.
    received_ns : int
        Monotonic time at which it was received.
    interval_ns : int
        Longest time between two chunks of this session so far, ns.
    credit_ns : int
        Time that has passed without samples that would fill it, ns; a gap may be that long, plus `ordering.SLACK_NS`.
    confirmed : bool
        Whether a second chunk of this session was taken.
    released : bool
        Whether the publisher of this session has ended.
    expected : str or None
        Another session, which takes over with its next chunk because the worker serves it.
    held : Waveform or None
        A jump within the session that waits for the next chunk.
    contender : Waveform or None
        A chunk of another writer that may take over with its next one.
    rival : Rival or None
    """

    place: Continuity
    chunk_ns: int
    speed: float
    received_ns: int
    interval_ns: int = 0
    credit_ns: int = 0
    confirmed: bool = False
    released: bool = False
    expected: str | None = None
    held: Waveform | None = None
    contender: Waveform | None = None
    rival: Rival | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A chunk to process.

    Attributes
    ----------
    chunk : Waveform
    check : SequenceCheck
        How it follows the chunk taken before it.
    """

    chunk: Waveform
    check: SequenceCheck


@dataclass(frozen=True, slots=True)
class Arrival:
    """Result of one received chunk. A chunk that is held is in none of the lists until the next one decides.

    Attributes
    ----------
    taken : tuple of Taken
        Chunks to process, in order.
    refused : tuple of Waveform
        Chunks of another writer, or that contradict the stream.
    duplicate : bool
        The chunk was received before.
    """

    taken: tuple[Taken, ...] = ()
    refused: tuple[Waveform, ...] = ()
    duplicate: bool = False


def begin(chunk: Waveform, now_ns: int) -> Stream:
    """Return the stream after the first chunk of a session."""
    return Stream(
        place=position(chunk), chunk_ns=duration_ns(chunk.n, chunk.speed), speed=chunk.speed, received_ns=now_ns
    )


def take(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Taken, Stream]:
    """Move the position of the served session behind a chunk."""
    place = stream.place
    try:
        check, after = check_sequence(place, chunk)
    except MessageError:
        # The position was wrong, and two chunks agree on another one.
        check = SequenceCheck(discontinuous=True, lost_samples=max(chunk.start - place.end, 0))
        after = position(chunk)
    if check.duplicate:
        after = position(chunk)
    elapsed_ns = max(now_ns - stream.received_ns, 0)
    used_ns = duration_ns(after.end - place.end, stream.speed)
    # Each chunk of each bed comes here: `replace` would take three times as long.
    return Taken(chunk, check), Stream(
        place=after,
        chunk_ns=duration_ns(after.end - chunk.start, chunk.speed),
        speed=chunk.speed,
        received_ns=max(now_ns, stream.received_ns),
        interval_ns=max(stream.interval_ns, elapsed_ns),
        credit_ns=max(stream.credit_ns + elapsed_ns - used_ns, 0),
        confirmed=True,
        released=False,
        expected=stream.expected,
        held=stream.held,
        contender=stream.contender,
        rival=stream.rival,
    )


def flush(stream: Stream, now_ns: int) -> tuple[Arrival, Stream]:
    """Take the held chunk: no other will follow it."""
    if stream.held is None:
        return Arrival(), stream
    taken, stream = take(replace(stream, held=None), stream.held, now_ns)
    return Arrival((taken,)), stream


def position(chunk: Waveform) -> Continuity:
    """Return the position after a chunk."""
    return Continuity(chunk.session, chunk.epoch, chunk.seq, chunk.end, chunk.leads)


def continues(place: Continuity, chunk: Waveform) -> bool:
    """Return whether a chunk is the next one after a position."""
    return (
        chunk.session == place.session
        and chunk.seq == place.seq + 1
        and chunk.start == place.end
        and chunk.epoch >= place.epoch
    )


def follows(place: Continuity, chunk: Waveform) -> bool:
    """Return whether a chunk can come after a position with chunks between them."""
    try:
        check, _ = check_sequence(place, chunk)
    except MessageError:
        return False
    return not check.duplicate


def duration_ns(samples: int, speed: float) -> int:
    """Return how long samples take at a speed, in ns."""
    return round(samples * 1e9 / (FS * speed))
