"""An electrode that is off, or shorted.

*Lead off*: the front end finds an open electrode by a small current (IEC 60601-2-27 requires it) and marks the samples
invalid. An open electrode concerns each lead that is measured with it: name the lead, or none for all, as if the
reference electrode (right leg), or the common one of the leads, were off. What an open electrode does to the voltage of
other leads is not simulated.

*Flat line*: dried gel, or a cable whose ends touch: the voltage is 0 mV, constant, and the front end does not notice.
To the eye it is asystole; but a connected lead shows noise of body and amplifier even then.
"""

from __future__ import annotations

import numpy as np

from stream.injections.noise import Samples


def lead_off(mv: Samples) -> Samples:
    """Return invalid samples."""
    return np.full_like(mv, np.nan)


def flat_line(mv: Samples) -> Samples:
    """Return 0 mV."""
    return np.zeros_like(mv)
