"""Types and bounds of the fields of messages; msgspec checks them when a message is created and when it is decoded."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_INDEX = 2**53
"""Largest sample index; JSON numbers represent it exactly in every language."""

MAX_FINITE = 1e9
"""Largest absolute value of a measured or computed value."""

MAX_LEADS = 12
"""Leads of a bed's ECG."""

MIN_SPEED, MAX_SPEED = 0.01, 1000.0
MAX_NUMERICS_SPEED = 7200.0
"""Largest replay speed of a record of numerics alone: an hour of the patient in half a second."""

MIN_GAIN, MAX_GAIN = 1e-3, 1e9
"""Accepted gains, in adu/mV; beyond, amplitudes are not physiological and forecasts would exceed float32."""

MAX_LEASE = 10**9

BedName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\Z")]
Hex128 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=200)]
LeadName = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]

RhythmName = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
"""Code of a WFDB rhythm annotation."""

InjectionId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\S")]
"""Id of an injection; not blank."""

Index = Annotated[int, msgspec.Meta(ge=0, le=MAX_INDEX)]
"""Number of a sample, a chunk or an epoch."""

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""Unix time."""

Lease = Annotated[int, msgspec.Meta(ge=0, le=MAX_LEASE)]
"""Number of a worker's turn at a bed, see `stream.wire.lease`; 0: of an older sender."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Finite = Annotated[float, msgspec.Meta(ge=-MAX_FINITE, le=MAX_FINITE)]
