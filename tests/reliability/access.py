"""Access control: a real Mosquitto from the files of deploy/, each role on each topic."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.reliability.processes import Process
from tests.reliability.row import Bench, Checks, Outcome, Row

ROOT = Path(__file__).parents[2]
MATRIX = Path("tests/deploy/test_access.py")
LEAST = 40


def access_control(bench: Bench) -> Outcome:
    """Run the matrix role x topic x read or write against a Mosquitto with the files of deploy/."""
    checks = Checks()
    needed = [Path("deploy/mosquitto.conf"), Path("deploy/acl"), MATRIX]
    missing = [str(path) for path in needed if not (ROOT / path).exists()]
    checks.equal(", ".join(missing) or "none", "none", "files that are not there")
    if not missing:
        # `make test` runs the whole matrix itself; its short form here asks for two roles.
        some = ("-k", "observer or nobody") if bench.short else ()
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(MATRIX), *some]
        process = Process("pytest", command, bench.folder, _environment(), cwd=str(ROOT))
        try:
            bench.need(lambda: not process.alive, "the end of the matrix", 300)
        finally:
            process.stop()
        passed, failed = _counts(process.text)
        checks.add(passed >= LEAST, f"at least {LEAST} cases pass", f"{passed} cases pass")
        checks.equal(failed, 0, "cases that fail")
        checks.equal(process.popen.returncode, 0, "exit status")
    return checks.outcome("each role publishes and subscribes on each topic, with the files of deploy/")


def _counts(text: str) -> tuple[int, int]:
    """Return the numbers of passed cases and of others in the last line of pytest."""
    last = text.strip().splitlines()[-1] if text.strip() else ""
    numbers = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)}
    return numbers.get("passed", 0), sum(numbers.get(word, 0) for word in ("failed", "error", "errors", "skipped"))


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


ROWS = [
    Row(
        "access control",
        "With the files of deploy/ each role reads and writes what it needs, and nothing else.",
        access_control,
    )
]
