"""Read WFDB records as at most twelve ECG leads, int16, 360 Hz, with other waves as stored, and their numerics.

Numerics are in a record of their own beside that of the waves, of the same name with an ``n`` at its end, as in MIMIC
and BIDMC.

ECG at 360 Hz (all of MIT-BIH) keeps its stored ADC values; other rates are resampled. wfdb is imported inside
functions: it imports pandas, and many of bedside's processes never read a record.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import compress, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.errors import RecordError
from stream.records import wfdb_bounds
from stream.records.appended_record import BESIDE, own_record
from stream.records.catalog import Catalog
from stream.records.lead_choice import analysed_first, main_lead
from stream.records.record import Annotations, Record, RecordedNumeric, RecordedWave, Samples, of_numerics
from stream.records.signals import MAY_BE_ZERO, choose_numerics, choose_waves, plain_name
from stream.records.synthetic.presets import PRESETS, synthetic_record
from stream.timebase import FS
from stream.wire.fields import MAX_GAIN, MAX_LEADS
from stream.wire.fields import MIN_GAIN as LOWEST_GAIN
from stream.wire.messages import ANALYSED_LEADS, INVALID
from stream.wire.numerics_message import UNIT_OF
from stream.wire.wave_message import MAX_WAVE_FS, MIN_WAVE_FS, WAVE_UNIT, Signal

FULL_SCALE = 32767
"""Largest ADC value in a message; −32768 marks an invalid sample."""

MIN_GAIN = 200.0
"""Lowest gain of a resampled lead, in adu/mV (MIT-BIH has 200); coarser ADC steps would add quantization noise."""

MV_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "v": 1e3}
"""mV per physical unit; the micro sign has two code points."""

NON_ECG_SIGNALS = re.compile(
    r"abp|art|bp|pap|cvp|icp|pleth|ppg|spo2|resp|rsp|co2|eeg|emg|eog|gsr|scr|temp|flow|press|stroke|mark|trig|event",
    re.IGNORECASE,
)
"""Names of other signals that monitors record; some are stored in mV, too."""

NUMERICS_SUFFIX = "n"
"""End of the name of a record with numerics."""

MIN_NUMERICS_FS, MAX_NUMERICS_FS = 1 / 3600, 5.0
"""Sampling rates of numerics, in Hz; MIMIC has 1 Hz and once per minute. A faster record is another one's, by chance of
the same name."""

READ_ERRORS = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""Exceptions that wfdb raises for damaged files."""


@dataclass(frozen=True)
class Lead:
    """One lead at 360 Hz: ADC values, int16 of shape (n,); gain in adu per mV; the adu of 0 mV."""

    adu: npt.NDArray[np.int16]
    gain: float
    zero: int


def load(name: str, catalog: Catalog | None = None) -> Record:
    """Load a recording.

    Parameters
    ----------
    name : str
        ``mitdb/208``, ``excerpt``, ``synthetic`` or another of `PRESETS`, or a path to any WFDB record, with or without
        ``.hea`` or ``.dat``.
    catalog : Catalog, optional
        Sources of records; by default that of the environment.

    Raises
    ------
    RecordError
        The record is unknown, damaged, or contains no ECG.
    SourceError
        Neither on disk nor available from the network.
    """
    if name in PRESETS:
        return synthetic_record(name)
    catalog = catalog or Catalog.from_environment()
    if name == "excerpt":
        path, source = catalog.locate_excerpt()
        return _read_excerpt(path, source)
    located = catalog.locate(name)
    return read(located.stem, name=located.name, source=located.source)


def read(stem: Path, *, name: str, source: str) -> Record:
    """Read the WFDB record whose header is ``stem`` + ``.hea``, with its ``.atr`` annotations if there are any.

    Raises
    ------
    RecordError
        The files are damaged, or contain no ECG.
    """
    header = _header(stem)
    names, units = [plain_name(text) for text in header.sig_name or []], _units(header)
    chosen = choose_leads(names, units)
    if not chosen:
        contents = ", ".join(names) or "no signals"
        raise RecordError(f"{stem.name} contains no ECG signal in mV (it contains {contents}): choose another record")
    others = choose_waves(names, units)
    wfdb_bounds.check_leads(stem.parent, header, len(chosen), len(others))
    # Smoothing frames would average the ECG down to the rate of the slowest signal of the record.
    channels = [*chosen, *(i for i, _ in others.values())]
    raw = _call(stem, "rdrecord", channels=channels, physical=True, smooth_frames=False)
    found = [_lead(raw, i) for i in range(len(chosen))]
    usable = [LOWEST_GAIN <= lead.gain <= MAX_GAIN for lead in found]
    if False in usable[:ANALYSED_LEADS]:
        bad = usable.index(False)
        gain = f"the gain of {names[chosen[bad]]}, {found[bad].gain:g} adu/mV"
        raise RecordError(f"{stem.name}: {gain}, is not that of an ECG; correct its header")
    leads = list(compress(found, usable))
    waves = [_wave(raw, i, signal, factor) for i, (signal, (_, factor)) in enumerate(others.items(), start=len(chosen))]
    n = min(lead.adu.size for lead in leads)
    adu = np.stack([lead.adu[:n] for lead in leads], axis=1)
    lead_names = [(names[i] or "ECG")[:16] for i in compress(chosen, usable)]
    order = analysed_first(lead_names, adu, [lead.gain for lead in leads])
    if order != list(range(len(leads))):
        leads, lead_names, adu = [leads[i] for i in order], [lead_names[i] for i in order], adu[:, order]
    if (adu == INVALID).all():
        raise RecordError(f"{stem.name} contains no valid ECG sample: choose another record")
    adu.flags.writeable = False
    return Record(
        name=name,
        leads=tuple(lead_names),
        gain=tuple(lead.gain for lead in leads),
        zero=tuple(lead.zero for lead in leads),
        adu=adu,
        synthetic=False,
        source=source,
        annotations=_annotations(stem, header.fs, n),
        waves=(*(wave for wave in waves if wave is not None), *_waves_beside(stem, header, others)),
        numerics=_numerics(stem.with_name(stem.name + NUMERICS_SUFFIX)),
    )


def prepare() -> None:
    """Import what reading and resampling a record needs: about a second, once in a process."""
    import scipy.signal  # noqa: F401

    with quiet_wfdb():
        pass


@contextmanager
def quiet_wfdb() -> Iterator[Any]:
    """Provide the wfdb package without its warnings about its use of pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The inplace keyword", category=DeprecationWarning)
        import wfdb

        yield wfdb


def choose_leads(names: Sequence[str | None], units: Sequence[str | None]) -> list[int]:
    """Return the indices of at most twelve ECG signals: MLII first, else II, then in the order of the file."""
    ecg = [
        i
        for i, (name, unit) in enumerate(zip(names, units, strict=True))
        if (unit or "mV").lower() in MV_PER_UNIT and not NON_ECG_SIGNALS.search(name or "")
    ]
    return sorted(ecg, key=lambda i: main_lead(names[i] or ""))[:MAX_LEADS]


def _units(header: Any) -> list[str | None]:
    """Return the units of each signal; for a multi-segment record, those of its first segment (often a layout)."""
    first = next(segment for segment in getattr(header, "segments", [header]) if segment is not None)
    return list(first.units or [])


def _header(stem: Path, min_fs: float = wfdb_bounds.MIN_FS, of: str = "an ECG") -> Any:
    """Return a header, after checking it against `wfdb_bounds` and the sizes of its files."""
    wfdb_bounds.check_text(stem)
    header = _call(stem, "rdheader", rd_segments=True)
    for segment in getattr(header, "segments", [header]):
        if segment is not None:
            wfdb_bounds.check_sizes(stem.parent, segment)
    wfdb_bounds.check_duration(stem.parent, header, min_fs, of)
    return header


def _call(stem: Path, reader: str, *args: Any, **options: Any) -> Any:
    """Call wfdb's function ``reader`` on the files of ``stem``."""
    try:
        with quiet_wfdb() as wfdb:
            return getattr(wfdb, reader)(str(stem.absolute()), *args, **options)
    except FileNotFoundError as error:
        raise RecordError(f"{stem.name}: its file {Path(error.filename or '?').name} is missing") from error
    except READ_ERRORS as error:
        reason = f"({error})" if isinstance(error, ValueError) else "(damaged, or of a format that wfdb cannot read)"
        raise RecordError(" ".join(f"{stem.name}: cannot be read as a WFDB record {reason}".split())) from error


def _lead(raw: Any, i: int) -> Lead:
    """Return one lead of a wfdb record, at 360 Hz."""
    scale = MV_PER_UNIT[(raw.units[i] or "mV").lower()]
    fs = raw.fs * (raw.samps_per_frame[i] or 1)
    gain, zero = (raw.adc_gain[i] or MIN_GAIN) / scale, int(raw.baseline[i] or 0)
    mv = raw.e_p_signal[i] * scale
    if _ratio(fs) == 1 and gain > 0:
        return quantise(mv, gain, zero)
    # Resampled values lie between the stored ones.
    return quantise(resample(mv, fs), max(abs(gain), MIN_GAIN), zero)


def _wave(raw: Any, i: int, signal: Signal, factor: float) -> RecordedWave | None:
    """Return a wave of a wfdb record as stored; None if rate or gain is out of range or it has no valid sample."""
    fs = float(raw.fs * (raw.samps_per_frame[i] or 1))
    # The ADC values stay: the gain is in another unit.
    gain = abs(raw.adc_gain[i] or MIN_GAIN) / factor
    stored = quantise(raw.e_p_signal[i] * factor, gain, int(raw.baseline[i] or 0))
    accepted = MIN_WAVE_FS <= fs <= MAX_WAVE_FS and LOWEST_GAIN <= stored.gain <= MAX_GAIN
    if not accepted or (stored.adu == INVALID).all():
        return None
    stored.adu.flags.writeable = False
    return RecordedWave(signal, WAVE_UNIT[signal], fs, stored.gain, stored.zero, stored.adu)


def _waves_beside(stem: Path, header: Any, known: Container[str]) -> Iterator[RecordedWave]:
    """Yield the waves that a recorder of ours has put into records of their own, as the comments of a header say."""
    for signal in WAVE_UNIT:
        beside = stem.with_name(own_record(stem.name, signal))
        named = f"{BESIDE}{beside.name}" in (header.comments or ())
        if signal in known or not named or not beside.with_name(f"{beside.name}.hea").is_file():
            continue
        own = _header(beside, MIN_WAVE_FS, "a wave")
        found = choose_waves(own.sig_name or [], _units(own)).get(signal)
        if found is None or not own.sig_len:
            continue
        i, factor = found
        wave = _wave(_call(beside, "rdrecord", channels=[i], smooth_frames=False), 0, signal, factor)
        if wave is not None:
            yield wave


def _numerics(stem: Path) -> tuple[RecordedNumeric, ...]:
    """Return the numerics of the record that is ``stem`` + ``.hea``; none if there is no such record."""
    if not stem.with_name(stem.name + ".hea").is_file():
        return ()
    header = _header(stem, MIN_NUMERICS_FS, "numerics")
    names, units = header.sig_name or [], _units(header)
    chosen = choose_numerics(names, units)
    if not chosen or header.fs > MAX_NUMERICS_FS:
        return ()
    raw = _call(stem, "rdrecord", channels=[i for i, _ in chosen.values()], physical=True, smooth_frames=False)
    numerics = []
    for i, (name, (_, (factor, added))) in enumerate(chosen.items()):
        values = np.array(raw.e_p_signal[i], np.float64)
        if name not in MAY_BE_ZERO:
            values[values <= 0] = np.nan
        values = values * factor + added
        if np.isnan(values).all():
            continue
        values.flags.writeable = False
        fs = float(raw.fs * (raw.samps_per_frame[i] or 1))
        numerics.append(RecordedNumeric(name, UNIT_OF[name], fs, values))
    return tuple(numerics)


def read_numerics_alone(stem: Path, *, name: str, source: str) -> Record | None:
    """Read a WFDB record that contains numerics and nothing else; None if it is another one.

    Raises
    ------
    RecordError
        The files are damaged.
    """
    wfdb_bounds.check_text(stem)
    fs = _call(stem, "rdheader").fs
    if not fs or fs > MAX_NUMERICS_FS:
        return None
    header = _header(stem, MIN_NUMERICS_FS, "numerics")
    if not header.sig_len or choose_leads([plain_name(text) for text in header.sig_name or []], _units(header)):
        return None
    numerics = _numerics(stem)
    if not numerics and choose_numerics(header.sig_name or [], _units(header)):
        raise RecordError(f"{stem.name} contains no valid value: choose another record")
    return of_numerics(name, numerics, header.sig_len / header.fs, source) if numerics else None


def resample(mv: Samples, fs: float) -> Samples:
    """Return a signal at 360 Hz, resampled with a polyphase filter; gaps (NaN) keep their times."""
    from scipy.signal import resample_poly

    ratio = _ratio(fs)
    if ratio == 1:
        return mv
    invalid = np.isnan(mv)
    if invalid.all():
        return np.full(-(-mv.size * ratio.numerator // ratio.denominator), np.nan)
    at = np.arange(mv.size)
    filled = np.interp(at, at[~invalid], mv[~invalid])
    # The filter reproduces an offset only within 0.1 % and pads with zeros, so remove the offset and the steps at
    # both ends first.
    slope = (filled[-1] - filled[0]) / max(mv.size - 1, 1)
    out: Samples = resample_poly(filled - filled[0] - slope * at, ratio.numerator, ratio.denominator)
    position = np.arange(out.size) * ratio.denominator / ratio.numerator
    out += filled[0] + slope * position
    before = np.minimum(np.floor(position).astype(np.int64), mv.size - 1)
    after = np.minimum(np.ceil(position).astype(np.int64), mv.size - 1)
    out[invalid[before] | invalid[after]] = np.nan
    return out


def quantise(mv: Samples, gain: float, zero: int) -> Lead:
    """Return mV as ADC values, NaN as invalid.

    Gain and zero are kept if all values fit, so that the ADC values of a file are reproduced exactly. Otherwise the
    zero is moved to the middle of the range and the gain is reduced as far as necessary.
    """
    valid = ~np.isnan(mv)
    values = mv[valid]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if min(zero, round(gain * low + zero)) < -FULL_SCALE or max(zero, round(gain * high + zero)) > FULL_SCALE:
        gain, zero = _fit(gain, low, high)
        if abs(zero) > FULL_SCALE:
            gain, zero = _fit(gain, min(low, 0.0), max(high, 0.0))  # 0 mV must be representable, too
    adu = np.full(mv.shape, INVALID, np.int16)
    values *= gain
    values += zero
    adu[valid] = np.rint(values, out=values)  # in place: a long record has 0.5 GB per lead
    return Lead(adu, float(gain), zero)


def _fit(gain: float, low: float, high: float) -> tuple[float, int]:
    """Return the largest gain, at most `gain`, with which `low` to `high` fit, and the zero that centres them."""
    if high > low:
        gain = min(gain, 2 * (FULL_SCALE - 1) / (high - low))
    return gain, round(-gain * (low + high) / 2)


def _ratio(fs: float) -> Fraction:
    """Return 360 / fs as a fraction."""
    return FS / Fraction(fs).limit_denominator(1000)


def _annotations(stem: Path, fs: float, n: int) -> Annotations | None:
    if not stem.with_name(stem.name + ".atr").is_file():
        return None
    read = _call(stem, "rdann", "atr")
    ratio = _ratio(read.fs or fs)
    sample = np.rint(np.asarray(read.sample, np.int64) * (ratio.numerator / ratio.denominator)).astype(np.int64)
    sample = np.minimum(sample, n - 1)
    order = np.argsort(sample, kind="stable")  # a recording that was interrupted has them as they came
    sample = sample[order]
    sample.flags.writeable = False
    return Annotations(
        sample,
        tuple(read.symbol[i] for i in order),
        tuple(read.aux_note[i].rstrip("\x00") for i in order),
    )


def read_symbols(stem: Path) -> tuple[str, ...]:
    """Return the symbols of the ``.atr`` annotations of a WFDB record; none if there is no such file.

    Raises
    ------
    RecordError
        The file is damaged.
    """
    return tuple(_call(stem, "rdann", "atr").symbol) if stem.with_name(stem.name + ".atr").is_file() else ()


def read_breaths(stem: Path) -> npt.NDArray[np.float64]:
    """Return the times, s, of the breaths that a person has marked, ``.breath`` annotations; none without such a file.

    Raises
    ------
    RecordError
        The file is damaged.
    """
    if not stem.with_name(stem.name + ".breath").is_file():
        return np.empty(0)
    marked, fs = _call(stem, "rdann", "breath").sample, float(_header(stem).fs)
    return np.unique(marked).astype(np.float64) / fs


def read_summary(name: str, catalog: Catalog) -> tuple[float, tuple[str, ...]]:
    """Return the duration of a WFDB record in s, and its annotated rhythms, longest total duration first.

    Reads no samples. Raises the same errors as `load`.
    """
    located = catalog.locate(name)
    wfdb_bounds.check_text(located.stem)
    header = _call(located.stem, "rdheader")
    wfdb_bounds.check_duration(located.stem.parent, header)
    n = round((header.sig_len or 0) * float(_ratio(header.fs)))
    notes = _annotations(located.stem, header.fs, n)
    durations: Counter[str] = Counter()
    if notes is not None:
        changes = [(int(at), aux[1:17]) for at, aux in zip(notes.sample, notes.aux, strict=True) if aux[:1] == "("]
        for (at, rhythm), (end, _) in pairwise([*changes, (n, "")]):
            durations[rhythm] += end - at
    return n / FS, tuple(rhythm for rhythm, _ in durations.most_common())


def _read_excerpt(path: Path, source: str) -> Record:
    with np.load(path) as file:
        adu = file["ecg"].astype(np.int16)[:, np.newaxis]
    adu.flags.writeable = False
    return Record("excerpt", ("MLII",), (200.0,), (1024,), adu, synthetic=False, source=source)
