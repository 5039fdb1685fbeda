"""Small WFDB records with annotations, written to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stream.records.wfdb_reader import quiet_wfdb
from tests.model.evaluation.annotated_records import Mark


def write(
    folder: Path,
    name: str,
    seconds: float,
    marks: Sequence[Mark],
    *,
    fs: int = 360,
    leads: Sequence[str] = ("MLII", "V1"),
    units: str = "mV",
    comments: Sequence[str] = (),
) -> None:
    """Write a record whose ECG has a spike at each beat."""
    adu = np.zeros((round(seconds * fs), len(leads)), np.int16)
    for at, code, _ in marks:
        if code not in "+[]~":
            adu[round(at * fs) : round(at * fs) + max(round(0.03 * fs), 1)] = 200
    with quiet_wfdb() as wfdb:
        wfdb.wrsamp(
            name,
            fs=fs,
            units=[units] * len(leads),
            sig_name=list(leads),
            d_signal=adu,
            fmt=["16"] * len(leads),
            adc_gain=[200.0] * len(leads),
            baseline=[0] * len(leads),
            comments=list(comments),
            write_dir=str(folder),
        )
        if marks:
            ordered = sorted(marks)
            wfdb.wrann(
                name,
                "atr",
                np.array([round(at * fs) for at, _, _ in ordered]),
                symbol=[code for _, code, _ in ordered],
                aux_note=[aux for _, _, aux in ordered],
                fs=fs,
                write_dir=str(folder),
            )
