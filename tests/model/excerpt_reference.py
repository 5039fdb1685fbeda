"""Numbers of reference beats in the excerpt, so that beats on real ECG are checked without the database.

Counted in the annotations of record 208 of the MIT-BIH Arrhythmia Database (Moody & Mark 2001), of which the excerpt
is a part, from sample 422,820 on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.timebase import FS

HALF_MINUTES = 10

BEATS = (58, 54, 51, 46, 50, 50, 51, 50, 49, 50)
"""Beats of all types in each half minute."""

VENTRICULAR = (0, 3, 8, 9, 8, 15, 10, 14, 12, 14)
"""Ventricular ectopic beats among them, without fusion beats."""

FUSION = (8, 9, 5, 5, 5, 3, 5, 4, 7, 5)
"""Fusion beats among them; EC57 counts one classified as ventricular neither as correct nor as false."""


def per_half_minute(samples: Sequence[int]) -> list[int]:
    """Return the number of beats in each half minute of the excerpt."""
    edges = np.arange(HALF_MINUTES + 1) * 30 * FS
    return [int(n) for n in np.histogram(samples, edges)[0]]
