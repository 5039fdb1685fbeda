"""Bounds on what a WFDB header may ask for, checked before any sample is read.

A header of a hundred bytes can ask for terabytes, or for hours of parsing. Imports no wfdb.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from stream.errors import RecordError
from stream.timebase import FS

MIN_FS, MAX_FS = 1.0, 100_000.0
"""Accepted sampling rates, in Hz."""

MAX_HOURS = 48.0
"""Longest accepted record: 62 million samples at 360 Hz, 0.5 GB per lead while it is resampled."""

MAX_SAMPLES = 100_000_000
"""Maximum number of stored samples of one signal."""

MAX_READ_SAMPLES = 150_000_000
"""Maximum number of samples that are read of all signals together: two leads of 48 h, twelve of 9 h at 360 Hz.

A sample takes 15 to 25 bytes until it is converted, measured with 2 to 12 leads at 100 to 1,000 Hz: 3.8 GB at most.
"""

MAX_SIGNALS, MAX_SEGMENTS, MAX_HEADER_BYTES = 512, 10_000, 1 << 20
"""Far above those of public databases; wfdb's time to parse a header grows faster than linearly."""

BITS_PER_SAMPLE = {
    "8": 8,
    "16": 16,
    "24": 24,
    "32": 32,
    "61": 16,
    "80": 8,
    "160": 16,
    "212": 12,
    "310": 32 / 3,
    "311": 32 / 3,
}
"""Bits per sample of the uncompressed WFDB formats (https://wfdb.io/spec/signal-files.html)."""

_RECORD_LINE = re.compile(rb"^[^\s/]+(?:/(\d+))?\s+(\d+)")


def check_text(stem: Path) -> None:
    """Check the size of a header, and the numbers of signals and segments in its first line, before wfdb parses it.

    Raises
    ------
    RecordError
        One of them is above its maximum.
    """
    path = stem.with_name(stem.name + ".hea")
    if not path.is_file():
        return  # wfdb names it
    if path.stat().st_size > MAX_HEADER_BYTES:
        raise RecordError(
            f"{path.name} has {path.stat().st_size} bytes, and a header has at most {MAX_HEADER_BYTES}: "
            "choose another record"
        )
    lines = (line.strip() for line in path.read_bytes().splitlines())
    found = _RECORD_LINE.match(next((line for line in lines if line and not line.startswith(b"#")), b""))
    if found is None:
        return  # wfdb reports it
    for what, text, most in (("signals", found[2], MAX_SIGNALS), ("segments", found[1] or b"1", MAX_SEGMENTS)):
        if len(text) > len(str(most)) or int(text) > most:
            raise RecordError(
                f"{path.name} gives {text[:20].decode()} {what}, at most {most} are read: correct its first line"
            )


def check_sizes(folder: Path, header: Any) -> None:
    """Reject signal files shorter than their header specifies; wfdb would pad them or fail with an obscure error."""
    if not header.sig_len:
        return
    for file in dict.fromkeys(header.file_name or []):
        signals = [i for i, other in enumerate(header.file_name) if other == file]
        bits = BITS_PER_SAMPLE.get(header.fmt[signals[0]])
        if file == "~" or bits is None:
            continue
        path = folder / file
        samples = header.sig_len * sum(header.samps_per_frame[i] or 1 for i in signals)
        needed = (header.byte_offset[signals[0]] or 0) + math.ceil(samples * bits / 8)
        if not path.is_file():
            raise RecordError(f"{header.record_name}: its file {file} is missing")
        if path.stat().st_size < needed:
            raise RecordError(
                f"{file} is truncated: {path.stat().st_size} bytes, its header specifies {needed}; download it again"
            )


def check_duration(folder: Path, header: Any, min_fs: float = MIN_FS, of: str = "an ECG") -> None:
    """Reject a sampling rate that is none of an ECG, and a record that is too long; call `check_sizes` first.

    Parameters
    ----------
    folder : Path
    header : wfdb.Record or wfdb.MultiRecord
    min_fs : float
        Lowest accepted sampling rate, in Hz.
    of : str
        What the record holds, for the message.

    Raises
    ------
    RecordError
    """
    if header.fs is None or not min_fs <= header.fs <= MAX_FS:
        raise RecordError(
            f"{header.record_name}: sampling rate {header.fs} Hz is not that of {of}; "
            "correct the first line of its header"
        )
    frames, per_frame = _frames_of_all(folder, header)
    hours = frames / header.fs / 3600
    if hours > MAX_HOURS and frames > MAX_HOURS * 3600:  # a chart, with a row per hour, may last longer
        raise RecordError(
            f"{header.record_name} lasts {hours:,.0f} h at {header.fs:g} Hz, at most {MAX_HOURS:g} h are read: "
            "correct sampling rate and length in its header, or cut the record"
        )
    if frames * per_frame > MAX_SAMPLES:
        raise RecordError(
            f"{header.record_name} has {frames * per_frame:,} samples per signal, at most {MAX_SAMPLES:,} are read: "
            "correct its header, or cut the record"
        )


def check_leads(folder: Path, header: Any, leads: int, waves: int) -> None:
    """Reject a record whose signals are too much together; call `check_duration` first.

    Parameters
    ----------
    folder : Path
    header : wfdb.Record or wfdb.MultiRecord
    leads, waves : int
        Signals that are read: as ECG, at 360 Hz if they are stored at a lower rate, and as they are stored.

    Raises
    ------
    RecordError
    """
    frames, per_frame = _frames_of_all(folder, header)
    samples = leads * max(frames * per_frame, round(frames / header.fs * FS)) + waves * frames * per_frame
    if samples > MAX_READ_SAMPLES:
        raise RecordError(
            f"{header.record_name} has {samples:,} samples in {leads + waves} signals, at most {MAX_READ_SAMPLES:,} "
            "are read: cut the record, or leave signals out"
        )


def _frames_of_all(folder: Path, header: Any) -> tuple[int, int]:
    """Return the frames of a record, and the samples of its fastest signal in each."""
    segments = [segment for segment in getattr(header, "segments", [header]) if segment is not None]
    frames = max(header.sig_len or 0, sum(getattr(header, "seg_len", ())))
    frames = max([frames, *(_frames(folder, segment) for segment in segments)])
    # A skew shifts a signal by frames that wfdb allocates, too.
    frames += max((skew for segment in segments for skew in segment.skew or () if skew), default=0)
    return frames, max((n for segment in segments for n in segment.samps_per_frame or () if n), default=1)


def _frames(folder: Path, segment: Any) -> int:
    """Return the length of a segment: from its header or, if that is silent, from the size of its first file."""
    if segment.sig_len or not segment.file_name:
        return segment.sig_len or 0
    file = segment.file_name[0]
    signals = [i for i, other in enumerate(segment.file_name) if other == file]
    bits = BITS_PER_SAMPLE.get(segment.fmt[0])
    if bits is None or not (folder / file).is_file():
        return 0
    in_frame = sum(segment.samps_per_frame[i] or 1 for i in signals)
    return int((folder / file).stat().st_size * 8 / bits / in_frame)
