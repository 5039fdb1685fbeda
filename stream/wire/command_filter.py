"""Is a command to be obeyed? The same rule for every process that takes commands."""

from __future__ import annotations

from collections.abc import Collection

from stream.clock import unix_ns
from stream.errors import MessageError
from stream.wire.alarm_messages import Command

LIFE_S = 10.0
"""A command older than this, or as far ahead of our clock, was meant for another moment."""


def check(command: Command, now_ns: int, obeyed: Collection[str]) -> None:
    """Refuse a command that is old or was obeyed before.

    Parameters
    ----------
    command : Command
    now_ns : int
        Unix time.
    obeyed : collection of str
        Ids of the commands obeyed lately.

    Raises
    ------
    MessageError
        It is to be ignored.
    """
    age_s = (now_ns - unix_ns(command.when)) / 1e9
    name = f"command {command.command_id[:8]} from {command.who!r} to {command.bed}"
    if abs(age_s) > LIFE_S:
        raise MessageError(f"{name} is ignored: its time, {command.when}, is not within {LIFE_S:g} s of now")
    if command.command_id in obeyed:
        raise MessageError(f"{name} is ignored: it was obeyed before")
