"""Mosquitto as deploy/ describes it: its files, with free ports, in a folder of their own."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from stream.mqtt.address import BrokerAddress
from stream.mqtt.embedded_broker import free_port
from tests.brokers import Mosquitto, mosquitto_program

DEPLOY = Path(__file__).parents[2] / "deploy"
ROLES = ("publisher", "worker", "monitor", "logger", "instructor", "student", "observer")
CERTIFICATE_PORT, PASSWORD_PORT = 8883, 8884


def make_credentials(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of deploy/README.md."""
    command = [sys.executable, DEPLOY / "make_credentials.py", "--out", folder, *(arguments or ("ward.example",))]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Ward(Mosquitto):
    """A Mosquitto process with the configuration, access control list and credentials of deploy/.

    Parameters
    ----------
    folder : Path
        An empty folder that Mosquitto's own user can reach.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.credentials = folder / "credentials"
        self._program = mosquitto_program()
        self._log = folder / "mosquitto.log"
        self._process = None
        self.ports = {CERTIFICATE_PORT: free_port(), PASSWORD_PORT: free_port()}
        self.port = self.ports[CERTIFICATE_PORT]
        shutil.copy(DEPLOY / "acl", folder)
        (folder / "data").mkdir()
        (folder / "mosquitto.conf").write_text(self._configuration())
        made = make_credentials(self.credentials)
        assert made.returncode == 0, made.stderr
        self._command = [self._program, "-c", "mosquitto.conf"]
        if os.geteuid() == 0:
            self._give_to_mosquitto()

    def _configuration(self) -> str:
        """Return mosquitto.conf with other ports, listening on loopback only, and no other change."""
        text, n = re.subn(
            r"^listener (\d+)$",
            lambda listener: f"listener {self.ports[int(listener[1])]} 127.0.0.1",
            (DEPLOY / "mosquitto.conf").read_text(),
            flags=re.MULTILINE,
        )
        assert n == len(self.ports)
        return text

    def _give_to_mosquitto(self) -> None:
        # Started by root, Mosquitto changes to another user.
        names = {entry.pw_name for entry in pwd.getpwall()}
        owner = "mosquitto" if "mosquitto" in names else "nobody"
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, owner)

    def start(self) -> None:
        """Start the process and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.folder)
        for port in self.ports.values():
            self._wait_until_it_listens(port)

    def reload(self) -> None:
        """Let Mosquitto read its configuration, passwords and certificates again."""
        assert self._process is not None
        if os.geteuid() == 0:
            self._give_to_mosquitto()
        self._process.send_signal(signal.SIGHUP)

    def with_certificate(self, role: str, host: str = "127.0.0.1") -> BrokerAddress:
        """Return the address for a role's certificate."""
        return BrokerAddress(
            host,
            self.ports[CERTIFICATE_PORT],
            tls=True,
            ca=self.credentials / "ca.crt",
            cert=self.credentials / f"{role}.crt",
            key=self.credentials / f"{role}.key",
        )

    def with_password(self, role: str) -> BrokerAddress:
        """Return the address for a role's password."""
        return BrokerAddress(
            "127.0.0.1",
            self.ports[PASSWORD_PORT],
            tls=True,
            username=role,
            password=(self.credentials / f"{role}.password").read_text().strip(),
            ca=self.credentials / "ca.crt",
        )

    def environment(self, role: str) -> dict[str, str]:
        """Return the environment variables of a process with a role's certificate."""
        return {
            "BEDSIDE_BROKER": f"mqtts://127.0.0.1:{self.ports[CERTIFICATE_PORT]}",
            "BEDSIDE_CA": str(self.credentials / "ca.crt"),
            "BEDSIDE_CERT": str(self.credentials / f"{role}.crt"),
            "BEDSIDE_KEY": str(self.credentials / f"{role}.key"),
        }

    def log(self) -> str:
        """Return what Mosquitto has logged."""
        return self._log.read_text()
