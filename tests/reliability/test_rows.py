"""The short form of those rows of `make reliability` whose promise no test of tests/system looks at.

The same experiments, fewer repetitions, no ratios of time. The rows of one module run side by side, because they mostly
wait. All of them in their short form: `make reliability ARGS=--short`; one alone: `ARGS='--short --only gaps'`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import mosquitto_program
from tests.reliability.__main__ import Run
from tests.reliability.forks import Forks
from tests.reliability.row import Row
from tests.reliability.rows import ROWS

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)

LANES = 3

TESTED_ELSEWHERE = {"kills", "links", "overloads", "stops", "strangers", "streams"}
"""Modules whose promises tests/system holds, too: test_worker_group, test_alarm_kills and test_event_reconciliation,
test_broker_restart, test_workers, test_hung_monitor, test_intruder and test_malformed, test_writers."""

GROUPS: defaultdict[str, list[Row]] = defaultdict(list)
for row in ROWS:
    if (module := row.run.__module__.rpartition(".")[2]) not in TESTED_ELSEWHERE:
        GROUPS[module].append(row)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    mosquitto_program()
    with Forks() as server:
        yield server


@pytest.mark.timeout(400)
@pytest.mark.parametrize("group", GROUPS)
def test_the_promises_hold(group: str, forks: Forks, tmp_path: Path) -> None:
    run = Run(tmp_path, short=True, forks=forks)
    run.run(GROUPS[group], lanes=LANES)
    assert set(run.results) == {row.name for row in GROUPS[group]}
    failed = [f"{name}: {result.observed}" for name, result in run.results.items() if result.verdict == "fail"]
    assert not failed, "\n".join(failed)
