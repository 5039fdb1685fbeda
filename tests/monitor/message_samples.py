"""Messages for monitor tests. A chunk arrives when its last sample is due."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.mqtt.client import Received
from stream.wire import codec
from stream.wire.alarm_messages import Advisory, Alarm
from stream.wire.alarm_texts import phrase, with_text
from stream.wire.messages import Forecast, Message, Vitals, Waveform
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Topic
from tests.waveforms import SESSION, chunk

T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
OFFSETS = (*range(4, 97, 4), *range(108, 361, 12))
HORIZON = OFFSETS[-1]

CONNECTED = phrase("broker.connected", address="mqtt://test:1883")


def received(message: Message, at_ns: int) -> Received:
    """Return a message as the client delivers it."""
    return Received(codec.topic_of(message), message, False, at_ns, 0, 0, at_ns)


def removed(topic: Topic, at_ns: int) -> Received:
    """Return the removal of a retained message."""
    return Received(topic, None, False, at_ns, 0, 0, at_ns)


def received_chunk(seq: int, n: int = 36, **changes: Any) -> Received:
    """Return chunk ``seq``, received when it is due."""
    made = chunk(seq, n, **changes)
    return received(made, made.due_ns)


def sine(seq: int, **changes: Any) -> Waveform:
    """Return a chunk of a sine of 1 mV and 1 Hz."""
    index = np.arange(seq * 36, seq * 36 + 36)
    samples = (1024 + 200 * np.sin(2 * np.pi * index / 360)).round().astype("<i2").tobytes()
    return chunk(seq, 36, **{"samples": samples, "synthetic": False, "record": "mitdb/208", **changes})


def forecast(origin: int, mean: float = 0.0, scale: float = 0.1, score: float | None = 0.5, **changes: Any) -> Forecast:
    """Return a constant forecast made after sample ``origin``."""
    leads = changes.get("leads", ("MLII",))
    offsets = changes.get("offsets", OFFSETS)
    shape = (len(offsets), len(leads))
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "epoch": 0,
        "seq": origin // 36,
        "origin": origin,
        "offsets": offsets,
        "leads": leads,
        "mean": np.full(shape, mean, "<f4").tobytes(),
        "scale": np.full(shape, scale, "<f4").tobytes(),
        "score": score,
        "threshold": 3.0,
        "published_ns": T0,
    }
    return Forecast(**{**fields, **changes})


def alarm(onset: int, phase: str = "raised", end: int | None = None, **changes: Any) -> Alarm:
    """Return an event of an alarm of unusual complexes, or of another kind."""
    alarm_id = changes.get("alarm_id", f"{SESSION}-unusual_complexes-{onset}")
    fields: dict[str, Any] = {
        "event_id": f"{alarm_id}-{phase}",
        "alarm_id": alarm_id,
        "bed": "bed-1",
        "session": SESSION,
        "record": "mitdb/208",
        "kind": "unusual_complexes",
        "priority": "low",
        "phase": phase,
        "onset": onset,
        "end": end,
        "when": "2026-01-31T12:00:00.000Z",
        "text": "",
        "reason": "rule_met" if end is None else "rule_no_longer_met",
        "value": 6.0,
        "leads": ("MLII",),
        "observed": 1.0,
        "predicted": 0.1,
        "horizon_ms": 100.0,
        "score": 4.0,
        "threshold": 3.0,
        "duration_s": ((end or onset + 360) - onset) / 360,
    }
    return with_text(Alarm(**{**fields, **changes}))


def residual(onset: int, phase: str = "raised", end: int | None = None, **changes: Any) -> Alarm:
    """Return an event of an advisory."""
    return alarm(onset, phase, end, kind="residual", alarm_id=f"{SESSION}-residual-{onset}", **changes)


def advisory(latest: Alarm, *onsets: int, **changes: Any) -> Advisory:
    """Return the entry that counts the advisories with these onsets, the last of which is the latest."""
    times = {"since": "2026-01-31T11:59:00.000Z", "last": "2026-01-31T12:00:00.000Z"}
    return Advisory(**{"count": len(onsets), **times, "onsets": onsets, "latest": latest, **changes})


def vitals(index: int, **changes: Any) -> Vitals:
    """Return the vital signs of a patient in sinus rhythm."""
    fields: dict[str, Any] = {
        "bed": "bed-1",
        "session": SESSION,
        "index": index,
        "when": "2026-01-31T12:00:00.000Z",
        "heart_rate": 71.6,
        "rr_ms": 838.0,
        "pvc_per_min": 2,
        "rhythm": "sinus",
        "quality": 0.97,
        "score": 0.4,
        "skill": 0.8,
    }
    return Vitals(**{**fields, **changes})


def status(role: str, state: str, bed: str = "bed-1", **changes: Any) -> BedStatus:
    """Return the status of a bed; the instance of its process has the name of the role."""
    fields: dict[str, Any] = {
        "bed": bed,
        "role": role,
        "instance": role,
        "state": state,
        "when": "2026-01-31T12:00:00.000Z",
        "record": "mitdb/208",
        "session": SESSION,
    }
    return BedStatus(**{**fields, **changes})


def process(role: str, state: str = "online", **changes: Any) -> ProcessStatus:
    """Return the status of a process; its instance has the name of its role."""
    fields: dict[str, Any] = {"role": role, "instance": role, "state": state, "when": "2026-01-31T12:00:00.000Z"}
    return ProcessStatus(**{**fields, **changes})
