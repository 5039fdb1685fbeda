"""WFDB annotation codes of beats and their AAMI classes.

The classes are those of ANSI/AAMI EC57: N, normal and conducted; S, supraventricular ectopic; V, ventricular ectopic;
F, fusion; Q, paced or unclassifiable. The codes are listed at https://archive.physionet.org/physiobank/annotations.shtml.
MIT-BIH uses all of them except B, n, r and ``?``.
"""

from __future__ import annotations

from collections.abc import Mapping

AAMI_CLASS: Mapping[str, str] = {
    **dict.fromkeys("NLRBejn", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
"""AAMI class of each annotation code that marks a beat."""

NORMAL = frozenset("NLRB")
"""Normal beats and bundle branch block: conducted, neither premature nor escape beats."""

SUPRAVENTRICULAR = frozenset(code for code, aami in AAMI_CLASS.items() if aami in "NS")
"""Beats of supraventricular origin, premature or not: conducted through the His-Purkinje system."""

FLUTTER_WAVE = "!"
"""A wave of ventricular flutter; record 207 only."""
