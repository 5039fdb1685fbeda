"""ECG of the suite's own making, written as WFDB records: what is in it is known without any detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

FS = 360
GAIN, INVALID = 200.0, -32768

Samples = npt.NDArray[np.int16]


def _beat(ventricular: bool) -> npt.NDArray[np.float64]:
    """Return one beat in mV, R at 0.3 s of 0.8 s."""
    t = np.arange(round(0.8 * FS)) / FS - 0.3
    waves = (
        ((-0.03, 0.022, 0.35), (0.02, 0.035, 1.45), (0.085, 0.03, -0.5), (0.27, 0.07, -0.55))
        if ventricular
        else ((-0.17, 0.022, 0.12), (-0.034, 0.009, -0.12), (0, 0.011, 1.15), (0.03, 0.011, -0.25), (0.27, 0.05, 0.25))
    )
    beat: npt.NDArray[np.float64] = sum(a * np.exp(-0.5 * ((t - at) / width) ** 2) for at, width, a in waves)
    return beat


def ecg(seconds: float, beats: list[tuple[float, bool]], seed: int = 1) -> Samples:
    """Return ECG with beats at given times in s; each is ventricular or not."""
    n = round(seconds * FS)
    mv = np.random.default_rng(seed).normal(0, 0.008, n)
    mv += 0.04 * np.sin(2 * np.pi * 0.25 * np.arange(n) / FS)
    for at, ventricular in beats:
        first = round((at - 0.3) * FS)
        shape = _beat(ventricular)[max(-first, 0) : max(n - first, 0)]
        first = max(first, 0)
        mv[first : first + len(shape)] += shape
    return np.rint(mv * GAIN).astype(np.int16)


def regular(seconds: float, rate: float = 75.0) -> Samples:
    """Return sinus rhythm; RR varies by 2 %."""
    times, rng = [0.5], np.random.default_rng(7)
    while times[-1] < seconds:
        times.append(times[-1] + 60 / rate * (1 + 0.02 * float(rng.uniform(-1, 1))))
    return ecg(seconds, [(t, False) for t in times])


def eventful(seconds: float, shift_s: float = 0.0) -> Samples:
    """Return sinus rhythm with a ventricular run of nine beats and a pause of 6 s in every 24 s: many alarms."""
    beats: list[tuple[float, bool]] = []
    t, turn_s = 0.5, 24.0
    while t < seconds:
        phase = (t + shift_s) % turn_s
        if 10 <= phase < 10.4:
            beats += [(t + 0.36 * i, True) for i in range(9)]
            t += 9 * 0.36 + 0.8
        elif 17 <= phase < 17.9:
            t += 6.0
        else:
            beats.append((t, False))
            t += 0.8
    return ecg(seconds, beats)


def flat(seconds: float) -> Samples:
    """Return a line at 0 mV."""
    return np.zeros(round(seconds * FS), np.int16)


def saturated(seconds: float) -> Samples:
    """Return a signal at the end of the converter's range."""
    return np.full(round(seconds * FS), 32767, np.int16)


def invalid(seconds: float) -> Samples:
    """Return samples that are invalid (NaN), but for the first second: a record without a valid one is refused."""
    samples = regular(seconds)
    samples[FS:] = INVALID
    return samples


def write(folder: Path, name: str, samples: Samples) -> str:
    """Write a WFDB record of one lead, format 16; return the path that ``bedside replay`` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.dat").write_bytes(samples.astype("<i2").tobytes())
    checksum = int(samples.astype(np.int64).sum()) & 0xFFFF
    checksum -= 0x10000 if checksum >= 0x8000 else 0
    (folder / f"{name}.hea").write_text(
        f"{name} 1 {FS} {len(samples)}\n{name}.dat 16 {GAIN:g}(0)/mV 16 0 {samples[0]} {checksum} 0 MLII\n"
    )
    return str(folder / name)
