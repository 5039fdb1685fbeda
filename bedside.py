"""Python interface of bedside for notebooks and scripts: records, models, streaming analysis; no broker.

    result = bedside.analyze(bedside.load("excerpt"))

docs/python.md has examples of every name. Names are imported on first use: ``import bedside`` alone loads neither numpy
nor torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.conditions.numeric_values import NumericSamples as NumericSamples
    from model.pipeline.analysis import load_models as load_models
    from model.serving.analyzer import Analyzer as Analyzer
    from model.serving.analyzer import Output as Output
    from model.serving.analyzer import RecordAnalysis as RecordAnalysis
    from model.serving.analyzer import analyze as analyze
    from model.serving.analyzer import analyze_all as analyze_all
    from model.signal.wave_samples import WaveSamples as WaveSamples
    from stream.records.record import Record as Record
    from stream.timebase import FS as FS
    from stream.wire.alarm_messages import Alarm as Alarm
    from stream.wire.numerics_message import Numeric as Numeric

_MODULES = {
    "FS": "stream.timebase",
    "Alarm": "stream.wire.alarm_messages",
    "Analyzer": "model.serving.analyzer",
    "Numeric": "stream.wire.numerics_message",
    "NumericSamples": "model.conditions.numeric_values",
    "Output": "model.serving.analyzer",
    "Record": "stream.records.record",
    "RecordAnalysis": "model.serving.analyzer",
    "WaveSamples": "model.signal.wave_samples",
    "analyze": "model.serving.analyzer",
    "analyze_all": "model.serving.analyzer",
    "load_models": "model.pipeline.analysis",
}
"""Names imported on first use, and the module of each."""

__all__ = [*sorted(_MODULES), "columns", "load"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'bedside' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *_MODULES]


def load(name: str, data_dir: str | Path | None = None) -> Record:
    """Load a record; one of MIT-BIH is downloaded on first use.

    Parameters
    ----------
    name : str
        ``mitdb/208``, ``excerpt``, ``synthetic``, or the path of a WFDB record, with or without its suffix.
    data_dir : path, optional
        Folder that contains ``mitdb/`` and other databases; by default the environment variable BEDSIDE_DATA.

    Returns
    -------
    Record
        Up to twelve ECG leads at 360 Hz, of which the first two are analysed; ``record.mv()`` gives shape (n, leads)
        in mV. ``record.waves`` holds plethysmogram and arterial pressure, if it contains them.

    Raises
    ------
    RecordError
        The record cannot be found or read.
    """
    from stream.records.catalog import Catalog
    from stream.records.wfdb_reader import load as load_record

    return load_record(name, None if data_dir is None else Catalog(Path(data_dir)))


def columns(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """Convert beats, vital signs or alarms to columns, for example for ``pandas.DataFrame``.

    Parameters
    ----------
    rows : iterable
        Rows of one type: ``result.beats``, ``result.vitals`` or ``result.alarms``.

    Returns
    -------
    dict of str to list
        The values of each field by its name; empty without rows.
    """
    rows = list(rows)
    if not rows:
        return {}
    first = rows[0]
    names = getattr(first, "__struct_fields__", None) or tuple(first.__dataclass_fields__)
    return {name: [getattr(row, name) for row in rows] for name in names}
