"""The short form of each row of `make reliability`: the same experiments, fewer repetitions, no ratios of time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import mosquitto_program
from tests.reliability.row import Bench, Row
from tests.reliability.rows import ROWS

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    mosquitto_program()
    cancelled = threading.Event()
    yield Bench("row", tmp_path / "row", short=True, say=print, cancelled=cancelled)
    cancelled.set()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_the_promise_holds(row: Row, bench: Bench) -> None:
    outcome = row.run(bench)
    assert outcome.passed, f"{row.promise}\ndone: {outcome.done}\nobserved: {outcome.observed}"
