"""The oracle: what was published against what the worker took, what was named as lost, and what the store holds.

It reads CSV, SQLite, JSON and MessagePack itself, and imports nothing of the code under test.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import json
import secrets
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import paho.mqtt.client as paho

ROOT = "bedside/v1"
BINARY = ("ecg", "forecast")
"""Last parts of topics with MessagePack payloads."""

Key = tuple[str, str]
"""Bed and session."""

Fields = dict[str, Any]


def decode(topic: str, payload: bytes) -> Fields | None:
    """Return the fields of a message; None if the payload is empty or cannot be read."""
    if not payload:
        return None
    parts = topic.split("/")
    try:
        binary = parts[-1] in BINARY or parts[-2] == "wave"
        value = msgspec.msgpack.decode(payload) if binary else json.loads(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


# --- ledgers --------------------------------------------------------------------------------------------------------


def ledger(path: Path, signal: str = "ecg") -> list[dict[str, str]]:
    """Return the complete rows of a signal in a ledger, which may still be written."""
    if not path.exists():
        return []
    rows = csv.DictReader(path.read_text().rpartition("\n")[0].splitlines())
    return [row for row in rows if row["signal"] == signal]


@dataclass
class Account:
    """The samples of one bed and session, each counted.

    Attributes
    ----------
    published, taken, named : int
        Samples that were published, that a worker took, that were named as lost.
    unaccounted : int
        Published, neither taken nor named.
    twice : int
        Taken more than once.
    taken_and_named : int
        Taken, and also named as lost.
    invented : int
        Taken, but never published.
    disordered : int
        Chunks that a worker took after a later one.
    """

    published: int = 0
    taken: int = 0
    named: int = 0
    unaccounted: int = 0
    twice: int = 0
    taken_and_named: int = 0
    invented: int = 0
    disordered: int = 0

    def __add__(self, other: Account) -> Account:
        return Account(**{name: value + getattr(other, name) for name, value in vars(self).items()})


def account(
    published: Sequence[Mapping[str, str]],
    workers: Sequence[Sequence[Mapping[str, str]]],
    lost: Mapping[Key, Sequence[tuple[int, int]]],
) -> dict[Key, Account]:
    """Count each sample.

    Parameters
    ----------
    published : sequence of rows
        The publisher's ledger.
    workers : sequence of sequences of rows
        The ledger of each worker.
    lost : dict
        Intervals [first, after the last) that were named as lost, by bed and session; see `named_gaps`.
    """
    ranges: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)
    for row in published:
        ranges[row["bed"], row["session"]].append((int(row["start"]), int(row["n"])))
    accounts = {}
    for key, chunks in ranges.items():
        size = max(start + n for start, n in chunks)
        sent = np.zeros(size, bool)
        for start, n in chunks:
            sent[start : start + n] = True
        times, named = np.zeros(size, np.int32), np.zeros(size, bool)
        invented = disordered = 0
        for rows in workers:
            position = -1
            for row in rows:
                if (row["bed"], row["session"]) != key or row["verdict"] not in ("taken", "gap"):
                    continue
                start, end = int(row["start"]), int(row["start"]) + int(row["n"])
                disordered += start < position
                position = end
                invented += max(end - max(start, size), 0) + int((~sent[start:end]).sum())
                times[start:end] += 1
        for first, after in lost.get(key, ()):
            named[first:after] = True
        accounts[key] = Account(
            published=int(sent.sum()),
            taken=int((times > 0).sum()),
            named=int((named & sent).sum()),
            unaccounted=int((sent & (times == 0) & ~named).sum()),
            twice=int((times > 1).sum()),
            taken_and_named=int(((times > 0) & named).sum()),
            invented=invented,
            disordered=disordered,
        )
    return accounts


def total(accounts: Iterable[Account]) -> Account:
    """Return the sums over beds."""
    result = Account()
    for one in accounts:
        result = result + one
    return result


def named_gaps(events: Iterable[Mapping[str, Any]]) -> dict[Key, list[tuple[int, int]]]:
    """Return the intervals that ``no_data`` events name as lost, by bed and session."""
    gaps: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        if event["kind"] == "no_data" and event["phase"] == "cleared" and event["end"] is not None:
            gaps[event["bed"], event["session"]].append((event["onset"], event["end"]))
    return gaps


def tail_is_taken(published: Path, worked: Sequence[Path], behind: int = 0) -> bool:
    """Return whether workers have taken the last chunk of each bed, or one of the `behind` chunks before it.

    Parameters
    ----------
    published : Path
    worked : sequence of Path
        Ledgers, the later one of a bed after the earlier.
    behind : int
    """
    last = {row["bed"]: (row["session"], int(row["seq"])) for row in ledger(published)}
    rows = [row for path in worked for row in ledger(path) if row["verdict"] != "duplicate"]
    taken = {row["bed"]: (row["session"], int(row["seq"])) for row in rows}
    return bool(last) and all(
        bed in taken and taken[bed][0] == session and taken[bed][1] >= seq - behind
        for bed, (session, seq) in last.items()
    )


# --- the store ------------------------------------------------------------------------------------------------------


def query(path: Path, text: str) -> list[sqlite3.Row]:
    """Return the rows of a query on an alarm store."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(text).fetchall()


def stored_events(path: Path) -> list[Fields]:
    """Return all events of a store; none if it does not exist yet or cannot be read now."""
    if not path.exists():
        return []
    try:
        return [dict(row) for row in query(path, "SELECT * FROM events ORDER BY number")]
    except sqlite3.Error:
        return []


def stored_count(path: Path) -> int:
    """Return the number of events of a store; 0 if it does not exist yet or cannot be read now."""
    if not path.exists():
        return 0
    try:
        return int(query(path, "SELECT count(*) FROM events")[0][0])
    except sqlite3.Error:
        return 0


def never_cleared(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the alarms that were raised and not cleared, by alarm_id."""
    raised: set[str] = set()
    cleared: set[str] = set()
    for event in events:
        # An acknowledgement after the end carries the end too.
        (cleared if event["phase"] == "cleared" or event["end"] is not None else raised).add(event["alarm_id"])
    return raised - cleared


# --- a subscriber ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A received message.

    Attributes
    ----------
    at_s : float
        Monotonic time of its arrival.
    topic : str
    payload : bytes
    retained : bool
    """

    at_s: float
    topic: str
    payload: bytes
    retained: bool

    @property
    def fields(self) -> Fields | None:
        """Its decoded fields."""
        return decode(self.topic, self.payload)


@dataclass
class Watch:
    """A subscriber that keeps what it receives; it reconnects by itself.

    Parameters
    ----------
    port : int
    filters : sequence of str
        Parts of topics after ``bedside/v1/``.
    keep : int
        Number of messages to keep.
    """

    port: int
    filters: Sequence[str]
    keep: int = 200_000
    messages: list[Message] = field(default_factory=list)
    latest: dict[str, Message] = field(default_factory=dict)
    _connected: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._connected.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        if not self._connected.wait(10):
            raise RuntimeError("the suite's own subscriber cannot connect")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        del self._client  # breaks the cycle with this object: the sockets close now

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe([(f"{ROOT}/{text}", 1) for text in self.filters])

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        received = Message(time.monotonic(), message.topic, bytes(message.payload), message.retain)
        self.latest[message.topic] = received
        if len(self.messages) < self.keep:
            self.messages.append(received)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish with the connection of this subscriber."""
        self._client.publish(f"{ROOT}/{topic}", payload, qos=qos, retain=retain)

    def of(self, suffix: str, since: int = 0) -> list[Fields]:
        """Return the decoded messages of all topics that end with a suffix, from the message number `since` on."""
        found = (m.fields for m in self.messages[since:] if m.topic.endswith(suffix))
        return [fields for fields in found if fields is not None]

    def last(self, topic: str) -> Fields | None:
        """Return the latest message of a topic."""
        message = self.latest.get(f"{ROOT}/{topic}")
        return message.fields if message is not None else None

    def online(self, role: str) -> set[str]:
        """Return the instances of a role whose latest status is online."""
        prefix = f"{ROOT}/_/status/{role}/"
        found = [m.fields or {} for topic, m in list(self.latest.items()) if topic.startswith(prefix)]
        return {str(fields["instance"]) for fields in found if fields.get("state") == "online"}


def events_of(messages: Iterable[Any]) -> dict[str, Fields]:
    """Return alarm events by event_id, of messages with `topic` and `payload` (a `Watch`'s or a proxy's)."""
    events = {}
    for message in list(messages):
        if message.topic.endswith("/alarms") and (fields := decode(message.topic, message.payload)):
            events[str(fields["event_id"])] = fields
    return events


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile; NaN without values."""
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def is_alarm_topic(topic: str) -> bool:
    """Return whether events of alarms are published on a topic."""
    return topic.endswith("/alarms")


def command(bed: str, action: Fields, when: datetime.datetime | None = None) -> bytes:
    """Return the payload of a command."""
    now = (when or datetime.datetime.now(datetime.UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"v": 1, "command_id": secrets.token_hex(16), "bed": bed, "who": "suite", "when": now, "action": action}
    return json.dumps(fields).encode()
