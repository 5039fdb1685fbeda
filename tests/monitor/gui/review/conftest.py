"""A window that can write WFDB records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from monitor.gui.window import MonitorWindow
from stream.records.wfdb_writer import write
from tests.monitor.gui.conftest import Script


@pytest.fixture
def window(qtbot: QtBot, script: Script) -> Iterator[MonitorWindow]:
    made = MonitorWindow(script, clock=script.clock, write_record=write)
    made._timer.stop()
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()
