"""The interface of a WFDB record writer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt


class RecordWriter(Protocol):
    """Writes a WFDB record with notes; `stream.records.wfdb_writer.write` is one."""

    def __call__(
        self,
        stem: Path,
        adu: npt.NDArray[np.int16],
        *,
        leads: Sequence[str],
        gain: Sequence[float],
        zero: Sequence[int],
        comments: Sequence[str],
        notes: Sequence[tuple[int, str]],
    ) -> None:
        """Write the record whose files begin with `stem`."""
        ...
