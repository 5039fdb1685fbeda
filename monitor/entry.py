"""Entry point of the installed ``bedside`` command: `monitor.cli`, whose imports Ctrl-C may interrupt."""

from __future__ import annotations

from monitor.interrupt import end_at_interrupt


def main() -> int:
    """Run the command that the process's arguments name; return its exit status."""
    end_at_interrupt()
    from monitor.cli import main as run

    return run()
