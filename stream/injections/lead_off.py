"""An electrode that is off, or shorted.

*Lead off*: the front end finds an open electrode by a small current (IEC 60601-2-27 requires it) and marks the samples
invalid. An open electrode concerns each lead that is measured with it: name the lead, or none for all, as if the
reference electrode (right leg), or the common one of the leads, were off. What an open electrode does to the voltage of
other leads is not simulated.

The impedance of the thorax is measured between two electrodes of the ECG, those of lead I (RA, LA) or II (RA, LL):
Philips IntelliVue MP2, Instructions for Use, chapter 8, "Selecting the Resp Lead for Measurement". So the wave of
respiration is invalid, too, while one of these leads, or all, are off; an open chest electrode does not concern it.

*Flat line*: dried gel, or a cable whose ends touch: the voltage is 0 mV, constant, and the front end does not notice.
To the eye it is asystole; but a connected lead shows noise of body and amplifier even then.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from stream.injections.noise import Samples
from stream.wire.status_messages import RunningInjection

IMPEDANCE_LEADS = frozenset({"I", "II", "MLI", "MLII"})
"""Leads between whose electrodes respiration is measured; the modified ones have them on the torso."""


def lead_off(mv: Samples) -> Samples:
    """Return invalid samples."""
    return np.full_like(mv, np.nan)


def flat_line(mv: Samples) -> Samples:
    """Return 0 mV."""
    return np.zeros_like(mv)


def of_respiration(injection: RunningInjection) -> RunningInjection | None:
    """Return what an injection into the ECG does to a wave of respiration by impedance; None: nothing."""
    if injection.kind != "lead_off" or (injection.lead is not None and injection.lead not in IMPEDANCE_LEADS):
        return None
    return replace(injection, signal="resp", lead=None)
