"""Read WFDB records: at most two ECG leads, int16, 360 Hz, whatever the file held.

MIT-BIH counts travel exactly as they are stored. Everything else is turned into mV, resampled and counted again.
wfdb is imported inside functions: it brings pandas, and many of bedside's processes never read a record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.catalog import Catalog
from stream.errors import RecordError
from stream.messages import FS, INVALID, MAX_LEADS

FULL_SCALE = 32767
"""Largest count that travels; −32768 says invalid."""

MIN_GAIN = 200.0
"""adu/mV below which counts are made finer when a lead is counted again (MIT-BIH has 200)."""

UNITS = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "v": 1e3}
"""mV in one physical unit; the micro sign is written in two ways."""

NO_ECG = re.compile(
    r"abp|art|bp|pap|cvp|icp|pleth|ppg|spo2|resp|rsp|co2|eeg|emg|eog|gsr|scr|temp|flow|press|stroke|mark|trig|event",
    re.IGNORECASE,
)
"""Names of signals that monitors record beside the ECG; some are stored in mV too."""

READ_ERRORS = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, NotImplementedError)
"""What wfdb raises for damaged files."""

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Annotations:
    """Reference annotations.

    Attributes
    ----------
    sample : ndarray of int64, shape (k,)
        Positions in samples at 360 Hz.
    symbol, aux : tuple of str
        WFDB annotation symbols, such as ``N``, ``V``, ``+``, and their notes, such as ``(AFIB``.
    """

    sample: npt.NDArray[np.int64]
    symbol: tuple[str, ...]
    aux: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """A recording at 360 Hz.

    Attributes
    ----------
    name : str
        ``mitdb/208``, ``excerpt``, ``synthetic``, or the base name of a file; never a folder of this machine.
    leads : tuple of str
        One or two lead names, MLII first where there is one.
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    adu : ndarray of int16, shape (n, leads)
        Read-only; −32768 is invalid.
    synthetic : bool
        True when no patient stands behind the samples.
    source : str
        Where it came from, in words: ``local folder``, ``cache``, ``PhysioNet``, …
    annotations : Annotations or None
        None where the record has no ``.atr`` file.
    """

    name: str
    leads: tuple[str, ...]
    gain: tuple[float, ...]
    zero: tuple[int, ...]
    adu: npt.NDArray[np.int16]
    synthetic: bool
    source: str
    annotations: Annotations | None = None

    @property
    def n(self) -> int:
        """Samples per lead."""
        return int(self.adu.shape[0])

    def mv(self) -> Samples:
        """Return the samples in mV, shape (n, leads), float64; NaN where invalid."""
        mv = (self.adu - np.asarray(self.zero, np.float64)) / np.asarray(self.gain, np.float64)
        mv[self.adu == INVALID] = np.nan
        return mv


@dataclass(frozen=True)
class Lead:
    """One lead in counts at 360 Hz: int16 of shape (n,), adu per mV, adu of 0 mV."""

    adu: npt.NDArray[np.int16]
    gain: float
    zero: int


def load(name: str, catalog: Catalog | None = None) -> Record:
    """Load a recording.

    Parameters
    ----------
    name : str
        ``mitdb/208``, ``excerpt``, ``synthetic``, or a path to any WFDB record, with or without ``.hea`` or ``.dat``.
    catalog : Catalog, optional
        Where to look; by default as the environment says.

    Raises
    ------
    RecordError
        Unknown, damaged, or without an ECG.
    SourceError
        Neither on disk nor to be had from the network.
    """
    if name == "synthetic":
        from stream.synthetic import synthetic_patient

        return synthetic_patient()
    catalog = catalog or Catalog.from_environment()
    if name == "excerpt":
        path, source = catalog.excerpt()
        return _read_excerpt(path, source)
    located = catalog.files(name)
    return read(located.stem, name=located.name, source=located.source)


def read(stem: Path, *, name: str, source: str) -> Record:
    """Read the WFDB record whose header is ``stem`` + ``.hea``, with its ``.atr`` annotations if there are any.

    Raises
    ------
    RecordError
        The files are damaged, or hold no ECG.
    """
    import wfdb

    header = _header(wfdb, stem)
    chosen = choose_leads(header.sig_name or [], header.units or [])
    if not chosen:
        held = ", ".join(str(s) for s in header.sig_name or []) or "no signal at all"
        raise RecordError(f"{stem.name}.hea holds no ECG signal (it has {held}): choose another record")
    whole = _read(stem, wfdb.rdrecord, channels=chosen, physical=False, smooth_frames=False)
    leads = [_lead(whole, i) for i in range(len(chosen))]
    n = min(lead.adu.size for lead in leads)
    if n == 0 or all((lead.adu == INVALID).all() for lead in leads):
        raise RecordError(f"{stem.name} holds no valid ECG sample: choose another record")
    adu = np.stack([lead.adu[:n] for lead in leads], axis=1)
    adu.flags.writeable = False
    return Record(
        name=name,
        leads=tuple(whole.sig_name[i][:16] for i in range(len(chosen))),
        gain=tuple(lead.gain for lead in leads),
        zero=tuple(lead.zero for lead in leads),
        adu=adu,
        synthetic=False,
        source=source,
        annotations=_annotations(wfdb, stem, whole.fs, n),
    )


def choose_leads(names: Sequence[str | None], units: Sequence[str | None]) -> list[int]:
    """Return the indices of at most two ECG signals: MLII first, else II, then the order of the file."""

    def rank(i: int) -> int:
        words = re.split(r"[\s_-]+", (names[i] or "").upper())
        return 0 if "MLII" in words else 1 if "II" in words else 2

    ecg = [
        i
        for i, (name, unit) in enumerate(zip(names, units, strict=True))
        if (unit or "mV").lower() in UNITS and not NO_ECG.search(name or "")
    ]
    return sorted(ecg, key=rank)[:MAX_LEADS]


def _header(wfdb: Any, stem: Path) -> Any:
    return _read(stem, wfdb.rdheader)


def _read(stem: Path, reader: Any, *args: Any, **options: Any) -> Any:
    try:
        return reader(str(stem), *args, **options)
    except READ_ERRORS as error:
        raise RecordError(f"{stem.name}: cannot be read as a WFDB record ({error})") from error


def _lead(record: Any, i: int) -> Lead:
    from wfdb.io._signal import _digi_nan

    counts = record.e_d_signal[i]
    invalid = counts == _digi_nan(record.fmt)[i]
    scale = UNITS[(record.units[i] or "mV").lower()]
    fs = record.fs * (record.samps_per_frame[i] or 1)
    gain, zero = record.adc_gain[i] / scale, record.baseline[i]
    valid = counts[~invalid]
    fits = valid.size == 0 or (np.abs(valid).max() <= FULL_SCALE)
    if fs == FS and gain > 0 and abs(zero) <= FULL_SCALE and fits:
        return Lead(np.where(invalid, INVALID, counts).astype(np.int16), gain, zero)
    mv = (counts - zero) / gain
    mv[invalid] = np.nan
    return quantise(resample(mv, fs), gain, zero)


def resample(mv: Samples, fs: float) -> Samples:
    """Return a signal at 360 Hz, by a polyphase filter; NaN gaps stay, at their scaled place."""
    from scipy.signal import resample_poly

    ratio = _ratio(fs)
    if ratio == 1:
        return mv
    invalid = np.isnan(mv)
    if invalid.all():
        return np.full(-(-mv.size * ratio.numerator // ratio.denominator), np.nan)
    at = np.arange(mv.size)
    filled = np.interp(at, at[~invalid], mv[~invalid]) if invalid.any() else mv
    out: Samples = resample_poly(filled, ratio.numerator, ratio.denominator, padtype="line")
    place = np.arange(out.size) * ratio.denominator / ratio.numerator
    before = np.minimum(np.floor(place).astype(np.int64), mv.size - 1)
    after = np.minimum(np.ceil(place).astype(np.int64), mv.size - 1)
    out[invalid[before] | invalid[after]] = np.nan
    return out


def quantise(mv: Samples, gain: float, zero: int) -> Lead:
    """Return mV as counts; the gain and zero given are kept where they neither clip nor coarsen."""
    valid = ~np.isnan(mv)
    gain = max(abs(gain), MIN_GAIN)
    if valid.any():
        low, high = float(mv[valid].min()), float(mv[valid].max())
        if not (-FULL_SCALE <= gain * low + zero and gain * high + zero <= FULL_SCALE):
            half = max((high - low) / 2, 1e-9)
            gain = min(gain, (FULL_SCALE - 1) / half)
            zero = round(-gain * (low + high) / 2)
            if abs(zero) > FULL_SCALE:
                # The offset is larger than the range: 0 mV must be a count too.
                gain = (FULL_SCALE - 1) / max(abs(low), abs(high))
                zero = 0
    adu = np.full(mv.shape, INVALID, np.int16)
    adu[valid] = np.rint(mv[valid] * gain + zero).astype(np.int16)
    return Lead(adu, float(gain), int(zero))


def _ratio(fs: float) -> Fraction:
    return FS / Fraction(fs).limit_denominator(1000)


def _annotations(wfdb: Any, stem: Path, fs: float, n: int) -> Annotations | None:
    if not stem.with_name(stem.name + ".atr").exists():
        return None
    read = _read(stem, wfdb.rdann, "atr")
    ratio = _ratio(read.fs or fs)
    sample = np.rint(read.sample * (ratio.numerator / ratio.denominator)).astype(np.int64)
    return Annotations(
        sample=np.minimum(sample, n - 1),
        symbol=tuple(read.symbol),
        aux=tuple(note.rstrip("\x00") for note in read.aux_note),
    )


def _read_excerpt(path: Path, source: str) -> Record:
    with np.load(path) as file:
        adu = file["ecg"].astype(np.int16)[:, np.newaxis]
    adu.flags.writeable = False
    return Record("excerpt", ("MLII",), (200.0,), (1024,), adu, synthetic=False, source=source)
