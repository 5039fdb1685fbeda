"""The live score in the drawer for engineers."""

from __future__ import annotations

import msgspec

from monitor.gui.window import MonitorWindow
from tests.monitor.gui.conftest import Script
from tests.stream.wire.test_codec import SCORE
from tests.waveforms import SESSION


def test_the_drawer_shows_the_score_of_this_session_alone(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    window.bed_view.toggle_engineer()
    window.tick()
    panel = window.bed_view.score
    assert panel.isHidden()
    script.receive(msgspec.structs.replace(SCORE, session="f" * 32))
    window.tick()
    assert panel.isHidden(), "of an earlier session"
    script.receive(SCORE)
    window.tick()
    assert not panel.isHidden()
    assert SCORE.session == SESSION
    assert [value for _, value in panel.rows] == [
        "99.8 / 99.5",
        "100.0 / 100.0 · -- / --",
        "-- · 90 / --",
        "10.0 · 0.5 s",
    ]
    assert panel.rows[0][0].endswith("300 s")
    script.receive(msgspec.structs.replace(SCORE, complete=True))
    window.tick()
    assert panel.rows[0][0].endswith("complete")
