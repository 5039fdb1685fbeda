"""The message of numerics: values that a monitor shows as numbers, recorded, simulated, or measured from the waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import msgspec

from stream.wire.fields import (
    MAX_FINITE,
    MAX_NUMERICS_SPEED,
    MIN_SPEED,
    BedName,
    Finite,
    Hex128,
    Index,
    LeadName,
    Lease,
    Share,
    Text,
)
from stream.wire.messages import Message

NumericName = Literal[
    "heart_rate",
    "pulse_rate",
    "spo2",
    "respiration_rate",
    "abp_systolic",
    "abp_diastolic",
    "abp_mean",
    "pap_systolic",
    "pap_diastolic",
    "pap_mean",
    "cvp_mean",
    "nibp_systolic",
    "nibp_diastolic",
    "nibp_mean",
    "etco2",
    "temperature",
    "perfusion_index",
    "pulse_arrival",
    "apnoea",
    "pulse_rate_abp",
    "st",
    "st_change",
]
"""Pressures: ``abp`` arterial, ``pap`` pulmonary artery, ``cvp`` central venous, ``nibp`` with a cuff. ``pulse_rate``
is that of the plethysmogram, ``pulse_rate_abp`` that of the arterial pressure; ``pulse_arrival`` the time from the R
peak to the pulse; ``apnoea`` the time since the last breath, while breathing has paused; ``st`` the level of a lead
against its isoelectric level, ``st_change`` how much it has changed since the patient's baseline."""

OF_A_LEAD: frozenset[NumericName] = frozenset({"st", "st_change"})
"""Numerics that belong to a lead of the ECG."""

NUMERIC_NAMES: tuple[NumericName, ...] = get_args(NumericName)

NumericUnit = Literal["1/min", "%", "mmHg", "°C", "ms", "mV", "s"]

UNIT_OF: Mapping[NumericName, NumericUnit] = {
    **dict.fromkeys(NUMERIC_NAMES, "mmHg"),
    **dict.fromkeys(("heart_rate", "pulse_rate", "pulse_rate_abp", "respiration_rate"), "1/min"),
    **dict.fromkeys(("spo2", "perfusion_index"), "%"),
    "temperature": "°C",
    "pulse_arrival": "ms",
    "apnoea": "s",
    "st": "mV",
    "st_change": "mV",
}
"""The unit of each numeric."""

NumericSource = Literal["recorded", "simulated", "measured"]
"""Measured by the device that recorded the patient; generated; measured by the worker, from the waves."""

MAX_NUMERICS = 64
"""Largest number of values in a message."""


class Numeric(msgspec.Struct, frozen=True, kw_only=True):
    """One value.

    Attributes
    ----------
    name : str
    value : float or None
        None if it is missing or unreliable.
    unit : str
        That of `UNIT_OF`.
    source : str
        ``recorded``, ``simulated`` or ``measured``.
    age_s : float
        Seconds of signal from the measurement to ``index`` of the message. If the value is missing: since the last one
        that was there or, if there was none, since the start of the record (``recorded``, ``simulated``) or of the
        epoch (``measured``).
    quality : float or None
        Quality of the measurement, 0 to 1; None if unknown.
    lead : str or None
        The lead of ``st`` and ``st_change``; None for all others.
    """

    name: NumericName
    value: Finite | None
    unit: NumericUnit
    source: NumericSource
    age_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_FINITE)]
    quality: Share | None = None
    lead: LeadName | None = None

    def __post_init__(self) -> None:
        if self.unit != UNIT_OF[self.name]:
            raise ValueError(f"{self.name} is in {UNIT_OF[self.name]}, not in {self.unit}")
        if (self.name in OF_A_LEAD) != (self.lead is not None):
            raise ValueError(f"{self.name} {'needs a' if self.lead is None else 'has no'} lead")


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """What the ECG of a bed tells otherwise: the bed sends none, and its numerics alone carry its time.

    Attributes
    ----------
    record : str
        Name of the recording, such as ``challenge2019/p000009``.
    position : int
        Position of ``index`` of the message in the recording, in samples at 360 Hz.
    epoch_start : int
        As in `Waveform`.
    speed : float
        Replay speed, 0.01 to 7200.
    interval_s : float
        Seconds of signal from one message to the next.
    """

    record: Text
    position: Index
    epoch_start: Index
    speed: Annotated[float, msgspec.Meta(ge=MIN_SPEED, le=MAX_NUMERICS_SPEED)]
    interval_s: Annotated[float, msgspec.Meta(gt=0, le=MAX_FINITE)]


class Numerics(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """All numerics of a bed from one side: recorded or simulated by the publisher, or measured by the worker.

    Those that are measured travel on a topic of their own. A value that is not in the message is none of this bed's.

    Attributes
    ----------
    bed, session, epoch
        As in `Waveform`.
    index : int
        Sample of the session, at 360 Hz, at which the ages hold.
    when : str
        Wall time at which this sample is due (publisher), or at which the message is sent (worker), UTC, RFC 3339.
    values : tuple of Numeric
        1 to 64, each name (of an ST level: each lead) at most once; either all of them ``measured`` or none.
    synthetic : bool
        As in `Waveform`.
    lease : int
        Worker: see `stream.wire.lease`.
    alone : Alone or None
        Publisher: only of a bed that sends no ECG.
    """

    bed: BedName
    session: Hex128
    epoch: Index
    index: Index
    when: Text
    values: Annotated[tuple[Numeric, ...], msgspec.Meta(min_length=1, max_length=MAX_NUMERICS)]
    synthetic: bool
    lease: Lease = 0
    alone: Alone | None = None

    def __post_init__(self) -> None:
        if len({(value.name, value.lead) for value in self.values}) < len(self.values):
            raise ValueError("a numeric is there twice")
        if len({value.source == "measured" for value in self.values}) > 1:
            raise ValueError("measured values and others are sent in messages of their own")
        if self.alone is not None and (self.derived or self.alone.epoch_start > self.index):
            raise ValueError("a bed without ECG has no measured values, and no sample before its epoch")

    @property
    def derived(self) -> bool:
        """Whether the values are measured from the waves, by the worker."""
        return bool(self.values) and self.values[0].source == "measured"

    def value_of(self, name: NumericName, lead: str | None = None) -> Numeric | None:
        """Return one of the values; None if the bed has none of this name."""
        return next((value for value in self.values if (value.name, value.lead) == (name, lead)), None)
