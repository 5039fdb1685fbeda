"""Noise with a given spectrum as a function of seed and sample index: any part of it can be made, in any order.

Gaussian noise is synthesised in blocks of random Fourier coefficients, each block from the seed and its own number,
windowed by a half sine and overlapped by half, so that the power is the same everywhere.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

Spectrum = tuple[tuple[float, float], ...]
"""Power spectral density: pairs of frequency in Hz, ascending, and level in dB; between them linear in the logarithm of
the frequency, outside zero."""

BLOCK = 16384
"""Samples of a block; its length bounds the lowest frequency: 0.02 Hz at 360 Hz."""

_HALF = BLOCK // 2
_WINDOW = np.sin(np.pi * (np.arange(BLOCK) + 0.5) / BLOCK)


def seed_of(bed: str, injection_id: str, lead: str) -> int:
    """Return the seed of an injection for one lead of a bed, 64 bits: each has noise of its own."""
    digest = hashlib.blake2b(f"{bed}\0{injection_id}\0{lead}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def noise(spectrum: Spectrum, seed: int, first: int, n: int, fs: float) -> Samples:
    """Return samples of noise.

    Parameters
    ----------
    spectrum : Spectrum
    seed : int
        0 to 2⁶⁴ − 1.
    first, n : int
        Index of the first sample, 0 or more, and their number.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    ndarray, shape (n,)
        With a root mean square of 1 about the mean of each second, the noise power of `stream.injections.signal_level`.
    """
    made = np.zeros(n)
    for number in range(first // _HALF, (first + n - 1) // _HALF + 2):
        block, at = _block(spectrum, seed, number, fs), (number - 1) * _HALF  # it contains [at, at + BLOCK)
        begin, stop = max(first, at), min(first + n, at + BLOCK)
        if begin < stop:
            made[begin - first : stop - first] += block[begin - at : stop - at]
    return made


@lru_cache(maxsize=320)  # 42 MB: each chunk needs two, and the leads of 64 beds take turns
def _block(spectrum: Spectrum, seed: int, number: int, fs: float) -> Samples:
    amplitude = _amplitudes(spectrum, fs)
    real, imaginary = np.random.Generator(np.random.Philox(key=np.array([seed, number], np.uint64))).standard_normal(
        (2, amplitude.size)
    )
    block: Samples = np.fft.irfft(amplitude * (real + 1j * imaginary), BLOCK) * _WINDOW
    return block


@lru_cache(maxsize=32)
def _amplitudes(spectrum: Spectrum, fs: float) -> Samples:
    """Return the standard deviation of the real and imaginary parts of the Fourier coefficients."""
    hz = np.fft.rfftfreq(BLOCK, 1 / fs)
    points, levels = np.array(spectrum).T
    inside = (hz >= points[0]) & (hz <= points[-1])
    inside[[0, -1]] = False
    power = np.zeros(hz.size)
    power[inside] = 10 ** (np.interp(np.log(hz[inside]), np.log(points), levels) / 10)
    about_the_mean_of_a_second = 1 - np.sinc(hz) ** 2
    power *= BLOCK**2 / (4 * np.sum(power * about_the_mean_of_a_second))
    return np.sqrt(power)
