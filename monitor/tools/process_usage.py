"""Processor time and memory of a process and its descendants, from /proc: only on Linux."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """What a process and its descendants have used.

    Attributes
    ----------
    cpu_s : float
        Processor time since the start, in s, also of children that have ended.
    memory_mb : float
        Memory now, in MB; what several processes share counts once (PSS).
    """

    cpu_s: float
    memory_mb: float


def usage(pid: int) -> Usage | None:
    """Return the usage of a process; None if it has ended, or without /proc."""
    parents: defaultdict[int, list[int]] = defaultdict(list)
    for folder in _PROC.glob("[0-9]*"):
        if (fields := _stat(int(folder.name))) is not None:
            parents[int(fields[1])].append(int(folder.name))
    if _stat(pid) is None:
        return None
    cpu_s, memory_kb, family = 0.0, 0, [pid]
    for member in family:
        family += parents[member]
        if (fields := _stat(member)) is not None:
            cpu_s += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            memory_kb += _pss_kb(member)
    return Usage(cpu_s, memory_kb / 1000)


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the state on: [1] parent, [11:15] ticks of itself and ended children."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _pss_kb(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
