"""Build and parse MQTT topics.

``bedside/v1/{bed}/...`` topics belong to one bed, ``bedside/v1/_/status/{role}/{instance}`` to one process,
``bedside/v1/_/ward/{shard}/...`` to the beds of a shard, ``bedside/v1/_/events/request`` to all beds. The pattern of
bed names excludes ``_``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import get_args

from stream.errors import MessageError, UsageError
from stream.wire.shard import ALL_BEDS, WARD_SHARDS, Shard, ward_shards
from stream.wire.wave_message import Signal

ROOT = "bedside/v1"
ANY_BED = "+"

_BED = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SHARD_TEXTS = frozenset(map(str, range(WARD_SHARDS)))
_INSTANCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Kind(StrEnum):
    """Kinds of topic; the value is the last part of a bed's topic, or the part before role or signal."""

    ECG = "ecg"
    WAVE = "wave"
    FORECAST = "forecast"
    BEATS = "beats"
    VITALS = "vitals"
    NUMERICS = "numerics"
    NUMERICS_DERIVED = "numerics/derived"
    OUTLOOK = "outlook"
    ALARMS = "alarms"
    ALARMS_ACTIVE = "alarms/active"
    ANNOTATIONS = "annotations"
    STATUS = "status"
    PROCESS = "process"
    SCORE = "score"
    COMMAND = "command"
    TRUTH = "truth"
    EVENTS_REQUEST = "events/request"
    WARD_ECG = "ward/ecg"
    WARD_FORECAST = "ward/forecast"


OF_WARD = frozenset({Kind.WARD_ECG, Kind.WARD_FORECAST})
"""Kinds whose messages contain many beds."""

_QOS_0 = (
    *(Kind.FORECAST, Kind.BEATS, Kind.VITALS, Kind.NUMERICS, Kind.NUMERICS_DERIVED, Kind.OUTLOOK, Kind.SCORE),
    *OF_WARD,
)

QOS = {kind: 0 if kind in _QOS_0 else 1 for kind in Kind}
RETAINED = frozenset(
    {
        Kind.VITALS,
        Kind.NUMERICS,
        Kind.NUMERICS_DERIVED,
        Kind.OUTLOOK,
        Kind.ALARMS_ACTIVE,
        Kind.SCORE,
        Kind.STATUS,
        Kind.PROCESS,
    }
)


SIGNALS: tuple[str, ...] = get_args(Signal)
"""Signals of wave topics."""


class Role(StrEnum):
    """Roles of a process; part of the status topics."""

    PUBLISHER = "publisher"
    WORKER = "worker"
    MONITOR = "monitor"
    LOGGER = "logger"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic.

    Attributes
    ----------
    kind : Kind
    bed : str or None
        None for a process status, for a request for events, and for the topics of a shard.
    role : Role or None
        Only for status topics.
    instance : str or None
        Only for a process status.
    signal : str or None
        Only for waves.
    shard : int or None
        Only for the topics of a shard.
    """

    kind: Kind
    bed: str | None = None
    role: Role | None = None
    instance: str | None = None
    signal: str | None = None
    shard: int | None = None

    def __str__(self) -> str:
        if self.kind is Kind.PROCESS:
            return f"{ROOT}/_/status/{self.role}/{self.instance}"
        if self.kind is Kind.STATUS:
            return f"{ROOT}/{self.bed}/status/{self.role}"
        if self.kind is Kind.WAVE:
            return f"{ROOT}/{self.bed}/wave/{self.signal}"
        if self.kind is Kind.EVENTS_REQUEST:
            return f"{ROOT}/_/{self.kind}"
        if self.kind in OF_WARD:
            return f"{ROOT}/_/ward/{self.shard}/{_last(self.kind)}"
        return f"{ROOT}/{self.bed}/{self.kind}"


def is_bed(name: str) -> bool:
    """Return whether a name can be that of a bed."""
    return _BED.fullmatch(name) is not None


def check_bed(bed: str) -> str:
    """Return the bed name, or raise.

    Raises
    ------
    UsageError
        The name does not match ``[a-z0-9][a-z0-9_-]{0,31}``.
    """
    if not is_bed(bed):
        raise UsageError(
            f"bed name {bed!r} cannot be used: use 1 to 32 of a-z, 0-9, '-' and '_', the first a letter or a digit"
        )
    return bed


@lru_cache(16_384)
def parse(text: str) -> Topic:
    """Parse a topic.

    Raises
    ------
    MessageError
        The topic is not one of bedside's, or contains an invalid bed, role, instance, signal or shard.
    """
    prefix, _, rest = text.partition(f"{ROOT}/")
    parts = rest.split("/")
    try:
        if prefix or not rest:
            raise ValueError
        if parts == ["_", *Kind.EVENTS_REQUEST.split("/")]:
            return Topic(Kind.EVENTS_REQUEST)
        if parts[:2] == ["_", "ward"]:
            _, _, shard, kind_of_ward = parts
            if shard not in _SHARD_TEXTS:
                raise ValueError
            return Topic(Kind(f"ward/{kind_of_ward}"), shard=int(shard))
        if parts[0] == "_":
            _, status, role, instance = parts
            if status != "status" or not _INSTANCE.fullmatch(instance):
                raise ValueError
            return Topic(Kind.PROCESS, role=Role(role), instance=instance)
        bed = check_bed(parts[0])
        if parts[1] == Kind.STATUS:
            _, _, role = parts
            return Topic(Kind.STATUS, bed, Role(role))
        if parts[1] == Kind.WAVE:
            _, _, signal = parts
            if signal not in SIGNALS:
                raise ValueError
            return Topic(Kind.WAVE, bed, signal=signal)
        kind = Kind("/".join(parts[1:]))
        if kind in (Kind.PROCESS, Kind.EVENTS_REQUEST, *OF_WARD):
            raise ValueError
        return Topic(kind, bed)
    except (ValueError, IndexError):
        raise MessageError(f"topic {text[:80]!r} is not one of bedside's") from None


def pattern(kind: Kind, bed: str = ANY_BED, role: Role | None = None) -> str:
    """Return the subscription filter for a kind of topic; by default for all beds, roles and signals."""
    role_filter = role or "+"
    if kind is Kind.PROCESS:
        return f"{ROOT}/_/status/{role_filter}/+"
    if kind is Kind.STATUS:
        return f"{ROOT}/{bed}/status/{role_filter}"
    if kind is Kind.WAVE:
        return f"{ROOT}/{bed}/wave/+"
    if kind is Kind.EVENTS_REQUEST:
        return str(Topic(kind))
    if kind in OF_WARD:
        return f"{ROOT}/_/ward/+/{_last(kind)}"
    return f"{ROOT}/{bed}/{kind}"


def ward_patterns(kind: Kind, shard: Shard = ALL_BEDS) -> list[str]:
    """Return the subscription filters for a kind of topic of a ward, for the beds of a worker's shard."""
    if shard == ALL_BEDS:
        return [pattern(kind)]
    return [str(Topic(kind, shard=number)) for number in ward_shards(shard)]


def _last(kind: Kind) -> str:
    return kind.rpartition("/")[2]
