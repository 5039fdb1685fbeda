import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.tools.process_usage import usage

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\nblock = bytearray(50_000_000)\n"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY + 'print(flush=True); input()'!r}])"


def test_a_process_and_its_descendants_are_counted() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        found = usage(process.pid)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
    assert found is not None
    assert found.cpu_s >= 0.25
    assert found.memory_mb >= 45
    assert usage(process.pid) is None


def test_this_process_uses_memory() -> None:
    found = usage(os.getpid())
    assert found is not None
    assert found.memory_mb > 5
