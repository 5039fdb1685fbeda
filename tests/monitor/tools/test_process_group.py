import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.tools.process_group import ChildDiedError, ForcedEndError, process_group
from stream.mqtt.embedded_broker import free_port

pytestmark = pytest.mark.usefixtures("no_tasks_left")


async def test_a_child_that_dies_is_reported_with_its_last_words() -> None:
    log = io.StringIO()
    async with process_group(log, {}) as children, asyncio.timeout(30):
        await children.start("broker", "--port", str(free_port()))
        await children.start("replay", "--bed", "Bed 1=synthetic")
        dead = await children.first_death()
        assert dead.name == "replay"
        error = dead.death()
    assert isinstance(error, ChildDiedError)
    assert "status 2" in str(error)
    assert "Bed 1" in str(error)
    assert "replay: " in log.getvalue()


async def test_nobody_is_left_behind() -> None:
    async with process_group(io.StringIO(), {}) as children:
        child = await children.start("broker", "--port", str(free_port()))
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)


async def test_ending_is_graceful_and_insists() -> None:
    async with process_group(io.StringIO(), {}) as children, asyncio.timeout(30):
        child = await children.start("broker", "--port", str(free_port()))
        while not any("listens" in line for line in child.tail):
            await asyncio.sleep(0.02)
        os.kill(child.process.pid, signal.SIGSTOP)
        with pytest.raises(ForcedEndError, match=r"broker did not end within 0\.3 s and was killed"):
            await children.end("broker", 0.3)
        assert child.process.returncode == -signal.SIGKILL
        assert not children.children


def test_children_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"""
import asyncio, io, pathlib
from monitor.tools.process_group import process_group
async def main():
    async with process_group(io.StringIO(), {{}}) as children:
        child = await children.start("broker", "--port", "{free_port()}")
        while not any("listens" in line for line in child.tail):
            await asyncio.sleep(0.02)
        pathlib.Path({str(pids)!r}).write_text(str(child.process.pid))
        await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 30
    while not (pids.exists() and pids.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    child = int(pids.read_text())
    while time.monotonic() < deadline:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        # An orphan may stay a zombie where nobody reaps: that is gone, too.
        if Path(f"/proc/{child}/stat").exists() and Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child lived on without its parent")
