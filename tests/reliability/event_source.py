"""Publishes alarm events at a steady rate, as a worker would; its ledger is what the broker has acknowledged."""

from __future__ import annotations

import datetime
import json
import threading
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho

SESSION = "5" * 32


def alarm_event(number: int, *, bed: str = "bed-1", phase: str = "raised") -> dict[str, Any]:
    """Return the fields of an alarm event; each number is another alarm."""
    onset = 360 * number
    alarm_id = f"{SESSION}-asystole-{onset}"
    return {
        "v": 1,
        "event_id": f"{alarm_id}-{phase}",
        "alarm_id": alarm_id,
        "bed": bed,
        "session": SESSION,
        "record": "reliability",
        "kind": "asystole",
        "priority": "high",
        "phase": phase,
        "onset": onset,
        "end": None if phase == "raised" else onset + 1800,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "text": "Asystole: no QRS complex for 4.0 s, an event of the reliability suite",
        "duration_s": 4.0,
        "reason": "rule_met",
        "value": 4.0,
        "limit": 4.0,
    }


class EventSource:
    """Publishes events in a thread until `finish`.

    Parameters
    ----------
    port : int
        Of the broker.
    per_s : float
    """

    def __init__(self, port: int, per_s: float) -> None:
        self._sent: list[str] = []
        self._stop = threading.Event()
        self._interval_s = 1 / per_s
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._thread = threading.Thread(target=self._run, name="event-source")

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(self._interval_s):
            event = alarm_event(number)
            info = self._client.publish("bedside/v1/bed-1/alarms", json.dumps(event), qos=1)
            info.wait_for_publish(10)
            if info.is_published():
                self._sent.append(event["event_id"])
            number += 1

    @property
    def sent(self) -> list[str]:
        """The events that the broker has acknowledged so far."""
        return list(self._sent)

    def finish(self) -> list[str]:
        """Stop; return the events that the broker has acknowledged, by event_id."""
        self._stop.set()
        self._thread.join(20)
        return list(self._sent)
