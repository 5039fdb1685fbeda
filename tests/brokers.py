"""Mosquitto for tests: a process on loopback that can be killed and restarted."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from stream.mqtt.address import BrokerAddress
from stream.mqtt.embedded_broker import free_port


def mosquitto_program() -> str:
    """Return the path of Mosquitto, or skip (fail with CI=true)."""
    # Debian installs it into a folder that is only in root's PATH.
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        reason = "Mosquitto is not installed; on Debian: apt-get install mosquitto mosquitto-clients"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


class Mosquitto:
    """A Mosquitto process.

    Parameters
    ----------
    folder : Path
        Folder for its configuration and log.
    settings : str
        Further lines of its configuration.
    port : int or None
        By default a free one.
    """

    def __init__(self, folder: Path, settings: str = "allow_anonymous true", port: int | None = None) -> None:
        self.port = port or free_port()
        self.address = BrokerAddress("127.0.0.1", self.port)
        self._program = mosquitto_program()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{settings}\n")
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(self._config)], stdout=log, stderr=log)
        self._wait_until_it_listens(self.port)

    def _wait_until_it_listens(self, port: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Mosquitto did not start: {self._log.read_text()}") from None
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Terminate the process if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
