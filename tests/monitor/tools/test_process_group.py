import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.tools.process_group import ChildExitError, ForcedEndError, process_group
from stream.mqtt.embedded_broker import free_port

pytestmark = pytest.mark.usefixtures("no_tasks_left")


async def test_an_unexpected_exit_is_reported_with_the_last_line() -> None:
    log = io.StringIO()
    async with process_group(log, {}) as children, asyncio.timeout(30):
        await children.start("broker", "--port", str(free_port()))
        await children.start("replay", "--bed", "Bed 1=synthetic")
        child = await children.first_exit()
        assert child.name == "replay"
        error = child.exit_error()
    assert isinstance(error, ChildExitError)
    assert str(error).startswith("replay ended with status 2: error: ")
    assert "Bed 1" in str(error)
    lines = log.getvalue().splitlines()
    assert any(line.startswith("replay: error: ") and "Bed 1" in line for line in lines)
    assert "bedside replay" not in log.getvalue(), "the log names each child once"


async def test_children_are_killed_when_the_group_is_left() -> None:
    async with process_group(io.StringIO(), {}) as children:
        child = await children.start("broker", "--port", str(free_port()))
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)


async def test_a_child_that_ignores_sigterm_is_killed() -> None:
    async with process_group(io.StringIO(), {}) as children, asyncio.timeout(30):
        child = await children.start("broker", "--port", str(free_port()))
        while not any("listens" in line for line in child.tail):
            await asyncio.sleep(0.02)
        os.kill(child.process.pid, signal.SIGSTOP)
        with pytest.raises(ForcedEndError, match=r"broker did not end within 0\.3 s and was killed"):
            await children.end("broker", 0.3)
        assert child.process.returncode == -signal.SIGKILL
        assert not children.children


def test_children_exit_when_their_parent_is_killed(tmp_path: Path) -> None:
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
        # Without a reaping init process an orphan stays a zombie, which has exited too.
        if Path(f"/proc/{child}/stat").exists() and Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its parent")


def test_a_child_reads_what_its_parent_writes() -> None:
    script = """
from monitor.tools.process_group import exit_with_parent, line_from_parent
exit_with_parent()
print(line_from_parent(), end="", flush=True)
line_from_parent()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "BEDSIDE_EXIT_WITH_PARENT": "1"},
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"0 2 0\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"0 2 0\n"
        assert child.poll() is None
    assert child.returncode == -signal.SIGTERM, "the parent has closed its end"
