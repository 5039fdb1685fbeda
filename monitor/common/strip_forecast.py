"""The forecast of a strip, as the alarm store keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class StripForecast:
    """What was predicted for the samples of a strip, 100 to 200 ms before them.

    Attributes
    ----------
    alarm_id : str
        That of the strip.
    leads : tuple of str
    points : bytes
        Little-endian float32 of shape (k, 1 + 2 × leads): sample of the strip, then the predicted mean of each lead
        and the standard deviation of each lead, in mV.
    """

    alarm_id: str
    leads: tuple[str, ...]
    points: bytes

    def array(self) -> npt.NDArray[np.float32]:
        """Return the points, shape (k, 1 + 2 × leads).

        Raises
        ------
        ValueError
            They have another shape, or are not finite.
        """
        points = np.frombuffer(self.points, "<f4").reshape(-1, 1 + 2 * len(self.leads))
        if not np.isfinite(points).all():
            raise ValueError("a forecast is not finite")
        return points

    def after(self, earlier: bytes) -> StripForecast:
        """Return the forecast with earlier points before its own; points of another shape are left out."""
        size = 4 * (1 + 2 * len(self.leads))
        if len(earlier) % size or not self.points:
            return self
        before = np.frombuffer(earlier, "<f4").reshape(-1, size // 4)
        return replace(self, points=before[before[:, 0] < self.array()[:, 0].min()].tobytes() + self.points)
