"""Run ``bedside worker`` and append each alarm event, as a line of JSON, to $SENT_EVENTS before it is queued.

An oracle of its own: what the worker sent, whatever broker and store make of it. Events sent again are left out.
"""

import os
import sys

import msgspec

from monitor.cli import main
from stream.mqtt.client import Client
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Message

send, file = Client.send, os.open(os.environ["SENT_EVENTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def send_and_log(client: Client, message: Message) -> None:
    if isinstance(message, Alarm) and not message.resent:
        os.write(file, msgspec.json.encode(message) + b"\n")
    send(client, message)


Client.send = send_and_log  # type: ignore[method-assign]
sys.exit(main(["worker", *sys.argv[1:]]))
