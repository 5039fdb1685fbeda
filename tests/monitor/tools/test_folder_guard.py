"""When a process ends, what used its folder ends too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from monitor.tools.folder_guard import processes_using


def test_what_uses_the_folder_ends_with_the_parent_and_the_folder_is_removed(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "folder-2"
    users = []
    for place in (folder, other):
        place.mkdir()
        with (place / "log").open("w") as log:
            users.append(subprocess.Popen(["sleep", "60"], stdout=log))
    inside, outside = users
    assert processes_using(folder) == [inside.pid]
    guard = [sys.executable, "-m", "monitor.tools.folder_guard", str(folder)]
    with (folder / "own").open("w"), subprocess.Popen(guard, stdin=subprocess.PIPE) as running:
        assert inside.poll() is None
    assert running.returncode == 0
    assert inside.wait(10) == -9
    assert not folder.exists()
    assert outside.poll() is None
    outside.kill()
    outside.wait()
