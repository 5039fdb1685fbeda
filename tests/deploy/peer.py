"""An MQTT client of its own, without bedside's code: publishes with QoS 1, records what it receives."""

from __future__ import annotations

import ssl
import threading
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from stream.mqtt.address import BrokerAddress

TIMEOUT_S = 20.0


class Peer:
    """A client that subscribes to everything; connected inside its context.

    Parameters
    ----------
    address : BrokerAddress
    protocol : int
        paho's number of the MQTT version.

    Attributes
    ----------
    received : list of (str, bytes)
        Topics and payloads.
    refused : bool
        True if the broker did not accept the connection.
    lost : bool
        True if the connection has ended.
    """

    def __init__(self, address: BrokerAddress, protocol: int = paho.MQTTv5) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.refused = self.lost = False
        self._address = address
        self._reasons: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()
        self._ready = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol, reconnect_on_failure=False)
        if address.tls:
            context = ssl.create_default_context(cafile=address.ca)
            if address.cert is not None:
                context.load_cert_chain(address.cert, address.key)
            self._client.tls_set_context(context)
        self._client.username_pw_set(address.username, address.password)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    def __enter__(self) -> Self:
        self._client.connect(self._address.host, self._address.port)
        self._client.loop_start()
        self._wait(lambda: self._ready or self.refused)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        del self._client  # breaks the cycle with this object: the sockets close now

    def publish(self, topic: str, payload: bytes, properties: Properties | None = None) -> bool:
        """Publish, wait for PUBACK, and return whether the broker accepts."""
        mid = self._client.publish(topic, payload, 1, properties=properties).mid
        self._wait(lambda: mid in self._reasons)
        return not self._reasons[mid].is_failure

    def wait_for(self, payload: bytes) -> None:
        """Wait until a payload is received."""
        self._wait(lambda: any(got == payload for _, got in self.received))

    def _wait(self, condition: Any) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, TIMEOUT_S)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if not reason.is_failure:
            client.subscribe([("#", 1), ("$SYS/#", 1)])

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self.refused, self.lost = not self._ready, True
            self._changed.notify_all()

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _on_message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.received.append((message.topic, message.payload))
            self._changed.notify_all()

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._reasons[mid] = reason
            self._changed.notify_all()
