"""As `tests.system.forks`, for workers that log each alarm event to $SENT_EVENTS before it is queued for sending.

An oracle of its own: what a worker sent, whatever broker and store make of it. A line of JSON is one event; events that
are sent again are left out.
"""

import os

import msgspec

import model.serving.service  # noqa: F401
from stream.mqtt.client import Client
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Message

send, file = Client.send, os.open(os.environ["SENT_EVENTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def send_and_log(client: Client, message: Message) -> None:
    if isinstance(message, Alarm) and not message.resent:
        os.write(file, msgspec.json.encode(message) + b"\n")
    send(client, message)


Client.send = send_and_log  # type: ignore[method-assign]

import tests.system.forks  # noqa: E402, F401 (runs until the standard input is closed)
