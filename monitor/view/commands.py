"""Commands of this monitor. Their effect is shown only when the worker or publisher reports it."""

from __future__ import annotations

import secrets

from stream.clock import rfc3339
from stream.wire.alarm_messages import Action, Command

AUDIO_PAUSE_S = 120
ALARM_PAUSE_S = 60


def command(bed: str, who: str, now_ns: int, action: Action) -> Command:
    """Return a command with a new id and a time of issue, Unix time in ns."""
    return Command(command_id=secrets.token_hex(16), bed=bed, who=who, when=rfc3339(now_ns), action=action)
