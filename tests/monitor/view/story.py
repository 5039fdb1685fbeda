"""A presenter, the messages that it has processed, and frames of it."""

from __future__ import annotations

from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import Frame
from stream.wire.phrases import phrase
from tests.monitor.stories import (
    CONNECTED,
    T0,
    arrives,
    forecast,
    process,
    received,
    status,
)

ONLINE = Broker(True, CONNECTED)
OFFLINE = Broker(False, phrase("broker.lost", address="mqtt://test:1883"))


class Story:
    """A presenter, and the moment until which its bed has streamed."""

    def __init__(self, worker: bool = True) -> None:
        self.presenter = Presenter()
        self.now = T0
        self.next_seq = 0
        if worker:
            for message in (process("worker"), process("publisher"), status("worker", "forecasting")):
                self.presenter.process(received(message, T0))

    def stream(self, count: int, forecasts: bool = True, **changes: object) -> Story:
        for seq in range(self.next_seq, self.next_seq + count):
            got = arrives(seq, **changes)
            self.now = got.received_ns
            self.presenter.process(got)
            if forecasts:
                self.presenter.process(received(forecast(seq * 36 + 35), self.now))
        self.next_seq += count
        return self

    def say(self, *messages: object) -> Story:
        for message in messages:
            self.presenter.process(received(message, self.now))  # type: ignore[arg-type]
        return self

    def frame(self, later_s: float = 0.0, broker: Broker = ONLINE) -> Frame:
        return self.presenter.frame(self.now + round(later_s * 1e9), None, broker)
