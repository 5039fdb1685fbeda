"""The parser of the ``bedside`` command. It imports nothing that a command needs."""

from __future__ import annotations

import argparse

from monitor.arguments import live, offline
from monitor.arguments.shared import Commands, shared_options


def parser() -> argparse.ArgumentParser:
    """Return the argument parser; ``run`` in its result is the key of the command in `monitor.cli.RUN`."""
    top = argparse.ArgumentParser(
        prog="bedside",
        description="A streaming bedside-monitor simulator for teaching and development. Never a medical device.",
        epilog="Records: mitdb/208, excerpt (five real minutes), synthetic, or a path to any WFDB record.",
    )
    commands, shared = Commands(top), shared_options()
    live.add_demo(commands, shared)
    live.add_ward(commands, shared)
    live.add_broker(commands)
    live.add_replay(commands, shared)
    live.add_worker(commands, shared)
    live.add_monitor(commands, shared)
    live.add_instructor(commands, shared)
    live.add_alarms(commands, shared)
    offline.add_debrief(commands)
    live.add_tap(commands, shared)
    live.add_record(commands, shared)
    live.add_command(commands, shared)
    live.add_score(commands, shared)
    live.add_check(commands, shared)
    offline.add_analyze(commands, shared)
    offline.add_train(commands, shared)
    offline.add_evaluate(commands, shared)
    offline.add_data(commands, shared)
    offline.add_bench(commands, shared)
    return top
