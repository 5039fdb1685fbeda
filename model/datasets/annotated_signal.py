"""A record with its reference annotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.datasets.reference import Reference, reference_of
from model.signal.arrays import FloatArray, IntArray
from stream.errors import RecordError
from stream.records import wfdb_reader
from stream.records.catalog import Catalog
from stream.records.record import Annotations, Record


@dataclass(frozen=True)
class AnnotatedSignal:
    """A signal and its annotations.

    Attributes
    ----------
    mv : ndarray of float64, shape (n, leads)
        NaN where invalid.
    sample : ndarray of int64, shape (m,)
        Positions of the annotations, ascending.
    symbol : tuple of str
        WFDB codes of the annotations; not all of them mark beats.
    """

    mv: FloatArray
    sample: IntArray
    symbol: tuple[str, ...]

    @property
    def reference(self) -> Reference:
        """The reference beats."""
        return reference_of(self.sample, self.symbol, len(self.mv))


def annotations_of(record: Record) -> Annotations:
    """Return the annotations of a record.

    Raises
    ------
    RecordError
        The record has no annotations.
    """
    if record.annotations is None:
        raise RecordError(f"record {record.name} has no reference annotations: put its .atr file beside it")
    return record.annotations


def load_annotated(name: str, catalog: Catalog | None = None) -> AnnotatedSignal:
    """Read a record, such as ``svdb/800``, or ``100`` of MIT-BIH, with its annotations.

    Raises
    ------
    RecordError
        The record cannot be found or read, or has no annotations.
    """
    record = wfdb_reader.load(name if "/" in name else f"mitdb/{name}", catalog)
    annotations = annotations_of(record)
    order = np.argsort(annotations.sample, kind="stable")
    symbol = tuple(annotations.symbol[i] for i in order)
    return AnnotatedSignal(record.analysed().mv(), annotations.sample[order].astype(np.int64), symbol)
