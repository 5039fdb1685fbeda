"""Sends one command to a bed, and waits until its publisher or its worker reports what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import get_args

import msgspec

from monitor.view.commands import command
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.wire import validation_errors
from stream.wire.alarm_messages import Action, ActiveAlarms
from stream.wire.injection_kinds import known_kind
from stream.wire.messages import Message
from stream.wire.replay_actions import Inject
from stream.wire.status_messages import BedStatus, CommandResult
from stream.wire.topics import Kind, Role, Topic, check_bed

ACTIONS = {str(action.__struct_config__.tag): action for action in get_args(Action)}
"""Actions by their names."""

TIMEOUT_S = 5.0
"""Time within which a command is answered, s: the status of a bed comes every 2 s."""


def parsed(name: str, fields: Sequence[str]) -> Action:
    """Return an action.

    Parameters
    ----------
    name : str
        One of `ACTIONS`.
    fields : sequence of str
        ``key=value``; lists and maps as JSON. An injection without an id gets its kind as id.

    Raises
    ------
    UsageError
        There is no such action or field, or a value is missing or out of range.
    """
    if name not in ACTIONS:
        raise UsageError(f"action {name!r} is unknown; use one of {', '.join(ACTIONS)}")
    action, values = ACTIONS[name], {}
    for text in fields:
        key, equals, value = text.partition("=")
        if not equals or key not in action.__struct_fields__:
            known = ", ".join(f"{field}=…" for field in action.__struct_fields__) or "no fields"
            raise UsageError(f"{name}: {text!r} is not understood; it has {known}")
        try:
            values[key] = msgspec.json.decode(value) if value[:1] in ("{", "[") else value
        except msgspec.DecodeError as error:
            raise UsageError(f"{name}: {text!r} is not JSON ({error})") from None
    if action is Inject and "kind" in values:
        values.setdefault("injection_id", known_kind(str(values["kind"])))
    try:
        made: Action = msgspec.convert(values, action, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {_readable(str(error), action)}") from None
    return made


def _readable(error: str, action: type[Action]) -> str:
    """Return what is wrong with a field of an action, from what `msgspec` says."""
    choice = validation_errors.unknown_choice(error, action)
    return error if choice is None else f"{validation_errors.split(error)[1]} {choice[1]}"


async def send(address: BrokerAddress, bed: str, action: Action, who: str) -> str:
    """Send a command; return what became of it, in a line.

    Parameters
    ----------
    address : BrokerAddress
    bed : str
    action : Action
    who : str
        Name of the sender in the command.

    Raises
    ------
    UsageError
        The name of the bed cannot be used, the command was refused, or nobody answered.
    BrokerError
        The broker cannot be reached, or refuses this client or the command.
    """
    sent = command(check_bed(bed), who, time.time_ns(), action)
    name = str(action.__struct_config__.tag)
    status = Topic(Kind.STATUS, bed, Role.PUBLISHER)
    seen = False
    subscriptions = [str(status), str(Topic(Kind.ALARMS_ACTIVE, bed))]
    async with Client(address, role=None, subscriptions=subscriptions) as client:
        client.send(sent)
        began = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while (result := result_of(sent.command_id, message := (await client.receive()).message)) is None:
                    seen = seen or message is not None
        except TimeoutError:
            missing = "it was not executed by then" if seen else f"no publisher or worker of bed {bed} sends its status"
            raise UsageError(f"{name}: no answer within {TIMEOUT_S:g} s: {missing}") from None
        if result.refused is not None:
            raise UsageError(f"{name} was refused: {result.refused}")
    return f"{bed}: {name} took effect after {time.monotonic() - began:.2f} s"


def result_of(command_id: str, message: Message | None) -> CommandResult | None:
    """Return what a message says about a command: the status of a publisher, or the list of a worker."""
    if isinstance(message, BedStatus):
        return next((result for result in message.commands if result.command_id == command_id), None)
    if isinstance(message, ActiveAlarms) and any(one.command_id == command_id for one in message.commands):
        return CommandResult(command_id=command_id)
    return None
