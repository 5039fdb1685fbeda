"""The command filter: rejects commands that are out of date or repeated, in every process that executes commands."""

from __future__ import annotations

from collections.abc import Collection

from stream.clock import unix_ns
from stream.errors import MessageError
from stream.wire.alarm_messages import Command

MAX_AGE_S = 10.0
"""Maximum difference between the time of a command and the receiver's clock."""


def check(command: Command, now_ns: int, executed: Collection[str]) -> None:
    """Reject a command that is out of date or was executed before.

    Parameters
    ----------
    command : Command
    now_ns : int
        Unix time.
    executed : collection of str
        Ids of the commands executed recently.

    Raises
    ------
    MessageError
        The command must be ignored.
    """
    age_s = (now_ns - unix_ns(command.when)) / 1e9
    name = f"command {command.command_id[:8]} from {command.who!r} to {command.bed}"
    if abs(age_s) > MAX_AGE_S:
        raise MessageError(f"{name} is ignored: its time, {command.when}, is not within {MAX_AGE_S:g} s of now")
    if command.command_id in executed:
        raise MessageError(f"{name} is ignored: it was executed before")
