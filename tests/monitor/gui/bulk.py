"""Long signals with one frame per second."""

from __future__ import annotations

from monitor.gui.window import MonitorWindow
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import forecast, sine


def feed(script: Script, window: MonitorWindow, seconds: int, *, forecasts: bool = True, **changes: object) -> None:
    """Deliver seconds of signal, and draw one frame for each."""
    for _ in range(seconds):
        for seq in range(script.next_seq, script.next_seq + 10):
            made = sine(seq, **changes)
            script.now = max(script.now, made.due_ns)
            script.receive(made)
            if forecasts:
                script.receive(forecast(made.end - 1, leads=made.leads, bed=made.bed, score=0.2))
        script.next_seq += 10
        window.tick()
