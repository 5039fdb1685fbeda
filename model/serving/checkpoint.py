"""Checkpoint of a bed: what another process needs to go on with it, as bytes.

A file is a checkpoint followed by entries, each written when something changed since. Every part carries its length and
a check sum: a damaged checkpoint is refused, and the entries are read up to the first incomplete one.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from model.alarms import recent_events
from model.alarms.alarm_manager import SavedAlarms
from model.alarms.state import AlarmState
from model.pipeline.analysis import Models
from model.pipeline.bed_state import BedState
from model.signal.state_codec import pack, unpack
from stream.errors import StorageError
from stream.wire.alarm_messages import Alarm
from stream.wire.continuity import Continuity
from stream.wire.messages import Waveform

FORMAT = b"bedside-bed-3\n"
"""First bytes of a file; changes with the layout or the meaning of the state."""

FINGERPRINT_BYTES = 16

MAX_BYTES = 16 * 2**20
"""Largest size of a file that is read; one of two leads has about 0.2 MB."""

LINEAGE = 16
"""Number of instances in `BedCheckpoint.served_by`."""

_PART = struct.Struct("<II")
"""Header of a part: its length and its CRC-32."""


@dataclass(frozen=True, slots=True)
class BedCheckpoint:
    """Everything that continues a bed.

    Attributes
    ----------
    number : int
        Incremented with each checkpoint of the bed.
    served_by : tuple of str
        Processes that served the bed one after the other, the last of which wrote this; at most `LINEAGE`.
    alive_ns : int
        Unix time in ns at which the last chunk was processed.
    chunk : Waveform
        The last processed chunk.
    place : Continuity
        Its position; further entries move it.
    counters : dict of str to int
    ended : bool
        Whether the publisher has reported the end of the record.
    lease : int
        See `stream.wire.lease`.
    analysis : BedState
    alarms : SavedAlarms
    """

    number: int
    served_by: tuple[str, ...]
    alive_ns: int
    chunk: Waveform
    place: Continuity
    counters: dict[str, int]
    ended: bool
    lease: int
    analysis: BedState
    alarms: SavedAlarms


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change since the checkpoint; what did not change is None or empty.

    Attributes
    ----------
    alive_ns : int
    place : Continuity or None
    counters : dict of str to int
    alarms : AlarmState or None
    events : tuple of Alarm
        New events.
    after : int
        Number of the checkpoint that it follows.
    by : str
        The process that wrote it. A worker that was stopped and replaced may still write some; they are ignored.
    """

    alive_ns: int = 0
    place: Continuity | None = None
    counters: dict[str, int] = msgspec.field(default_factory=dict)
    alarms: AlarmState | None = None
    events: tuple[Alarm, ...] = ()
    after: int = 0
    by: str = ""


def fingerprint(models: Models) -> bytes:
    """Return a hash of the models; a state is valid only with those that made it."""
    digest = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
    digest.update(repr((asdict(models.forecaster.config), asdict(models.forecaster.scaling))).encode())
    for name, value in sorted(models.forecaster.weights.items()):
        digest.update(name.encode() + value.tobytes())
    for ensemble in (models.beat_classifier.main, models.beat_classifier.atrial):
        for array in (ensemble.mean, ensemble.scale, *ensemble.weights, *ensemble.biases, ensemble.class_bias):
            digest.update(array.tobytes())
    return digest.digest()


def encode(checkpoint: BedCheckpoint, models: bytes) -> bytes:
    """Return the bytes of a file without entries; ``models`` is their `fingerprint`."""
    return FORMAT + models + _part(pack(checkpoint))


def encode_entry(entry: Entry) -> bytes:
    """Return the bytes of an entry, to be appended to a file."""
    return _part(msgspec.msgpack.encode(entry))


def decode(data: bytes, models: bytes) -> BedCheckpoint:
    """Return the checkpoint in a file, with its entries applied.

    Raises
    ------
    StorageError
        It is of another version or of other models, or damaged.
    """
    head = len(FORMAT) + FINGERPRINT_BYTES
    if not data.startswith(FORMAT):
        raise StorageError("it is of another version")
    if data[len(FORMAT) : head] != models:
        raise StorageError("it was made with other models")
    parts = _parts(data[head:])
    first = next(parts, None)
    if first is None:
        raise StorageError("it is damaged")
    checkpoint = unpack(first, BedCheckpoint)
    for part in parts:
        entry = unpack(part, Entry)
        if (entry.after, entry.by) == (checkpoint.number, checkpoint.served_by[-1]):
            checkpoint = _apply(checkpoint, entry)
    return checkpoint


def _apply(checkpoint: BedCheckpoint, entry: Entry) -> BedCheckpoint:
    place, alarms = entry.place or checkpoint.place, checkpoint.alarms
    return replace(
        checkpoint,
        alive_ns=max(checkpoint.alive_ns, entry.alive_ns),
        place=place,
        chunk=_moved(checkpoint.chunk, place),
        counters=entry.counters or checkpoint.counters,
        alarms=SavedAlarms(entry.alarms or alarms.state, recent_events.push(alarms.recent, entry.events)),
    )


def _moved(chunk: Waveform, place: Continuity) -> Waveform:
    """Return a chunk with the position of a later one, which was not saved itself."""
    moved = place.end - chunk.end
    return msgspec.structs.replace(
        chunk, epoch=place.epoch, seq=place.seq, start=chunk.start + moved, position=chunk.position + max(moved, 0)
    )


def _part(data: bytes) -> bytes:
    return _PART.pack(len(data), zlib.crc32(data)) + data


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield the parts up to the first that is incomplete or damaged."""
    at = 0
    while at + _PART.size <= len(data):
        size, check = _PART.unpack_from(data, at)
        at += _PART.size
        part = data[at : at + size]
        if len(part) < size or zlib.crc32(part) != check:
            return
        yield part
        at += size


def lineage(served_by: Sequence[str], instance: str) -> tuple[str, ...]:
    """Return the processes that served a bed after ``instance`` has taken over."""
    return (*(name for name in served_by if name != instance), instance)[-LINEAGE:]
