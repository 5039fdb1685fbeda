"""A presenter with a scripted sequence of messages."""

from __future__ import annotations

from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import Frame
from stream.wire.alarm_texts import phrase
from tests.monitor.message_samples import (
    CONNECTED,
    T0,
    forecast,
    process,
    received,
    received_chunk,
    status,
)
from tests.waveforms import SESSION

ONLINE = Broker(True, CONNECTED)
OFFLINE = Broker(False, phrase("broker.lost", address="mqtt://test:1883"))


class Scenario:
    """A presenter, and the time up to which its bed has streamed."""

    def __init__(self, worker: bool = True) -> None:
        self.presenter = Presenter()
        self.now = T0
        self.next_seq = 0
        self.session = SESSION
        if worker:
            for message in (process("worker"), process("publisher"), status("worker", "forecasting")):
                self.presenter.process(received(message, T0))

    def stream(self, count: int, forecasts: bool = True, **changes: object) -> Scenario:
        session = str(changes.get("session", SESSION))
        if session != self.session:  # the publisher was restarted, and the worker serves the new session
            self.session = session
            self.receive(status("worker", "forecasting", session=session))
        for seq in range(self.next_seq, self.next_seq + count):
            chunk = received_chunk(seq, **changes)
            self.now = chunk.received_ns
            self.presenter.process(chunk)
            if forecasts:
                self.presenter.process(received(forecast(seq * 36 + 35), self.now))
        self.next_seq += count
        return self

    def receive(self, *messages: object) -> Scenario:
        for message in messages:
            self.presenter.process(received(message, self.now))  # type: ignore[arg-type]
        return self

    def frame(self, later_s: float = 0.0, broker: Broker = ONLINE) -> Frame:
        return self.presenter.frame(self.now + round(later_s * 1e9), None, broker)
