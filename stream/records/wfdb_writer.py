"""Write WFDB records: format 16, ADC values unchanged, notes as annotations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stream.errors import StorageError
from stream.records.wfdb_reader import quiet_wfdb
from stream.records.wfdb_text import ascii_text, signal_names
from stream.timebase import FS

FILES = (".hea", ".dat", ".atr")


def write(
    stem: Path,
    adu: npt.NDArray[np.int16],
    *,
    leads: Sequence[str],
    gain: Sequence[float],
    zero: Sequence[int],
    comments: Sequence[str] = (),
    notes: Sequence[tuple[int, str]] = (),
) -> None:
    """Write ``stem`` + ``.hea``, ``.dat`` and ``.atr``.

    Parameters
    ----------
    stem : Path
        The name must consist of letters, digits and ``_``.
    adu : array of int16, shape (n, leads)
        At 360 Hz; −32768 is invalid, as in WFDB's format 16.
    leads : sequence of str
    gain, zero : sequence of float, sequence of int
        adu per mV and the adu of 0 mV, one per lead.
    comments : sequence of str
        Comment lines at the end of the header.
    notes : sequence of (int, str)
        Comment annotations (``"``) by sample, in order.

    Raises
    ------
    StorageError
        One of the files exists (no file is changed), or cannot be written (no file is left).
    """
    paths = [stem.with_name(stem.name + suffix) for suffix in FILES]
    for path in paths:
        if path.exists():
            raise StorageError(f"{path} exists: move it away, or choose another folder")
    try:
        with quiet_wfdb() as wfdb:
            wfdb.wrsamp(
                stem.name,
                fs=FS,
                units=["mV"] * len(leads),
                sig_name=signal_names(leads),
                d_signal=adu,
                fmt=["16"] * len(leads),
                adc_gain=list(gain),
                baseline=list(zero),
                comments=[ascii_text(comment) for comment in comments],
                write_dir=str(stem.parent),
            )
            if notes:
                wfdb.wrann(
                    stem.name,
                    "atr",
                    np.array([sample for sample, _ in notes]),
                    symbol=['"'] * len(notes),
                    aux_note=[ascii_text(note) for _, note in notes],
                    fs=FS,
                    write_dir=str(stem.parent),
                )
    except OSError as error:
        for path in paths:
            path.unlink(missing_ok=True)
        raise StorageError(f"{stem} cannot be written ({error.strerror}): choose another folder") from None


def write_beats(folder: Path, name: str, samples: Sequence[int], symbols: Sequence[str]) -> None:
    """Write beat annotations of a record at 360 Hz, in ascending order, to ``name.atr`` in a folder.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    if not samples:
        (folder / f"{name}.atr").write_bytes(bytes(2))  # the end marker alone; wfdb writes no empty annotation file
        return
    with quiet_wfdb() as wfdb:
        wfdb.wrann(name, "atr", np.asarray(samples), symbol=list(symbols), fs=FS, write_dir=str(folder))
