"""The forecast of vitals hours ahead: a state carried from hour to hour, one bed or many side by side.

Many beds and one bed are the same code: each bed is a row of every array. A bed's rows depend on no other bed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from model.trends import advisory, network, news2, personal, vital_inputs
from model.trends.network import Weights
from model.trends.outlook import Outlook
from model.trends.personal import PersonalState
from model.trends.quantiles import QUANTILES, RISKS, VALUES
from model.trends.targets import HORIZONS_H
from model.trends.vital_inputs import CENTRE, FORECAST, LOW_MMHG, MEAN_PRESSURE, SCALE, Floats, InputState

LONGEST_GAP_H: Final = 24
"""After more hours without a call a bed begins anew."""

_CENTRE, _SCALE = CENTRE[: len(FORECAST), None], SCALE[: len(FORECAST), None]

_HIGHEST = np.array([[100.0 if name == "spo2" else np.inf] for name in FORECAST])
"""No saturation is above 100 %."""


class TrendState(NamedTuple):
    """All that is carried of n beds.

    Attributes
    ----------
    hour : ndarray, shape (n,)
        The last hour; NaN before the first.
    inputs : InputState
    hidden : ndarray of float32, shape (n, networks, hidden)
    personal : PersonalState
    left : ndarray of int64, shape (n,)
        Hours for which an advisory still stands.
    """

    hour: Floats
    inputs: InputState
    hidden: npt.NDArray[np.float32]
    personal: PersonalState
    left: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Outlooks:
    """The outlooks on n beds after one hour.

    Attributes
    ----------
    low, median, high : ndarray, shape (n, vitals, horizons)
        In the units of the vitals, of `FORECAST` and `HORIZONS_H`.
    plain_low, plain, plain_high : ndarray, shape (n, vitals, horizons)
        The same without the personal head.
    risk : ndarray, shape (n, risks)
        Of `RISKS`.
    raised, advisory : ndarray of bool, shape (n,)
    """

    low: Floats
    median: Floats
    high: Floats
    plain_low: Floats
    plain: Floats
    plain_high: Floats
    risk: Floats
    raised: npt.NDArray[np.bool_]
    advisory: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TrendForecaster:
    """The forecast with its weights; it holds no state of any bed.

    Attributes
    ----------
    weights : Weights
    """

    weights: Weights

    @classmethod
    def load(cls, path: Path | None = None) -> TrendForecaster:
        """Load weights; by default the shipped ones.

        Raises
        ------
        WeightsError
            They are missing or damaged.
        """
        return cls(network.load(path))

    def initial(self, n: int = 1) -> TrendState:
        """Return the state of n beds before their first hour."""
        hidden = np.zeros((n, *self.weights.hidden), np.float32)
        nothing = np.full(n, np.nan), np.zeros(n, np.int64)
        return TrendState(nothing[0], vital_inputs.begin(n), hidden, personal.begin(n), nothing[1])

    def step(self, state: TrendState, values: Mapping[str, float | None], hour: float) -> tuple[TrendState, Outlook]:
        """Process one hour of one bed.

        Parameters
        ----------
        state : TrendState
            Of one bed; it is not changed.
        values : dict of str to float or None
            Measured in this hour, by the names of numerics; ``None``, NaN or absent is missing. A pressure of an
            arterial line (``abp_mean``) replaces that of a cuff (``nibp_mean``).
        hour : float
            Whole hours after the last call; hours left out in between count as hours without a value, and after more
            than a day of them the bed begins anew.

        Raises
        ------
        ValueError
            The hour is not after that of the state.
        """
        passed = 1 if math.isnan(state.hour[0]) else round(hour - float(state.hour[0]))
        if passed < 1:
            raise ValueError(f"hour {hour:g} is not after hour {state.hour[0]:g}: take each hour once, in order")
        if passed > LONGEST_GAP_H:
            state, passed = self.initial(), 1
        for _ in range(passed - 1):
            state, _ = self.step_many(state, np.full((1, len(CENTRE)), np.nan))
        measured = vital_inputs.values_of(values)
        state, outlooks = self.step_many(state, measured[None])
        state = state._replace(hour=np.array([float(hour)]))
        return state, _outlook(state, outlooks, measured)

    def step_many(self, state: TrendState, values: Floats) -> tuple[TrendState, Outlooks]:
        """Process one hour of n beds.

        Parameters
        ----------
        state : TrendState
            It is not changed. Its hours are not looked at, and grow by 1.
        values : ndarray, shape (n, 7)
            Of `VITALS`; NaN is missing.
        """
        weights = self.weights
        features, inputs = vital_inputs.step(state.inputs, values)
        out, hidden = network.step(weights, state.hidden, features)
        level = inputs.level[:, : len(FORECAST), None]
        shape = (len(values), len(FORECAST), len(HORIZONS_H), len(QUANTILES))
        change = np.sort(out[:, :VALUES].reshape(shape).astype(np.float64), axis=-1)
        low, median, high = (level + change[..., i] for i in range(len(QUANTILES)))
        scaled = (values[:, : len(FORECAST)] - CENTRE[: len(FORECAST)]) / SCALE[: len(FORECAST)]
        learned = personal.learn(state.personal, scaled)
        settings = tuple(weights.settings[name] for name in ("personal_level", "personal_spread", "personal_prior"))
        own_low, own_median, own_high, learned = personal.correct(learned, low, median, high, settings)  # type: ignore[arg-type]
        own_low, low = (m - weights.widths[..., 0] * (m - end) for m, end in ((own_median, own_low), (median, low)))
        own_high, high = (m + weights.widths[..., 1] * (end - m) for m, end in ((own_median, own_high), (median, high)))
        log_odds = out[:, VALUES:].astype(np.float64) * weights.scale + weights.offset
        risk = 0.5 * (1 + np.tanh(0.5 * log_odds))
        worst = risk[:, RISKS.index("hypotension_6h")]
        raised, left = advisory.step(state.left, worst, inputs, weights.settings["threshold"])
        after = TrendState(state.hour + 1, inputs, hidden, learned, left)
        own_low, own_median, own_high, low, median, high = (
            np.minimum(_CENTRE + _SCALE * bound, _HIGHEST)
            for bound in (own_low, own_median, own_high, low, median, high)
        )
        return after, Outlooks(own_low, own_median, own_high, low, median, high, risk, raised, left > 0)


def _outlook(state: TrendState, outlooks: Outlooks, measured: Floats) -> Outlook:
    """Return the outlook on one bed."""
    seen = state.inputs.seen[0]
    known = [(i, name) for i, name in enumerate(FORECAST) if seen[i]]
    low, median, high = (
        {name: dict(zip(HORIZONS_H, np.round(value[0, i], 2).tolist(), strict=True)) for i, name in known}
        for value in (outlooks.low, outlooks.median, outlooks.high)
    )
    risk = dict(zip(RISKS, outlooks.risk[0].tolist(), strict=True))
    carried = np.where(seen, vital_inputs.carried(state.inputs)[0], np.nan)
    if not carried[MEAN_PRESSURE] >= LOW_MMHG:
        risk = {name: value for name, value in risk.items() if not name.startswith("hypotension")}
    if not seen.any():
        risk = {}
    stands = bool(outlooks.advisory[0])
    reasons = advisory.reasons(state.inputs) if stands else ()
    score = news2.news2(np.where(np.isnan(measured), carried, measured))
    hour, raised = float(state.hour[0]), bool(outlooks.raised[0])
    return Outlook(hour, HORIZONS_H, median, low, high, risk, stands, raised, reasons, score)
