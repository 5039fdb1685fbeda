"""Metrics of anomaly alarms and baselines with bootstrap intervals over patients, and their JSON report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.datasets.mitdb import without
from model.evaluation import detection_metrics
from model.evaluation.anomaly_metrics import (
    BREAK_EVEN,
    METRICS,
    THRESHOLDS,
    AnomalyMetrics,
    PooledBeatScores,
    RecordResult,
    pooled,
)
from model.evaluation.detection_metrics import Counts
from model.evaluation.patient_bootstrap import draw_records, interval95
from model.evaluation.tables import all_or_none, or_none
from model.evaluation.time_metrics import TIME_METRICS, PooledTimeScores, TimeMetrics, record_metrics

Intervals = dict[str, tuple[float, float]]
"""95 % interval of each metric."""


@dataclass(frozen=True)
class AnomalyReport:
    """Scores of all methods over several records.

    Attributes
    ----------
    records : dict of str to RecordResult
    metrics : dict of str to AnomalyMetrics
        By method.
    intervals : dict of str to dict of str to (float, float)
        By method and metric.
    time, time_intervals
        Time-based metrics and their intervals.
    """

    records: dict[str, RecordResult]
    metrics: dict[str, AnomalyMetrics]
    intervals: dict[str, Intervals]
    time: dict[str, TimeMetrics]
    time_intervals: dict[str, Intervals]

    def without(self, names: Iterable[str]) -> AnomalyReport:
        """Return the report without some records; nothing is run again.

        Raises
        ------
        UsageError
            No record remains.
        """
        return report_of({name: self.records[name] for name in without(list(self.records), list(names))})

    def counts(self, method: str) -> Counts:
        """Return true and false positives at each threshold over all records."""
        return pooled(self.records, method).counts()

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON, one key per method; None if undefined."""
        return {method: self._method(method) for method in self.metrics}

    def _method(self, method: str) -> dict[str, Any]:
        return {
            **all_or_none(asdict(self.metrics[method])),
            "threshold": THRESHOLDS[method],
            "break_even": BREAK_EVEN[method],
            "intervals": _for_json(self.intervals[method]),
            "by_time": {
                **all_or_none(asdict(self.time[method])),
                "intervals": _for_json(self.time_intervals[method]),
            },
            "records": {name: _record_dict(record, method) for name, record in self.records.items()},
        }


def report_of(records: Mapping[str, RecordResult]) -> AnomalyReport:
    """Return the metrics of the methods over one or more records, with intervals."""
    once = np.ones(len(records), dtype=np.int64)
    drawn = draw_records(records)
    metrics, intervals, time, time_intervals = {}, {}, {}, {}
    for method in next(iter(records.values())).score:
        beats = PooledBeatScores(records, method)
        metrics[method] = beats.metrics(once)
        intervals[method] = _intervals([beats.metrics(times) for times in drawn], METRICS)
        patches = PooledTimeScores([record.time for record in records.values()], method)
        time[method] = patches.metrics(once)
        time_intervals[method] = _intervals([patches.metrics(times) for times in drawn], TIME_METRICS)
    return AnomalyReport(dict(records), metrics, intervals, time, time_intervals)


def _intervals(draws: Sequence[Any], names: Sequence[str]) -> Intervals:
    ends = interval95(np.array([[getattr(draw, name) for name in names] for draw in draws], np.float64))
    return {name: (float(low), float(high)) for name, low, high in zip(names, *ends, strict=True)}


def _record_dict(record: RecordResult, method: str) -> dict[str, Any]:
    counts = record.counts(method)
    time = record_metrics(record.time, method)
    own = {
        "auroc": detection_metrics.auroc(counts),
        "ap": detection_metrics.average_precision(counts),
        "f1": detection_metrics.f1(counts, THRESHOLDS[method]),
        "sensitivity": detection_metrics.sensitivity(counts, THRESHOLDS[method]),
        "false_episodes_per_h": record.false_episodes[method] / record.hours,
    }
    of_time = {"auroc": time.auroc, "ap": time.ap, "false_alarm_s_per_h": time.false_alarm_s_per_h}
    return {
        **all_or_none(own),
        "beats": len(record.veb),
        "veb": int(record.veb.sum()),
        "episodes": record.episodes[method],
        "by_time": all_or_none(of_time),
    }


def _for_json(intervals: Intervals) -> dict[str, list[float | None]]:
    return {name: [or_none(end) for end in ends] for name, ends in intervals.items()}
