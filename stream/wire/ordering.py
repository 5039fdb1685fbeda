"""One writer and its order: which chunks of a bed are processed, and when.

All consumers of waveforms use `receive`. docs/topics.md states the rules for users:

- *One writer.* The session that is served keeps the bed while it sends. Another one takes over at once if the publisher
  of the served one has ended (`release`), otherwise with two consecutive chunks, once the served session has sent
  nothing for its patience, or if only a single chunk of it was ever received.
- *Order.* Chunks that continue the last one are taken. A jump is held for one chunk: swapped neighbours are put in
  order; a jump that is continued is a gap; one that is not is refused.
- *Plausibility.* A jump ahead of what can have been sent in the meantime is treated like another writer, though its
  session is the served one.

No single message can stop a bed: each rule that moves the position needs two that agree, or is undone by the next two.

Pure functions; the state is a plain dataclass. Times are monotonic, so a state that moves to another process needs
a new `Stream.heard_ns`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from stream.errors import MessageError
from stream.timebase import FS
from stream.wire.continuity import Continuity, SequenceCheck, check_sequence
from stream.wire.messages import Waveform

PATIENCE_NS = 3_000_000_000
"""Silence of the served session in ns after which another may take over; with long chunks `PATIENCE_CHUNKS`."""

PATIENCE_CHUNKS = 2.5
"""The same in chunks, if these are longer than announced and observed."""

CONTEST_NS = 5_000_000_000
"""Time in ns after the last chunk of a second writer until which two are said to send."""

SLACK_NS = 60_000_000_000
"""How far a chunk may be ahead of the time that has passed, in ns: the 30 s buffers of publisher and consumer."""


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
    heard_ns : int
        Monotonic time at which it was received.
    interval_ns : int
        Longest time between two chunks of this session so far, ns.
    credit_ns : int
        Time that has passed without samples that would fill it, ns; a gap may be that long, plus `SLACK_NS`.
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
    heard_ns: int
    interval_ns: int = 0
    credit_ns: int = 0
    confirmed: bool = False
    released: bool = False
    expected: str | None = None
    held: Waveform | None = None
    contender: Waveform | None = None
    rival: Rival | None = None

    @property
    def patience_ns(self) -> int:
        """Silence in ns after which another session may take over."""
        # Announced lengths alone would let one message of a stranger reserve the bed for minutes.
        return max(PATIENCE_NS, round(PATIENCE_CHUNKS * min(self.interval_ns, self.chunk_ns)))

    def is_contested(self, now_ns: int) -> bool:
        """Return whether two writers send: each has sent after the other."""
        rival = self.rival
        return (
            rival is not None
            and rival.chunks > 1
            and self.heard_ns > rival.since_ns
            and now_ns - rival.last_ns <= CONTEST_NS
        )


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


def receive(stream: Stream | None, chunk: Waveform, now_ns: int) -> tuple[Arrival, Stream]:
    """Decide about a chunk.

    Parameters
    ----------
    stream : Stream or None
        None before the first chunk of a bed: a consumer that subscribes late has lost nothing.
    chunk : Waveform
    now_ns : int
        Monotonic time in ns.
    """
    if stream is None:
        check, _ = check_sequence(None, chunk)
        return Arrival((Taken(chunk, check),)), _begin(chunk, now_ns)
    place = stream.place
    if chunk.session != place.session or not _is_plausible(stream, chunk, now_ns):
        return _receive_foreign(stream, chunk, now_ns)
    held = stream.held
    if _continues(place, chunk):
        return _receive_next(stream, chunk, now_ns)
    if (chunk.seq <= place.seq and chunk.start < place.end) or chunk == held:
        return Arrival(duplicate=True), stream
    if held is None:
        return _hold(stream, chunk)
    if _continues(position(held), chunk):
        first, stream = _take(replace(stream, held=None), held, now_ns)
        second, stream = _take(stream, chunk, now_ns)
        return _with_contender(Arrival((first, second)), stream)
    earlier, later = sorted((held, chunk), key=lambda one: one.seq)
    if not _follows(place, earlier) or not _follows(position(earlier), later):
        return Arrival(refused=(held,)), replace(stream, held=chunk)
    taken, stream = _take(replace(stream, held=later), earlier, now_ns)
    return _with_contender(Arrival((taken,)), stream)


def release(stream: Stream, session: str, now_ns: int) -> tuple[Arrival, Stream]:
    """Note that the publisher of a session has ended: the served one is then complete, and any other takes over."""
    if session != stream.place.session:
        return Arrival(), stream
    arrival, stream = flush(stream, now_ns)
    contender = stream.contender
    if contender is None:
        return arrival, replace(stream, released=True)
    taken, stream = _take_over(stream, contender, now_ns)
    return replace(arrival, taken=(*arrival.taken, taken)), stream


def resume(chunk: Waveform, silent_ns: int, now_ns: int) -> Stream:
    """Return the stream of another process that goes on after ``chunk``, its last one, received ``silent_ns`` ago."""
    return replace(_begin(chunk, now_ns), heard_ns=now_ns - silent_ns)


def expect(stream: Stream, session: str) -> Stream:
    """Note which session the worker serves; consumers that joined while two sent follow it."""
    return replace(stream, expected=None if session == stream.place.session else session)


def flush(stream: Stream, now_ns: int) -> tuple[Arrival, Stream]:
    """Take the held chunk: no other will follow it."""
    if stream.held is None:
        return Arrival(), stream
    taken, stream = _take(replace(stream, held=None), stream.held, now_ns)
    return Arrival((taken,)), stream


# --- the served session ----------------------------------------------------------------------------------------------


def _begin(chunk: Waveform, now_ns: int) -> Stream:
    return Stream(
        place=position(chunk), chunk_ns=_duration_ns(chunk.n, chunk.speed), speed=chunk.speed, heard_ns=now_ns
    )


def _receive_next(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Arrival, Stream]:
    """Take the chunk that continues the last one; then the held one, if it was only swapped with this."""
    held = stream.held
    taken, stream = _take(replace(stream, held=None) if held is not None else stream, chunk, now_ns)
    arrival = Arrival((taken,))
    if held is not None:
        if _continues(stream.place, held):
            swapped, stream = _take(stream, held, now_ns)
            arrival = Arrival((taken, swapped))
        else:
            arrival = Arrival((taken,), (held,))
    return _with_contender(arrival, stream)


def _hold(stream: Stream, chunk: Waveform) -> tuple[Arrival, Stream]:
    return _with_contender(Arrival(), replace(stream, held=chunk))


def _with_contender(arrival: Arrival, stream: Stream) -> tuple[Arrival, Stream]:
    """Refuse the contender: the served session sends."""
    if stream.contender is None:
        return arrival, stream
    return replace(arrival, refused=(*arrival.refused, stream.contender)), replace(stream, contender=None)


def _take(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Taken, Stream]:
    """Move the position of the served session behind a chunk."""
    place = stream.place
    try:
        check, _ = check_sequence(place, chunk)
    except MessageError:
        # The position was wrong, and two chunks agree on another one.
        check = SequenceCheck(discontinuous=True, lost_samples=max(chunk.start - place.end, 0))
    elapsed_ns = max(now_ns - stream.heard_ns, 0)
    used_ns = _duration_ns(chunk.end - place.end, stream.speed)
    return Taken(chunk, check), replace(
        stream,
        place=position(chunk),
        chunk_ns=_duration_ns(chunk.n, chunk.speed),
        speed=chunk.speed,
        heard_ns=max(now_ns, stream.heard_ns),
        interval_ns=max(stream.interval_ns, elapsed_ns),
        credit_ns=max(stream.credit_ns + elapsed_ns - used_ns, 0),
        confirmed=True,
        released=False,
    )


def _is_plausible(stream: Stream, chunk: Waveform, now_ns: int) -> bool:
    """Return whether the samples between the position and a chunk can have been sent in the time that has passed."""
    ahead_ns = _duration_ns(chunk.start - stream.place.end, stream.speed)
    return ahead_ns <= stream.credit_ns + now_ns - stream.heard_ns + SLACK_NS


# --- other writers ---------------------------------------------------------------------------------------------------


def _receive_foreign(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Arrival, Stream]:
    stream = replace(stream, rival=_rival(stream, chunk, now_ns))
    if stream.released or chunk.session == stream.expected:
        taken, stream = _take_over(stream, chunk, now_ns)
        return Arrival((taken,)), stream
    if stream.confirmed and now_ns - stream.heard_ns <= stream.patience_ns:
        return Arrival(refused=(chunk,)), stream
    contender = stream.contender
    if contender is None:
        arrival, stream = flush(stream, now_ns)
        return arrival, replace(stream, contender=chunk)
    if not _continues(position(contender), chunk):
        return Arrival(refused=(contender,)), replace(stream, contender=chunk)
    first, stream = _take_over(stream, contender, now_ns)
    second, stream = _take(stream, chunk, now_ns)
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
        blind_from = before.end if stream.heard_ns > before.last_ns else before.blind_from
    return Rival(chunk.session, chunk.end, blind_from, since_ns, now_ns, chunks)


def _take_over(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Taken, Stream]:
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
    return Taken(chunk, check), _begin(chunk, now_ns)


# --- positions -------------------------------------------------------------------------------------------------------


def position(chunk: Waveform) -> Continuity:
    """Return the position after a chunk."""
    return Continuity(chunk.session, chunk.epoch, chunk.seq, chunk.end, chunk.leads)


def _continues(place: Continuity, chunk: Waveform) -> bool:
    """Return whether a chunk is the next one after a position."""
    return (
        chunk.session == place.session
        and chunk.seq == place.seq + 1
        and chunk.start == place.end
        and chunk.epoch >= place.epoch
    )


def _follows(place: Continuity, chunk: Waveform) -> bool:
    """Return whether a chunk can come after a position with chunks between them."""
    try:
        check, _ = check_sequence(place, chunk)
    except MessageError:
        return False
    return not check.duplicate


def _duration_ns(samples: int, speed: float) -> int:
    return round(samples * 1e9 / (FS * speed))
