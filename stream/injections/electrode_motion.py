"""Electrode motion: noise of an electrode that moves on the skin, with power where the waves of an ECG have theirs."""

from __future__ import annotations

from stream.injections.noise import Samples, Spectrum, noise
from stream.injections.signal_level import noise_rms

SPECTRUM: Spectrum = (
    (0.1, 61.0),
    (0.15, 63.5),
    (0.27, 56.0),
    (0.6, 47.5),
    (0.85, 56.0),
    (1.2, 54.0),
    (1.7, 52.0),
    (2.4, 47.5),
    (3.4, 48.0),
    (4.7, 42.0),
    (6.7, 42.0),
    (9.4, 36.5),
    (13.0, 33.0),
    (19.0, 26.5),
    (27.0, 21.0),
    (38.0, 17.0),
    (54.0, 13.0),
    (76.0, 7.5),
    (107.0, 2.0),
    (150.0, 1.0),
    (175.0, 1.0),
)
"""That of the record `em` of the MIT-BIH Noise Stress Test Database (doi:10.13026/C2HS3T; Moody, Muldrow, Mark 1984) in
lead MLII: the difference of nstdb/118e_6 and mitdb/118, by half octaves. The samples are not those of the record: its
phases, and how its leads depend on each other, are not kept."""


def add(mv: Samples, first: int, fs: float, snr_db: float, amplitude: float, seed: int) -> Samples:
    """Return one lead with the noise of a moving electrode.

    Parameters
    ----------
    mv : ndarray, shape (n,)
    first : int
        Index of its first sample.
    fs : float
    snr_db : float
        By the definition of `stream.injections.signal_level`.
    amplitude : float
        Peak-to-peak amplitude of the QRS complexes, mV.
    seed : int
    """
    return mv + noise_rms(amplitude, snr_db) * noise(SPECTRUM, seed, first, mv.size, fs)
