"""Build and parse the topics of bedside.

``bedside/v1/{bed}/ecg`` and its siblings carry one bed; ``bedside/v1/_/status/{role}/{instance}`` carries one
process. The bed name ``_`` is thereby taken, and the pattern of bed names excludes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from stream.errors import MessageError, UsageError

ROOT = "bedside/v1"
ANY_BED = "+"

_BED = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_INSTANCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Kind(StrEnum):
    """What a topic of one bed carries; the value is the last part of the topic."""

    ECG = "ecg"
    FORECAST = "forecast"
    BEATS = "beats"
    VITALS = "vitals"
    ALARMS = "alarms"
    ALARMS_ACTIVE = "alarms/active"
    ANNOTATIONS = "annotations"
    STATUS = "status"
    PROCESS = "process"
    COMMAND = "command"


QOS = {kind: 0 if kind in (Kind.FORECAST, Kind.BEATS, Kind.VITALS) else 1 for kind in Kind}
RETAINED = frozenset({Kind.VITALS, Kind.ALARMS_ACTIVE, Kind.STATUS, Kind.PROCESS})


class Role(StrEnum):
    """What a process does; part of the status topics."""

    PUBLISHER = "publisher"
    WORKER = "worker"
    MONITOR = "monitor"
    LOGGER = "logger"


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic.

    Attributes
    ----------
    kind : Kind
    bed : str or None
        None for the status of a process.
    role : Role or None
        Only for the two status kinds.
    instance : str or None
        Only for the status of a process.
    """

    kind: Kind
    bed: str | None = None
    role: Role | None = None
    instance: str | None = None

    def __str__(self) -> str:
        if self.kind is Kind.PROCESS:
            return f"{ROOT}/_/status/{self.role}/{self.instance}"
        if self.kind is Kind.STATUS:
            return f"{ROOT}/{self.bed}/status/{self.role}"
        return f"{ROOT}/{self.bed}/{self.kind}"


def check_bed(bed: str) -> str:
    """Return the bed name, or raise.

    Raises
    ------
    UsageError
        The name does not match ``[a-z0-9][a-z0-9_-]{0,31}``.
    """
    if not _BED.fullmatch(bed):
        raise UsageError(
            f"bed name {bed!r} cannot be used: take 1 to 32 of a-z, 0-9, '-' and '_', the first a letter or a digit"
        )
    return bed


def parse(text: str) -> Topic:
    """Parse a topic.

    Raises
    ------
    MessageError
        The topic is none of bedside's, or names a bed, role or instance that cannot be.
    """
    prefix, _, rest = text.partition(f"{ROOT}/")
    parts = rest.split("/")
    try:
        if prefix or not rest:
            raise ValueError
        if parts[0] == "_":
            _, status, role, instance = parts
            if status != "status" or not _INSTANCE.fullmatch(instance):
                raise ValueError
            return Topic(Kind.PROCESS, role=Role(role), instance=instance)
        bed = check_bed(parts[0])
        if parts[1] == Kind.STATUS:
            _, _, role = parts
            return Topic(Kind.STATUS, bed, Role(role))
        kind = Kind("/".join(parts[1:]))
        if kind is Kind.PROCESS:
            raise ValueError
        return Topic(kind, bed)
    except (ValueError, IndexError):
        raise MessageError(f"topic {text[:80]!r} is not one of bedside's") from None


def pattern(kind: Kind, bed: str = ANY_BED, role: Role | None = None) -> str:
    """Return the subscription filter for a kind of topic, of one bed or all, of one role or all."""
    who = role or "+"
    if kind is Kind.PROCESS:
        return f"{ROOT}/_/status/{who}/+"
    if kind is Kind.STATUS:
        return f"{ROOT}/{bed}/status/{who}"
    return f"{ROOT}/{bed}/{kind}"
