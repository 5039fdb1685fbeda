import subprocess
import sys

import pytest

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "monitor.tools.bound_program", sys.executable, "-c",
    "import time; print('ready', flush=True); time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can bind a process to its parent")
def test_a_bound_program_ends_with_a_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, ready = parent.stdout.readline(), parent.stdout.readline()
        assert (int(pid) > 0, ready) == (True, "ready\n")
        parent.kill()
        # The pipe closes once the child has ended, too.
        assert parent.stdout.read() == ""
