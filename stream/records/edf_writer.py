"""Write a complete WFDB record as EDF+, with its numerics and annotations; all ADC values unchanged.

EDF+ has data records of one duration, and all of them are whole: the last one is filled with invalid samples, −32768,
and an annotation says where the recording ends. edfio is imported inside the function, as wfdb is.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from stream.errors import RecordError, StorageError
from stream.records.appended_record import own_record
from stream.records.wfdb_reader import quiet_wfdb
from stream.timebase import FS
from stream.wire.messages import INVALID
from stream.wire.wave_message import WAVE_UNIT

SUFFIXES = (".hea", ".dat", ".atr", ".ref")
"""Files of a record that EDF+ replaces; those of its numerics are ``n.hea`` and what that names."""

MAX_DATA_RECORD_S = 3600
"""Longest data record, s: hourly numerics need it; waves at 124.945 Hz need 200 s."""

FULL_RANGE = (-32768, 32767)


def convert(stem: Path) -> None:
    """Replace the record ``stem`` + ``.hea`` and its companions by ``stem`` + ``.edf``.

    Raises
    ------
    RecordError
        EDF+ cannot hold its values, such as a range of more than eight characters; the record stays.
    StorageError
        The file cannot be written; the record stays.
    """
    from edfio import Edf, EdfAnnotation, Recording

    names = [stem.name, *(own_record(stem.name, signal) for signal in WAVE_UNIT), f"{stem.name}n"]
    with quiet_wfdb() as wfdb:
        stems = [str(stem.with_name(name)) for name in names if stem.with_name(f"{name}.hea").exists()]
        headers = [wfdb.rdheader(one) for one in stems]
        # wfdb reads no record without samples, such as that of a wave of which all came too late.
        sources = [
            wfdb.rdrecord(one, physical=False, smooth_frames=False)
            for one, header in zip(stems, headers, strict=True)
            if header.n_sig and header.sig_len
        ]
        notes = [
            EdfAnnotation(at / FS, None, text)
            for suffix in ("atr", "ref")
            if stem.with_name(f"{stem.name}.{suffix}").exists()
            for at, text in _texts(wfdb.rdann(str(stem), suffix), "" if suffix == "atr" else "reference: ")
        ]
    if not sources:
        return
    record = sources[0]
    rates = [rate for source in sources for rate in _rates(source)]
    whole_s = math.lcm(*(rate.denominator for rate in rates))
    if whole_s > MAX_DATA_RECORD_S:
        raise RecordError(
            f"record {stem.name}: its rates have no data record of at most {MAX_DATA_RECORD_S} s in common, which EDF+ "
            "needs: it stays as WFDB"
        )
    seconds = record.sig_len / Fraction(record.fs).limit_denominator(10_000)
    records = math.ceil(seconds / whole_s)
    notes.append(EdfAnnotation(float(seconds), None, "the recording ends"))
    begin = record.base_datetime
    try:
        signals = list(_signals(record, records * whole_s))
        taken = {signal.label for signal in signals}
        signals += [signal for source in sources[1:] for signal in _signals(source, records * whole_s, taken)]
        edf = Edf(
            signals,
            recording=Recording(startdate=_date(begin), equipment_code="bedside_SIMULATION"),
            starttime=begin.time() if begin is not None else None,
            data_record_duration=whole_s,
            annotations=sorted(notes, key=lambda note: note.onset),
        )
    except ValueError as error:
        raise RecordError(f"record {stem.name} does not fit into EDF+ ({error}): it stays as WFDB") from None
    part, path = stem.with_name(f".{stem.name}.edf.part"), stem.with_name(f"{stem.name}.edf")
    try:
        edf.write(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): make room; the WFDB record {stem.name} stays"
        ) from None
    for header in headers:
        for name in {f"{header.record_name}{suffix}" for suffix in SUFFIXES} | set(header.file_name or ()):
            stem.with_name(name).unlink(missing_ok=True)


def _date(begin: datetime.datetime | None) -> datetime.date:
    """Return the date of a record, or the first that EDF knows if its clock was not set."""
    return begin.date() if begin is not None and 1985 <= begin.year <= 2084 else datetime.date(1985, 1, 1)


def _rates(source: Any) -> list[Fraction]:
    fs = Fraction(source.fs).limit_denominator(10_000)
    return [fs * (n or 1) for n in source.samps_per_frame]


def _signals(source: Any, seconds: int, taken: Collection[str] = ()) -> Iterator[Any]:
    """Yield the signals of a record, filled or cut to a number of seconds; a label that is taken gets a ``value``."""
    from edfio import EdfSignal

    for i, rate in enumerate(_rates(source)):
        adu = np.full(int(rate * seconds), INVALID, np.int16)
        stored = source.e_d_signal[i][: adu.size]
        adu[: stored.size] = stored
        gain, zero = source.adc_gain[i], source.baseline[i]
        low, high = ((limit - zero) / gain for limit in FULL_RANGE)
        yield EdfSignal.from_digital(
            adu,
            float(rate),
            label=(f"{name} value" if (name := source.sig_name[i]) in taken else name)[:16],
            physical_dimension=source.units[i][:8],
            physical_range=(_short(low), _short(high)),
            digital_range=FULL_RANGE,
        )


def _short(value: float) -> float:
    """Return a value that fits into the eight characters of the header."""
    digits = next(digits for digits in range(8, 0, -1) if len(f"{value:.{digits}g}") <= 8)
    return float(f"{value:.{digits}g}")


def _texts(annotations: Any, prefix: str) -> Iterator[tuple[int, str]]:
    for at, symbol, aux in zip(annotations.sample, annotations.symbol, annotations.aux_note, strict=True):
        text = aux.rstrip("\x00")
        yield int(at), prefix + (text if symbol == '"' else f"{symbol} {text}".strip())
