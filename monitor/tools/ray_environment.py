"""What Ray reads from the environment when it is imported."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ray_environment(*, local: bool) -> Iterator[str | None]:
    """Set the variables, before `ray` is imported; yield the folder of a Ray of this process alone.

    At the end, even by SIGKILL, the folder is removed, and what is left of Ray ends (`folder_guard`).

    Parameters
    ----------
    local : bool
        Whether this process starts a Ray of its own. Its ports are open to the network, so it gets a token, without
        which everyone who reaches them could run programs. A cluster has its own rules.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # else Ray reports to its makers
    if not local:
        yield None
        return
    # Not in TMPDIR, which may be long: the path of a socket has 107 characters at most.
    folder = tempfile.mkdtemp(prefix="bedside-", dir="/tmp")
    os.environ.update(
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN=secrets.token_hex(32),
        TMPDIR=folder,
        RAY_worker_niceness="0",  # by default 15: a busy machine would starve the actors
    )
    guard = [sys.executable, "-P", "-m", "monitor.tools.folder_guard", folder]
    with subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True):
        yield folder
