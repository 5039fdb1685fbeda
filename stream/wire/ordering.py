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

Pure functions. `stream.wire.bed_stream` has the state, and `stream.wire.other_writers` what leads to a takeover.
"""

from __future__ import annotations

from dataclasses import replace

from stream.wire import other_writers
from stream.wire.bed_stream import Arrival, Stream, Taken, begin, continues, duration_ns, flush, follows, position, take
from stream.wire.continuity import check_sequence
from stream.wire.messages import Waveform

SLACK_NS = 60_000_000_000
"""How far a chunk may be ahead of the time that has passed, in ns: the 30 s buffers of publisher and consumer."""


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
        return Arrival((Taken(chunk, check),)), begin(chunk, now_ns)
    place = stream.place
    if chunk.session != place.session or not _is_plausible(stream, chunk, now_ns):
        return other_writers.receive(stream, chunk, now_ns)
    held = stream.held
    if continues(place, chunk):
        return _receive_next(stream, chunk, now_ns)
    if (chunk.seq <= place.seq and chunk.start < place.end) or chunk == held:
        return Arrival(duplicate=True), stream
    if held is None:
        return _hold(stream, chunk)
    if continues(position(held), chunk):
        first, stream = take(replace(stream, held=None), held, now_ns)
        second, stream = take(stream, chunk, now_ns)
        return _with_contender(Arrival((first, second)), stream)
    earlier, later = sorted((held, chunk), key=lambda one: one.seq)
    if not follows(place, earlier) or not follows(position(earlier), later):
        return Arrival(refused=(held,)), replace(stream, held=chunk)
    taken, stream = take(replace(stream, held=later), earlier, now_ns)
    return _with_contender(Arrival((taken,)), stream)


def release(stream: Stream, session: str, now_ns: int) -> tuple[Arrival, Stream]:
    """Note that the publisher of a session has ended: the served one is then complete, and any other takes over."""
    if session != stream.place.session:
        return Arrival(), stream
    arrival, stream = flush(stream, now_ns)
    contender = stream.contender
    if contender is None:
        return arrival, replace(stream, released=True)
    taken, stream = other_writers.take_over(stream, contender, now_ns)
    return replace(arrival, taken=(*arrival.taken, taken)), stream


def resume(chunk: Waveform, silent_ns: int, now_ns: int) -> Stream:
    """Return the stream of another process that goes on after ``chunk``, its last one, received ``silent_ns`` ago."""
    return replace(begin(chunk, now_ns), received_ns=now_ns - silent_ns)


def expect(stream: Stream, session: str) -> Stream:
    """Note which session the worker serves; consumers that joined while two sent follow it."""
    return replace(stream, expected=None if session == stream.place.session else session)


# --- the served session ----------------------------------------------------------------------------------------------


def _receive_next(stream: Stream, chunk: Waveform, now_ns: int) -> tuple[Arrival, Stream]:
    """Take the chunk that continues the last one; then the held one, if it was only swapped with this."""
    held = stream.held
    taken, stream = take(replace(stream, held=None) if held is not None else stream, chunk, now_ns)
    arrival = Arrival((taken,))
    if held is not None:
        if continues(stream.place, held):
            swapped, stream = take(stream, held, now_ns)
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


def _is_plausible(stream: Stream, chunk: Waveform, now_ns: int) -> bool:
    """Return whether the samples between the position and a chunk can have been sent in the time that has passed."""
    ahead_ns = duration_ns(chunk.start - stream.place.end, stream.speed)
    return ahead_ns <= stream.credit_ns + now_ns - stream.received_ns + SLACK_NS
