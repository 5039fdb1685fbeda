"""Writes a file of weights: of the forecaster, of the beat classifier, of the vitals hours ahead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from stream.errors import StorageError


def write(path: Path, arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, str]) -> None:
    """Write arrays and a header atomically, as safetensors.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(arrays), part, metadata=dict(header))
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot write the weights to {path}: {error}") from error
