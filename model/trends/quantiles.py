"""Layout of the network's outputs."""

from __future__ import annotations

from typing import Final

from model.trends.targets import HORIZONS_H, RISK_HORIZONS_H
from model.trends.vital_inputs import FORECAST

QUANTILES: Final = (0.1, 0.5, 0.9)
RISKS: Final = (*(f"hypotension_{h}h" for h in RISK_HORIZONS_H), "sepsis_6h")

VALUES: Final = len(FORECAST) * len(HORIZONS_H) * len(QUANTILES)
OUTPUTS: Final = VALUES + len(RISKS)
"""Changes from the carried value, in scales, (vital, horizon, quantile) in C order; then log-odds of the risks."""
