"""Removes mains interference from the leads, where there is some; any other signal stays as it is, bit for bit.

After the subtraction procedure (Levkov et al., "Removal of power-line interference from the ECG: a review of the
subtraction procedure", BioMedical Engineering OnLine 4:50, 2005): the interference is measured where the ECG is nearly
a line, and subtracted there; in a QRS complex, which has power at 50 and 60 Hz, too, that of before goes on.

A stride of 100 ms contains 5 periods of 50 Hz, and 6 of 60 Hz. In the second difference of each stride, in which the
waves of an ECG are small, a sine of 50 and one of 60 Hz are fitted by least squares. The last second decides: mains are
there if most of its fits agree, one phase advance apart, which is the deviation of the frequency. At the onset that
takes half a second; until then a stride that is hardly more than a sine is freed of it at once.

No sample is delayed, and each depends on earlier ones of its lead and on those of its own stride only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.signal.arrays import FloatArray, IntArray
from model.signal.batch import Batch, Strides, single
from model.signal.columns import copied
from model.signal.compiled import compiled, compiled_part
from model.signal.small_arrays import kth_smallest, shift
from stream.timebase import FS, STRIDE

MAINS_HZ = (50.0, 60.0)
"""Nominal frequencies, Hz. A deviation of up to 4 Hz is followed."""

MEMORY = 10
"""Strides in which mains are searched: 1 s. The QRS complexes of fewer than half of them leave the medians as they are;
a tachycardia of 200/min has complexes in 3 or 4, or in 6 or 7 broad ones, which differ."""

MIN_MV = 0.03
"""Amplitude of the sine, mV, from which it is removed."""

MAX_SPREAD = 0.5
"""Median distance of the fits from their median, as a share of it, up to which they agree."""

ONSET_MV, MAX_REST = 0.3, 0.05
"""Amplitude, mV, from which, and share of the energy left by its fit up to which, a stride is hardly more than a sine.
Below that amplitude the onset disturbs no beat; artefacts of 0.05 to 0.3 mV resemble a sine for one stride in ten
thousand (svdb)."""

OWN_FIT = 4.0
"""Ratio of the energy that the earlier fits leave to that which its own leaves, above which the stride's own is used:
the amplitude has changed, or the stride contains no QRS complex."""

_CENTRE = (STRIDE - 1) / 2
_OMEGA = 2 * np.pi * np.array(MAINS_HZ) / FS
_ANGLE = _OMEGA[:, None] * (np.arange(STRIDE) - _CENTRE)
_COS: FloatArray = np.cos(_ANGLE)
_SIN: FloatArray = np.sin(_ANGLE)


class MainsState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    last : ndarray, shape (beds, leads, 3), mV
        The last two samples, then the last one without mains.
    strides : ndarray of int64, shape (beds,)
        Strides so far, at most `MEMORY`.
    fits : ndarray, shape (beds, leads, frequencies, 2, MEMORY), mV
        Fits of the second difference in the last strides, oldest first: cosine and sine about the centre of the stride.
    """

    last: FloatArray
    strides: IntArray
    fits: FloatArray


def begin(leads: int) -> MainsState:
    """Return the state of one bed before the first sample of an epoch, or after lost samples."""
    return MainsState(
        last=np.zeros((1, leads, 3)),
        strides=np.zeros(1, np.int64),
        fits=np.zeros((1, leads, len(MAINS_HZ), 2, MEMORY)),
    )


def step(state: MainsState, strides: Strides) -> tuple[Strides, MainsState]:
    """Push the next strides of one bed, and return them without mains."""
    state = copied(state)
    batch = advance(state, single(strides))
    return Strides(strides.start, batch.mv[0], batch.invalid[0]), state


def advance(columns: MainsState, batch: Batch) -> Batch:
    """Push the strides of the beds of a batch, change their slots of ``columns``, and return them without mains."""
    mv = batch.mv.copy()
    _advance(columns, batch, mv)
    return batch._replace(mv=mv)


@compiled
def _advance(columns: MainsState, batch: Batch, mv: FloatArray) -> None:
    """Push the strides of the beds of a batch, in place, and remove mains from ``mv``, which is a copy of theirs."""
    difference, work = np.empty(STRIDE), np.empty((2, MEMORY))
    for bed in range(len(batch.slots)):
        slot = batch.slots[bed]
        for first in range(0, mv.shape[1], STRIDE):
            known = min(columns.strides[slot] + 1, MEMORY)
            for lead in range(mv.shape[2]):
                samples, invalid = batch.mv[bed, first : first + STRIDE, lead], batch.invalid[bed, first:, lead]
                last, fits = columns.last[slot, lead], columns.fits[slot, lead]
                if columns.strides[slot] == 0:  # whole periods of mains fit into a stride: its end stands before it
                    last[0], last[1], last[2] = samples[STRIDE - 2], samples[STRIDE - 1], samples[0]
                missing = 0
                for i in range(STRIDE):
                    missing += invalid[i]
                energy = _difference(samples, last, difference)
                cleaned = mv[bed, first : first + STRIDE, lead]
                _remove(fits, known, difference, energy if missing == 0 else -1.0, cleaned, work)
                for i in range(STRIDE if missing else 0):
                    if invalid[i]:
                        cleaned[i] = cleaned[i - 1] if i else last[2]
                last[2] = cleaned[STRIDE - 1]
            columns.strides[slot] = known


@compiled_part
def _difference(samples: FloatArray, last: FloatArray, difference: FloatArray) -> float:
    """Write the second difference of a stride, and its last samples into ``last``; return its energy."""
    energy, two_before, before = 0.0, last[0], last[1]
    for i in range(STRIDE):
        difference[i] = samples[i] - 2 * before + two_before
        two_before, before = before, samples[i]
        energy += difference[i] * difference[i]
    last[0], last[1] = two_before, before
    return energy


@compiled_part
def _remove(
    fits: FloatArray, known: int, difference: FloatArray, energy: float, samples: FloatArray, work: FloatArray
) -> None:
    """Fit a stride of a lead, append the fits to its earlier ones, and remove mains from the samples, in place.

    Parameters
    ----------
    fits : ndarray, shape (frequencies, 2, MEMORY), mV
    known : int
        Strides with this one, at most `MEMORY`.
    difference : ndarray, shape (STRIDE,), mV
    energy : float
        Of the second difference; -1 for a stride with invalid samples, which is not fitted: the last fit stays.
    samples : ndarray, shape (STRIDE,), mV
    work : ndarray, shape (2, MEMORY)
        Work space.
    """
    oldest, best, amplitude = MEMORY - known, 0, -1.0
    for hz in range(len(_OMEGA)):
        shift(fits[hz, 0], 1)
        shift(fits[hz, 1], 1)
        if energy >= 0:
            cosine = sine = 0.0
            for i in range(STRIDE):
                cosine += difference[i] * _COS[hz, i]
                sine += difference[i] * _SIN[hz, i]
            fits[hz, 0, -1], fits[hz, 1, -1] = 2 * cosine / STRIDE, 2 * sine / STRIDE
        for k in range(oldest, MEMORY):
            work[0, k] = math.hypot(fits[hz, 0, k], fits[hz, 1, k])
        typical = kth_smallest(work[0, oldest:], known // 2) / _gain(_OMEGA[hz])
        if typical > amplitude:
            best, amplitude = hz, typical
    cosine, sine = fits[best, 0], fits[best, 1]
    own_mv = math.hypot(cosine[-1], sine[-1]) / _gain(_OMEGA[best])
    rest = energy - STRIDE / 2 * (cosine[-1] ** 2 + sine[-1] ** 2)
    only_mains = energy >= 0 and own_mv >= ONSET_MV and rest <= MAX_REST * energy
    if amplitude < MIN_MV and not only_mains:
        return

    turn = _turn(cosine[oldest:], sine[oldest:], work[0])
    omega = _OMEGA[best] + turn / STRIDE
    even = (STRIDE + math.sin(STRIDE * omega) / math.sin(omega)) / 2
    odd = STRIDE - even
    if energy >= 0:
        _fit(difference, omega, even, odd, cosine, sine)
        rest = energy - even * cosine[-1] ** 2 - odd * sine[-1] ** 2
    held_cosine, held_sine, spread = _held(cosine[oldest:], sine[oldest:], turn, work)
    held = math.hypot(held_cosine, held_sine)
    lasting = known == MEMORY and held >= MIN_MV * _gain(omega) and spread <= MAX_SPREAD * held
    # The fit is orthogonal to what it leaves, so other coefficients leave what it leaves, and their difference.
    held_rest = rest + even * (cosine[-1] - held_cosine) ** 2 + odd * (sine[-1] - held_sine) ** 2
    if only_mains or (lasting and energy >= 0 and held_rest > OWN_FIT * rest):
        _subtract(samples, omega, cosine[-1], sine[-1])
    elif lasting and (energy < 0 or held_rest < energy):
        _subtract(samples, omega, held_cosine, held_sine)


@compiled_part
def _gain(omega: float) -> float:
    """Return the amplitude of the second difference of a sine of amplitude 1 and ``omega`` radians per sample."""
    return 2 - 2 * math.cos(omega)


@compiled_part
def _turn(cosine: FloatArray, sine: FloatArray, work: FloatArray) -> float:
    """Return the median phase advance from fit to fit, radians; 0 at the nominal frequency."""
    n = len(cosine) - 1
    for k in range(n):
        along = cosine[k + 1] * cosine[k] + sine[k + 1] * sine[k]
        across = cosine[k + 1] * sine[k] - sine[k + 1] * cosine[k]
        work[k] = math.atan2(across, along)
    return kth_smallest(work[:n], n // 2) if n else 0.0


@compiled_part
def _fit(difference: FloatArray, omega: float, even: float, odd: float, cosine: FloatArray, sine: FloatArray) -> None:
    """Fit a sine of ``omega`` radians per sample, and replace the last coefficients.

    ``even`` and ``odd`` are the energies of cosine and sine about the centre, which are orthogonal to each other.
    """
    first = second = 0.0
    for i in range(STRIDE):
        first += difference[i] * math.cos(omega * (i - _CENTRE))
        second += difference[i] * math.sin(omega * (i - _CENTRE))
    cosine[-1], sine[-1] = first / even, second / odd


@compiled_part
def _held(cosine: FloatArray, sine: FloatArray, turn: float, work: FloatArray) -> tuple[float, float, float]:
    """Return the median of all fits, with the phase of the last one, and their median distance from it."""
    n = len(cosine)
    for k in range(n):
        ahead = turn * (n - 1 - k)
        work[0, k] = cosine[k] * math.cos(ahead) + sine[k] * math.sin(ahead)
        work[1, k] = sine[k] * math.cos(ahead) - cosine[k] * math.sin(ahead)
    held_cosine, held_sine = kth_smallest(work[0, :n].copy(), n // 2), kth_smallest(work[1, :n].copy(), n // 2)
    for k in range(n):
        work[0, k] = math.hypot(work[0, k] - held_cosine, work[1, k] - held_sine)
    return held_cosine, held_sine, kth_smallest(work[0, :n], n // 2)


@compiled_part
def _subtract(samples: FloatArray, omega: float, cosine: float, sine: float) -> None:
    """Subtract the sine whose second difference has these coefficients."""
    gain = -_gain(omega)
    for i in range(STRIDE):
        angle = omega * (i + 1 - _CENTRE)  # the second difference of three samples belongs to the one in the middle
        samples[i] -= (cosine * math.cos(angle) + sine * math.sin(angle)) / gain
