"""Signal-to-noise ratio as the noise stress test defines it, so that levels compare with the records of nstdb.

Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. Computers in Cardiology 1984;11:381-384,
as the program `nst` of the WFDB software computes it: the power of the signal is that of a sine as high as the QRS
complexes, their squared peak-to-peak amplitude / 8; the amplitude is the mean of the first 300 normal complexes, from
50 ms before to 50 ms after their annotation, without the largest and the smallest 5 %. The power of the noise is its
mean square about the mean of each second.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

MAX_COMPLEXES = 300
_AROUND_S = 0.05
_DISCARDED = 0.05
_DEFAULT_MV = 1.0
"""Amplitude of a lead without any valid second."""


def qrs_amplitude(mv: Samples, fs: float, peaks: npt.NDArray[np.int64]) -> float:
    """Return the peak-to-peak amplitude of the QRS complexes of a lead, mV.

    Parameters
    ----------
    mv : ndarray, shape (n,)
        NaN where invalid.
    fs : float
    peaks : ndarray of int64
        Samples of normal complexes. Without any, each second counts as one complex: its range contains a QRS complex at
        60/min or more, and what the baseline wanders.
    """
    around = max(round(_AROUND_S * fs), 1)
    if peaks.size:
        pieces = [mv[max(peak - around, 0) : peak + around + 1] for peak in peaks[:MAX_COMPLEXES].tolist()]
    else:
        second = round(fs)
        pieces = [mv[at : at + second] for at in range(0, mv.size - second + 1, second)[:MAX_COMPLEXES]]
    ranges = np.sort([np.ptp(piece) for piece in pieces if piece.size and not np.isnan(piece).any()])
    if not ranges.size:
        return _DEFAULT_MV
    cut = int(_DISCARDED * ranges.size)
    return float(np.mean(ranges[cut : ranges.size - cut]))


def wave_level(values: Samples) -> tuple[float, float]:
    """Return the centre (median) of another wave, and the height of its pulse: from the 5th to the 95th percentile."""
    valid = values[~np.isnan(values)]
    if not valid.size:
        return 0.0, 0.0
    low, centre, high = np.percentile(valid, (5, 50, 95)).tolist()
    return centre, high - low


def noise_rms(amplitude: float, snr_db: float) -> float:
    """Return the root mean square of noise, about the mean of each second, for QRS complexes of an amplitude, mV."""
    return float(np.sqrt(amplitude**2 / 8 * 10 ** (-snr_db / 10)))
