"""Contents of ``summary.json``, the results of one demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.tools.wire_stats import BedStats, quantiles_ms
from stream.timebase import FS
from stream.wire.status_messages import ProcessStatus


def summarize(bed: BedStats, worker: ProcessStatus | None, forced_ends: Sequence[str]) -> dict[str, Any]:
    """Return the results of a run.

    Parameters
    ----------
    bed : BedStats
    worker : ProcessStatus or None
        The latest status of the worker's process.
    forced_ends : sequence of str
        One line for each process that had to be killed at the end; results that it had not sent yet are missing.
    """
    published = bed.publisher.counters if bed.publisher else {}
    processed = bed.worker.counters if bed.worker else {}
    process: Mapping[str, float] = worker.counters if worker else {}
    samples = int(published.get("samples_published", 0))
    return {
        "synthetic": bool(bed.waveform and bed.waveform.synthetic),
        "seconds": round(samples / FS, 3),
        "samples_published": samples,
        "samples_forecast": int(processed.get("samples_forecast", 0)),
        "gaps": int(processed.get("gaps", 0)),
        "duplicates": int(processed.get("duplicates", 0)),
        "rejected": int(processed.get("rejected", 0) + process.get("rejected", 0)),
        "alarms": len(bed.raised),
        "latency_ms": quantiles_ms(bed.latencies_ms),
        "forecast_skill": None if bed.skill is None else round(bed.skill, 4),
        "forced_ends": list(forced_ends),
    }
