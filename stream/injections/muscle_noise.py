"""Muscle noise: the electromyogram of tense or shivering muscles under the electrodes."""

from __future__ import annotations

from stream.injections.noise import Samples, Spectrum, noise
from stream.injections.signal_level import noise_rms

SPECTRUM: Spectrum = ((20.0, 0.0), (150.0, 0.0))
"""Flat from 20 to 150 Hz. A surface electromyogram has little power below 20 Hz and most of it up to 150 Hz (De Luca CJ
et al. Filtering the surface EMG signal. J Biomech 2010;43:1573-1579); a monitor's amplifier ends at about 150 Hz."""


def add(mv: Samples, first: int, fs: float, snr_db: float, amplitude: float, seed: int) -> Samples:
    """Return one lead with the noise of muscles; parameters as for `stream.injections.electrode_motion.add`."""
    return mv + noise_rms(amplitude, snr_db) * noise(SPECTRUM, seed, first, mv.size, fs)
