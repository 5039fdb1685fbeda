"""The short form of each row of `make reliability`: the same experiments, fewer repetitions, no ratios of time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import mosquitto_program
from tests.reliability.forks import Forks
from tests.reliability.row import Bench, Row
from tests.reliability.rows import ROWS

pytest.importorskip("PySide6.QtWidgets", reason="needs the extra 'gui' and Qt's libraries", exc_type=ImportError)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as server:
        yield server


@pytest.fixture
def bench(forks: Forks, tmp_path: Path) -> Bench:
    mosquitto_program()
    return Bench("row", tmp_path / "row", short=True, say=print, cancelled=threading.Event(), forks=forks)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_the_promise_holds(row: Row, bench: Bench) -> None:
    outcome = row.run(bench)
    assert outcome.passed, f"{row.promise}\ndone: {outcome.done}\nobserved: {outcome.observed}"
