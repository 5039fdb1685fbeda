"""Checkpoint of a bed: what another process needs to go on with it, as bytes.

A file is a checkpoint followed by entries, each written when the alarms of the bed have changed since; its position
stands elsewhere (`model.serving.progress`). Every part carries its length and a check sum: a damaged checkpoint is
refused, and the entries are read up to the first incomplete one.
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
from model.serving.bed_hours import BedHours
from model.signal.state_codec import pack, unpack
from stream.errors import StorageError
from stream.wire.alarm_messages import Alarm
from stream.wire.continuity import Continuity
from stream.wire.messages import Waveform

FORMAT = b"bedside-bed-9\n"
"""First bytes of a file; changes with the layout or the meaning of the state."""

FINGERPRINT_BYTES = 16

MAX_BYTES = 16 * 2**20
"""Largest size of a file that is read; one of two leads has about 0.4 MB."""

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
        Its position, or that of a later one, which was not saved itself.
    counters : dict of str to int
    ended : bool
        Whether the publisher has reported the end of the record.
    lease : int
        See `stream.wire.lease`.
    analysis : BedState
    alarms : SavedAlarms
    hours : BedHours or None
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
    hours: BedHours | None = None


class Entry(msgspec.Struct, frozen=True):
    """A change of the alarms since the checkpoint.

    Attributes
    ----------
    alarms : AlarmState
    events : tuple of Alarm
        New events.
    after : int
        Number of the checkpoint that it follows.
    by : str
        The process that wrote it. A worker that was stopped and replaced may still write some; they are ignored.
    """

    alarms: AlarmState
    events: tuple[Alarm, ...] = ()
    after: int = 0
    by: str = ""


def fingerprint(models: Models) -> bytes:
    """Return a hash of the models; a state is valid only with those that made it."""
    digest = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
    digest.update(repr((asdict(models.forecaster.config), asdict(models.forecaster.scaling))).encode())
    for name, value in sorted(models.forecaster.weights.items()):
        digest.update(name.encode() + value.tobytes())
    for array in models.beat_classifier.tensors().values():
        digest.update(array.tobytes())
    return digest.digest()


def encode(checkpoint: BedCheckpoint, models: bytes) -> bytes:
    """Return the bytes of a file without entries; ``models`` is their `fingerprint`."""
    return b"".join([FORMAT, models, *_part(pack(checkpoint))])


def encode_entry(entry: Entry) -> bytes:
    """Return the bytes of an entry, to be appended to a file."""
    return part(msgspec.msgpack.encode(entry))


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
    found = parts(data[head:])
    first = next(found, None)
    if first is None:
        raise StorageError("it is damaged")
    checkpoint = unpack(first, BedCheckpoint)
    for own in found:
        entry = unpack(own, Entry)
        if (entry.after, entry.by) == (checkpoint.number, checkpoint.served_by[-1]):
            recent = recent_events.push(checkpoint.alarms.recent, entry.events)
            checkpoint = replace(checkpoint, alarms=SavedAlarms(entry.alarms, recent))
    return checkpoint


def moved(checkpoint: BedCheckpoint, place: Continuity, counters: dict[str, int], alive_ns: int) -> BedCheckpoint:
    """Return a checkpoint at the position of a later chunk, which was not saved itself."""
    chunk = checkpoint.chunk
    by = place.end - chunk.end
    return replace(
        checkpoint,
        alive_ns=max(checkpoint.alive_ns, alive_ns),
        place=place,
        chunk=msgspec.structs.replace(
            chunk, epoch=place.epoch, seq=place.seq, start=chunk.start + by, position=chunk.position + max(by, 0)
        ),
        counters=counters,
    )


def part(data: bytes) -> bytes:
    """Return data with its length and check sum."""
    return b"".join(_part(data))


def _part(data: bytes) -> tuple[bytes, bytes]:
    return _PART.pack(len(data), zlib.crc32(data)), data


def parts(data: bytes) -> Iterator[bytes]:
    """Yield the parts up to the first that is incomplete or damaged."""
    at = 0
    while at + _PART.size <= len(data):
        size, check = _PART.unpack_from(data, at)
        at += _PART.size
        own = data[at : at + size]
        if len(own) < size or zlib.crc32(own) != check:
            return
        yield own
        at += size


def lineage(served_by: Sequence[str], instance: str) -> tuple[str, ...]:
    """Return the processes that served a bed after ``instance`` has taken over."""
    return (*(name for name in served_by if name != instance), instance)[-LINEAGE:]
