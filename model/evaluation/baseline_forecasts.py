"""Baseline forecasts: persistence, a long autoregressive (AR) model, and a repeat of the patient's last beat.

All forecast samples after an origin from the samples up to it, in mV.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from model.datasets.mitdb import DS1, load_signals
from model.signal.arrays import FloatArray, IntArray
from stream.errors import UsageError
from stream.records.catalog import Catalog

AR_ORDER = 180
AR_RECORDS = tuple(name for name in DS1 if name != "201")
"""Records to which AR(180) is fitted: DS1 without the patient who is also in DS2."""

PATTERN = 108
"""Length in samples of the segment that is matched with the past: 300 ms."""

LAGS = (108, 720)
"""Shortest and longest lag of the match in samples: 0.3 to 2 s, heart rates of 200 to 30 per minute."""

FADE = 72
"""Time constant in samples (200 ms) with which the level difference between match and origin decays.

`FADE` and `PATTERN` minimise the error of this baseline on MIT-BIH DS1 without 201 and 208. NRMSE at 50, 100 and
200 ms, one origin every 32 samples: .744, .847 and 1.043; without decay .775, .897 and 1.114; with a pattern of 150 ms
.878, .931 and 1.098, of 250 ms .759, .848 and 1.050, of 400 ms .771, .873 and 1.048.
"""

BLOCK = 128
"""Origins searched at once; the working set of a block fits into the processor cache."""

LEAST_ENERGY = 1e-9
"""Lower bound of a segment's energy about its mean in mV², which keeps a flat line from dividing by zero."""


@dataclass(frozen=True)
class AR:
    """An autoregressive model, iterated to some horizons.

    Attributes
    ----------
    weights : ndarray of float64, shape (horizons, order)
        Weights of the last `order` samples, oldest first, after subtraction of `mean_mv`.
    horizons : tuple of int
        Samples ahead.
    mean_mv : float
        Mean of the signals to which the model was fitted.
    """

    weights: FloatArray
    horizons: tuple[int, ...]
    mean_mv: float

    @property
    def order(self) -> int:
        """Number of past samples that the model uses."""
        return int(self.weights.shape[1])

    def at(self, horizons: Sequence[int]) -> AR:
        """Return the model for a subset of its horizons."""
        return AR(self.weights[[self.horizons.index(h) for h in horizons]], tuple(horizons), self.mean_mv)

    def forecast(self, x: FloatArray, origins: IntArray) -> FloatArray:
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

        Raises
        ------
        UsageError
            An origin has fewer than `order` samples up to it.
        """
        if len(origins) and origins.min() < self.order - 1:
            raise UsageError(f"AR({self.order}) needs {self.order} samples up to its first origin")
        past = sliding_window_view(x - self.mean_mv, self.order)
        out = np.empty((len(origins), len(self.horizons)))
        for i in range(0, len(origins), 4096):
            out[i : i + 4096] = past[origins[i : i + 4096] - self.order + 1] @ self.weights.T
        return out + self.mean_mv


def fit_ar(signals: Iterable[FloatArray], order: int, horizons: Sequence[int]) -> AR:
    """Fit one AR model to several signals by least squares (covariance method, no window).

    Parameters
    ----------
    signals : iterable of ndarray of float64, shape (n,)
        mV, finite. The common mean is subtracted.
    order : int
        180 samples are half a second at 360 Hz.
    horizons : sequence of int
        Samples ahead; the one-step model is iterated to each.
    """
    signals = list(signals)
    mean = float(np.concatenate(signals).mean())
    products = sum((lag_products(x - mean, order) for x in signals), np.zeros((order + 1, order + 1)))
    one_step = np.asarray(np.linalg.solve(products[1:, 1:], products[1:, 0]))[::-1]
    return AR(iterate(one_step, horizons), tuple(horizons), mean)


def ar180(horizons: Sequence[int], catalog: Catalog | None = None) -> AR:
    """Fit AR(180) to the first leads of DS1 without 201.

    Raises
    ------
    RecordError
        One of the records cannot be found or read.
    """
    signals = load_signals(AR_RECORDS, catalog)
    return fit_ar((mv[:, 0] for mv in signals.values()), AR_ORDER, horizons)


def lag_products(x: FloatArray, order: int) -> FloatArray:
    """Return sums of x[t - i] * x[t - j] over t = order … n - 1, for lags i and j from 0 to `order`.

    Only the first row needs n products per entry. Each further row is updated from the previous one by the products
    that enter and leave the sum.

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


def iterate(one_step: FloatArray, horizons: Sequence[int]) -> FloatArray:
    """Return the weights of the past samples for iterated forecasts, which use earlier forecasts as input.

    Parameters
    ----------
    one_step : ndarray of float64, shape (order,)
        Oldest first.

    Returns
    -------
    ndarray of float64, shape (horizons, order)
    """
    order = len(one_step)
    known = np.eye(order)  # row i: the i-th input sample as weights of the observed samples
    weights = {}
    for h in range(1, max(horizons) + 1):
        ahead = one_step @ known
        known = np.concatenate([known[1:], ahead[None]])
        weights[h] = ahead
    return np.stack([weights[h] for h in horizons])


def persistence(x: FloatArray, origins: IntArray, horizons: Sequence[int]) -> FloatArray:
    """Repeat the last observed sample.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        mV.
    origins : ndarray of int64, shape (k,)
    horizons : sequence of int

    Returns
    -------
    ndarray of float64, shape (k, horizons)
        mV.
    """
    return np.repeat(x[origins][:, None], len(horizons), axis=1)


def last_beat(x: FloatArray, origins: IntArray, horizons: Sequence[int]) -> FloatArray:
    """Repeat the signal that followed one beat ago, shifted to the present level.

    The template is the patient's own signal, `beat_lags` earlier. It is shifted to the level of the last sample. The
    shift decays, because a difference in level is only partly baseline wander.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        mV, finite.
    origins : ndarray of int64, shape (k,)
        None below 827: the longest lag and a pattern.
    horizons : sequence of int
        Beyond the lag of the match, the beat is repeated.

    Returns
    -------
    ndarray of float64, shape (k, horizons)
        mV.

    Raises
    ------
    UsageError
        An origin is too early.
    """
    ahead = np.array(horizons)
    lags = beat_lags(x, origins)[:, None]
    then = origins[:, None] - lags
    shift = x[origins[:, None]] - x[then]
    return np.asarray(x[then + 1 + (ahead - 1) % lags] + shift * np.exp(-ahead / FADE))


def beat_lags(x: FloatArray, origins: IntArray) -> IntArray:
    """Return the lag at which the past signal matches the present best: usually one RR interval.

    Of all lags from 0.3 to 2 s it is the one with the highest Pearson correlation between the last 300 ms and the
    300 ms that ended one lag earlier. Samples after the origin are not used. Products are computed by FFT in single
    precision, about 5 s of CPU time for 10^6 origins.

    Parameters
    ----------
    x, origins
        As in `last_beat`.

    Returns
    -------
    ndarray of int64, shape (k,)
        From 108 to 720.
    """
    shortest, longest = LAGS
    if len(origins) and origins.min() < longest + PATTERN - 1:
        raise UsageError(f"the last-beat forecast needs {longest + PATTERN} samples up to its first origin")
    lags = longest - shortest + 1
    size = fft.next_fast_len(PATTERN + lags - 1, real=True)
    # Energies of all segments from running sums over the record; a segment is indexed by its first sample.
    height = x - x[0]
    sums, squares = (np.cumsum(np.append(0.0, v)) for v in (height, height**2))
    total = sums[PATTERN:] - sums[:-PATTERN]
    energy = np.maximum(squares[PATTERN:] - squares[:-PATTERN] - total**2 / PATTERN, LEAST_ENERGY)
    weight = sliding_window_view((1 / np.sqrt(energy)).astype(np.float32), lags)
    past, last = sliding_window_view(x, PATTERN + lags - 1), sliding_window_view(x, PATTERN)
    found = np.empty(len(origins), dtype=np.int64)
    for i in range(0, len(origins), BLOCK):
        now = origins[i : i + BLOCK] - PATTERN + 1
        pattern = last[now]
        level = pattern.mean(axis=1, keepdims=True)
        # The pattern has zero mean, so the mean of the past segment cancels in the products.
        spectrum = np.conj(fft.rfft((pattern - level).astype(np.float32), size))
        spectrum *= fft.rfft((past[now - longest] - level).astype(np.float32), size)
        correlation = fft.irfft(spectrum, size)[:, :lags] * weight[now - longest]
        found[i : i + BLOCK] = longest - correlation.argmax(axis=1)
    return found
