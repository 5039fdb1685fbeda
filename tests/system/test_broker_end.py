"""``bedside broker`` ends on SIGTERM without a traceback, whatever its connections are doing."""

import signal
import socket
from contextlib import ExitStack
from pathlib import Path

from stream.mqtt.embedded_broker import free_port
from tests.system.commands import environment, running, wait_until
from tests.system.conftest import listens

CONNECT = bytes.fromhex("10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 62")


def test_it_ends_quietly_with_clients_before_within_and_after_connect(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "broker.log"
    with running("broker", "--port", str(port), env=environment(), output=log) as process, ExitStack() as clients:
        wait_until(lambda: listens(port), "the broker")
        for sent in (b"", CONNECT[:5], CONNECT):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            client.sendall(sent)
        assert client.recv(4), "CONNACK: the broker has taken all of them"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert len(log.read_text().splitlines()) == 2, log.read_text()
