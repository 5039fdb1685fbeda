"""Powers of two and logarithms in float32."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.forecast.elementary import exp2, log
from model.signal.compiled import compiled


@compiled
def powers(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> None:
    for i in range(len(x)):
        y[i] = exp2(x[i])


@compiled
def logarithms(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> None:
    for i in range(len(x)):
        y[i] = log(x[i])


def test_powers_of_two() -> None:
    x = np.concatenate([np.linspace(-126, 127, 100_001), np.arange(-126.0, 128)]).astype(np.float32)
    y = np.empty_like(x)
    powers(x, y)
    np.testing.assert_allclose(y, np.exp2(x.astype(float)), rtol=2e-7)
    assert (y[-254:] == np.exp2(np.arange(-126.0, 128))).all()


def test_logarithms() -> None:
    x = np.concatenate([np.linspace(1, 10, 100_001), np.geomspace(1, 1e38, 100_001)]).astype(np.float32)
    y = np.empty_like(x)
    logarithms(x, y)
    expected = np.log(x.astype(float))
    assert (np.abs(y - expected) <= 1.5e-7 * np.maximum(expected, 1)).all()
    assert y[0] == 0
