"""What the network must beat: persistence and a long autoregressive (AR) model.

Both forecast the first samples after an origin from the samples up to it, in mV.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from stream.errors import UsageError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AR:
    """An autoregressive model, iterated to the horizons asked for.

    Attributes
    ----------
    weights : ndarray of float64, shape (horizons, order)
        Weights of the last `order` samples, oldest first, after subtraction of `mean_mv`.
    horizons : tuple of int
        Samples ahead.
    mean_mv : float
        Mean of the signals that the model was fitted to.
    """

    weights: Array
    horizons: tuple[int, ...]
    mean_mv: float

    @property
    def order(self) -> int:
        """Samples that the model looks back."""
        return int(self.weights.shape[1])

    def forecast(self, x: Array, origins: npt.NDArray[np.int64]) -> Array:
        """Forecast one lead.

        Parameters
        ----------
        x : ndarray of float64, shape (n,)
            mV, finite.
        origins : ndarray of int64, shape (k,)
            Indices of the last observed samples, none below ``order - 1``.

        Returns
        -------
        ndarray of float64, shape (k, horizons)
            mV.
        """
        if len(origins) and origins.min() < self.order - 1:
            raise UsageError(f"AR({self.order}) needs {self.order} samples up to its first origin")
        past = sliding_window_view(x - self.mean_mv, self.order)
        out = np.empty((len(origins), len(self.horizons)))
        for i in range(0, len(origins), 4096):
            out[i : i + 4096] = past[origins[i : i + 4096] - self.order + 1] @ self.weights.T
        return out + self.mean_mv


def fit_ar(signals: Iterable[Array], order: int, horizons: Sequence[int]) -> AR:
    """Fit one AR model to several signals by least squares (the covariance method, nothing windowed).

    Parameters
    ----------
    signals : iterable of ndarray of float64, shape (n,)
        mV, finite. The mean over all is taken off.
    order : int
        180 is half a second at 360 Hz.
    horizons : sequence of int
        Samples ahead; the one-step model is iterated to each.
    """
    signals = list(signals)
    mean = float(np.concatenate(signals).mean())
    products = sum((lag_products(x - mean, order) for x in signals), np.zeros((order + 1, order + 1)))
    one_step = np.asarray(np.linalg.solve(products[1:, 1:], products[1:, 0]))[::-1]
    return AR(iterate(one_step, horizons), tuple(horizons), mean)


def lag_products(x: Array, order: int) -> Array:
    """Return sums of x[t - i] * x[t - j] over t = order … n - 1, for lags i and j from 0 to `order`.

    Only the first row costs n: each further one follows from the one before by what enters and leaves the sum.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (order + 1, order + 1)
    """
    n = len(x)
    products = np.empty((order + 1, order + 1))
    products[0] = [x[order:] @ x[order - j : n - j] for j in range(order + 1)]
    products[:, 0] = products[0]
    enters, leaves = x[order - 1 :: -1][:order], x[::-1][:order]
    for i in range(order):
        products[i + 1, 1:] = products[i, :-1] + enters[i] * enters - leaves[i] * leaves
    return products


def iterate(one_step: Array, horizons: Sequence[int]) -> Array:
    """Return the weights of the past samples for forecasts that feed on themselves.

    Parameters
    ----------
    one_step : ndarray of float64, shape (order,)
        Oldest first.

    Returns
    -------
    ndarray of float64, shape (horizons, order)
    """
    order = len(one_step)
    known = np.eye(order)  # row i: the i-th remembered sample as weights of the samples that were observed
    weights = {}
    for h in range(1, max(horizons) + 1):
        ahead = one_step @ known
        known = np.concatenate([known[1:], ahead[None]])
        weights[h] = ahead
    return np.stack([weights[h] for h in horizons])


def persistence(x: Array, origins: npt.NDArray[np.int64], horizons: Sequence[int]) -> Array:
    """Forecast that everything stays as it is.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        mV.
    origins : ndarray of int64, shape (k,)

    Returns
    -------
    ndarray of float64, shape (k, horizons)
        mV.
    """
    return np.repeat(x[origins][:, None], len(horizons), axis=1)
