"""Mosquitto for a measurement: on loopback, with queues for a large ward, and nothing on disk."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from monitor.tools.process_group import Child, ProcessGroup

SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages {queued}
max_inflight_messages 100
set_tcp_nodelay true
"""

QUEUED_PER_BED = 200
"""Messages that the broker keeps for a slow subscriber, per bed: 10 s of ECG, and a status per 2 s."""


def mosquitto_program() -> str | None:
    """Return the path of Mosquitto; None if it is not installed."""
    # Debian installs it into a folder that is only in root's PATH.
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


async def start_mosquitto(children: ProcessGroup, program: str, port: int, folder: Path, beds: int) -> Child:
    """Start Mosquitto as a child named ``broker``; its configuration is written into a folder."""
    configuration = folder / "mosquitto.conf"
    configuration.write_text(SETTINGS.format(port=port, queued=max(1000, QUEUED_PER_BED * beds)))
    bound = (sys.executable, "-P", "-m", "monitor.tools.bound_program")
    return await children.start_program("broker", *bound, program, "-c", str(configuration))
