"""The command with which a student names a rhythm; no process executes it, the alarm log of a class stores it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from stream.wire.fields import Hex128, Index

RhythmCode = Annotated[str, msgspec.Meta(min_length=1, max_length=16, pattern=r"^[A-Z0-9]+\Z")]
"""Code of a WFDB rhythm annotation, without its bracket."""

QUIZ_RHYTHMS: tuple[str, ...] = (
    "N",
    "SBR",
    "AFIB",
    "AFL",
    "SVTA",
    "B",
    "T",
    "P",
    "BII",
    "IVR",
    "VT",
    "VFL",
    "VF",
    "ASYS",
    "NOISE",
)
"""Rhythms among which a student chooses; ``NOISE``: the signal is disturbed, and no rhythm can be named."""

SAME: tuple[frozenset[str], ...] = (
    frozenset({"VF", "VFIB", "VFL"}),
    frozenset({"AFIB", "AF"}),
    frozenset({"N", "NSR"}),
)
"""Codes that name one rhythm, or rhythms that no monitor tells apart: flutter and fibrillation of the ventricles."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="answer"):
    """Name the rhythm of the bed.

    Attributes
    ----------
    rhythm : str
        One of `QUIZ_RHYTHMS`, or another code.
    session : str
    index : int
        Last sample of the session that the student saw.
    """

    rhythm: RhythmCode
    session: Hex128
    index: Index


def is_same(one: str, other: str) -> bool:
    """Return whether two codes name the same rhythm."""
    return one == other or any({one, other} <= group for group in SAME)
