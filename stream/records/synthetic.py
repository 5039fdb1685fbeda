"""A synthetic ECG, for use when no recorded one is available.

Each beat is a sum of Gaussians over the cardiac phase, as in ECGSYN (P. E. McSharry, G. D. Clifford, L. Tarassenko,
L. A. Smith, "A dynamical model for generating synthetic electrocardiogram signals", IEEE Trans Biomed Eng 50(3):
289-294, 2003, doi:10.1109/TBME.2003.808805), evaluated in closed form instead of integrated: the events keep their
times relative to the R peak, and later ones scale with the square root of RR. ECGSYN has no ventricular beats; those
here are defined by this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.records.record import Annotations, Record
from stream.timebase import FS

GAIN, ZERO = 200.0, 1024

Array = npt.NDArray[np.float64]

# Time from R (s), width (s), amplitude (mV) in MLII, amplitude (mV) in V1. Adult values at 60/min.
Event = tuple[float, float, float, float]

NORMAL: tuple[Event, ...] = (
    (-0.170, 0.022, 0.12, 0.06),  # P
    (-0.034, 0.009, -0.12, 0.05),  # Q
    (0.000, 0.011, 1.15, 0.25),  # R
    (0.030, 0.011, -0.25, -0.85),  # S
    (0.250, 0.055, 0.20, 0.10),  # T, rising limb
    (0.295, 0.035, 0.16, 0.08),  # T, falling limb
)
PVC: tuple[Event, ...] = (
    (-0.030, 0.022, 0.35, -0.20),
    (0.020, 0.035, 1.45, 1.10),
    (0.085, 0.030, -0.50, 0.35),
    (0.270, 0.070, -0.55, -0.40),
)


@dataclass(frozen=True)
class SyntheticConfig:
    """Parameters of the synthetic ECG.

    Attributes
    ----------
    seconds : float
    heart_rate : float
        Mean, in 1/min.
    pvc_share : float
        Share of premature ventricular beats, from the second minute on; each is followed by a compensatory pause.
    noise_mv : float
        Standard deviation of the white noise.
    seed : int
    """

    seconds: float = 300.0
    heart_rate: float = 72.0
    pvc_share: float = 0.04
    noise_mv: float = 0.008
    seed: int = 1


def synthetic_patient(config: SyntheticConfig | None = None) -> Record:
    """Return a record with leads MLII and V1 and its beats as annotations; deterministic for a given config."""
    config = config or SyntheticConfig()
    rng = np.random.default_rng(config.seed)
    n = round(config.seconds * FS)
    peaks, symbols = beats(config, rng)
    mv = np.zeros((n, 2))
    rr = np.diff(peaks, prepend=peaks[0] - 60.0 / config.heart_rate)
    for peak, before, symbol in zip(peaks, rr, symbols, strict=True):
        _add_beat(mv, peak, before, PVC if symbol == "V" else NORMAL)
    time = np.arange(n) / FS
    respiration = np.sin(2 * np.pi * 0.25 * time)
    # Respiration modulates the amplitude and the baseline; a slower drift is added.
    mv *= (1 + 0.04 * respiration)[:, np.newaxis]
    mv += (0.05 * respiration + 0.06 * np.sin(2 * np.pi * 0.03 * time + 1.0))[:, np.newaxis]
    mv += rng.normal(0.0, config.noise_mv, mv.shape)
    adu = np.rint(mv * GAIN + ZERO).astype(np.int16)
    adu.flags.writeable = False
    sample = np.rint(peaks * FS).astype(np.int64)
    inside = sample < n
    sample = sample[inside]
    sample.flags.writeable = False
    kept = tuple(symbol for symbol, use in zip(symbols, inside, strict=True) if use)
    return Record(
        name="synthetic",
        leads=("MLII", "V1"),
        gain=(GAIN, GAIN),
        zero=(ZERO, ZERO),
        adu=adu,
        synthetic=True,
        source="synthetic patient",
        annotations=Annotations(sample, kept, ("",) * len(kept)),
    )


def beats(config: SyntheticConfig, rng: np.random.Generator) -> tuple[Array, tuple[str, ...]]:
    """Return the times of the R peaks in s and their symbols, N or V.

    RR varies as in ECGSYN: a slow (0.1 Hz) and a respiratory (0.25 Hz) oscillation, and white noise.
    """
    mean = 60.0 / config.heart_rate
    times, symbols, pause = [0.4], ["N"], 0.0
    while times[-1] < config.seconds:
        t = times[-1]
        oscillation = 0.025 * np.sin(2 * np.pi * 0.1 * t) + 0.025 * np.sin(2 * np.pi * 0.25 * t)
        rr = mean * (1 + oscillation + 0.008 * rng.standard_normal())
        premature = t > 60.0 and not pause and rng.random() < config.pvc_share
        if premature:
            early = 0.38 * rr
            times.append(t + rr - early)
            symbols.append("V")
            pause = early
        else:
            times.append(t + rr + pause)
            symbols.append("N")
            pause = 0.0
    return np.array(times), tuple(symbols)


def _add_beat(mv: Array, peak: float, rr: float, events: tuple[Event, ...]) -> None:
    """Add one beat to ``mv``, shape (n, 2)."""
    first = max(0, round((peak - 0.5) * FS))
    last = min(mv.shape[0], round((peak + 0.8) * FS))
    if last <= first:
        return
    time = np.arange(first, last) / FS - peak
    scale = np.sqrt(min(max(rr, 0.4), 1.5))
    for at, width, *amplitudes in events:
        factor = scale if at > 0.1 else 1.0
        gaussian = np.exp(-0.5 * ((time - at * factor) / (width * factor)) ** 2)
        mv[first:last] += gaussian[:, np.newaxis] * np.array(amplitudes)
