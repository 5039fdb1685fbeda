"""Rhythms of MIT-BIH's annotations, in words and in few letters."""

from __future__ import annotations

RHYTHMS = {
    "AB": "atrial bigeminy",
    "AFIB": "atrial fibrillation",
    "AFL": "atrial flutter",
    "B": "ventricular bigeminy",
    "BII": "heart block, second degree",
    "IVR": "idioventricular rhythm",
    "N": "normal sinus rhythm",
    "NOD": "nodal rhythm",
    "P": "paced rhythm",
    "PREX": "pre-excitation",
    "SBR": "sinus bradycardia",
    "SVTA": "supraventricular tachyarrhythmia",
    "T": "ventricular trigeminy",
    "VFL": "ventricular flutter",
    "VT": "ventricular tachycardia",
}


def rhythm_words(code: str) -> str:
    """Return a rhythm in words; a code that MIT-BIH does not have, as it is."""
    return RHYTHMS.get(code, code)
