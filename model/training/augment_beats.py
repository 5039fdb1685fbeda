"""Augmentation of beats for the beat classifier: rhythms that few training patients have, from each patient's beats.

Of twenty training patients, one has atrial fibrillation and five have more than a few supraventricular ectopic beats.

- *Fibrillation*: P waves removed, fibrillatory waves added, RR intervals random. Normal beats stay normal.
- *Premature*: some normal beats are moved forward, alone or in runs, onto the end of the previous beat and with another
  P wave. They become supraventricular ectopic beats.
- *Disturbed*: varying rate, gain, baseline wander and steps. Labels stay.
- *Switching*: normal beats intermittently take the QRS complex of another patient, as in intermittent bundle branch
  block. They stay normal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import FloatArray, IntArray
from stream.timebase import FS

Rng = np.random.Generator

N, S, V, UNLABELLED = 0, 1, 2, -1
"""Labels of beats; unlabelled beats are not trained on."""

LENGTH = PIECE_BEFORE + PIECE_AFTER + 1
SHORTEST_RR = 72.0
"""Lower bound of an RR interval in samples: 200 ms."""

TIME = np.arange(LENGTH)[:, None]


@dataclass(frozen=True, slots=True)
class TrainingBeat:
    """A beat, recorded or augmented.

    Attributes
    ----------
    piece : ndarray, shape (LENGTH, leads)
        Samples around the R peak, mV.
    rr : float or None
        RR interval before it in samples; None for the first beat.
    type : int
        N, S, V or UNLABELLED.
    """

    piece: FloatArray
    rr: float | None
    type: int


@dataclass(frozen=True)
class RecordBeats:
    """The detected beats of a record, or of a part of it.

    Attributes
    ----------
    mv : ndarray, shape (n, leads)
        Finite.
    index : ndarray of int64, shape (k,)
        R peaks, at least a second from both ends.
    type : ndarray of int64, shape (k,)
        N, S, V or UNLABELLED.
    """

    mv: FloatArray
    index: IntArray
    type: IntArray

    def between(self, first: int, stop: int) -> RecordBeats:
        """Return the beats from sample `first` to `stop` (exclusive)."""
        kept = (self.index >= max(first, FS)) & (self.index < min(stop, len(self.mv) - 2 * FS))
        return RecordBeats(self.mv, self.index[kept], self.type[kept])

    def piece(self, at: int) -> FloatArray:
        """Return a copy of the samples around sample `at`."""
        return np.array(self.mv[at - PIECE_BEFORE : at + PIECE_AFTER + 1])

    def rr(self, k: int) -> float | None:
        """Return the RR interval before beat number `k` in samples; None for the first."""
        return float(self.index[k] - self.index[k - 1]) if k else None


def fibrillation(recorded: RecordBeats, rng: Rng) -> list[TrainingBeat]:
    """Return the beats as in atrial fibrillation, without supraventricular ectopic beats."""
    log_rr, spread = np.log(rng.uniform(180, 330)), rng.uniform(0.12, 0.28)
    rate, height, noise = rng.uniform(4, 8), rng.uniform(0.02, 0.1), rng.uniform(0, 0.03)
    p_wave = slice(PIECE_BEFORE - 90, PIECE_BEFORE - 22)
    ramp = np.linspace(0, 1, p_wave.stop - p_wave.start)[:, None]
    beats: list[TrainingBeat] = []
    for at, kind in zip(recorded.index, recorded.type, strict=True):
        if kind == S:
            continue
        piece = recorded.piece(at + rng.integers(-3, 4))
        if kind == N:
            level = (1 - ramp) * piece[p_wave.start] + ramp * piece[p_wave.stop]
            piece[p_wave] = 0.85 * level + 0.15 * piece[p_wave]
        phase = rate * TIME / FS + rng.random() + rng.random(piece.shape[1])
        piece += height * rng.uniform(0.3, 1) * np.sin(2 * np.pi * phase) + rng.normal(0, noise, piece.shape)
        rr = float(np.exp(log_rr + spread * np.clip(rng.normal(), -2, 2.5)))
        beats.append(TrainingBeat(piece, rr if beats else None, int(kind)))
    return beats


def premature(recorded: RecordBeats, rng: Rng) -> list[TrainingBeat]:
    """Return the beats, some of the normal ones premature; recorded supraventricular beats become unlabelled."""
    share = rng.choice([0.02, 0.08, 0.25, 0.5], p=[0.3, 0.35, 0.25, 0.1])
    prematurity, noise = rng.uniform(0.5, 0.85), rng.uniform(0, 0.02)
    p_wave = rng.choice([-1, 1]) * rng.uniform(0.03, 0.2) * 0.7 * rng.normal(0, 1, recorded.mv.shape[1])
    beats: list[TrainingBeat] = []
    run, paused = 0, False
    for k, (at, kind) in enumerate(zip(recorded.index, recorded.type, strict=True)):
        piece, rr = recorded.piece(at + rng.integers(-3, 4)), recorded.rr(k)
        kind = UNLABELLED if kind == S else int(kind)
        early = rr is not None and kind == N == int(recorded.type[k - 1]) and (run > 0 or bool(rng.random() < share))
        if early and rr is not None:
            if not run and rng.random() < 0.2:
                run = int(rng.integers(2, 12 if rng.random() < 0.3 else 4))
            run = max(run - 1, 0)
            rr = max(rr * float(np.clip(prematurity * np.exp(rng.normal(0, 0.06)), 0.42, 0.9)), 100.0)
            piece = _after(recorded.piece(recorded.index[k - 1] + int(rr)), piece)
            from_p = TIME - (PIECE_BEFORE - rng.uniform(36, 62))
            piece += np.exp(-0.5 * (from_p / rng.uniform(7, 11)) ** 2) * p_wave
            kind = S
        elif paused and rr is not None:
            rr *= rng.uniform(1.0, 1.3)
        paused = early
        beats.append(TrainingBeat(piece + rng.normal(0, noise, piece.shape), rr, kind))
    return beats


def disturbed(recorded: RecordBeats, rng: Rng) -> list[TrainingBeat]:
    """Return the beats with a varying rate, gain, noise, baseline wander and steps."""
    depth, period, phase = rng.uniform(0.05, 0.15), rng.uniform(3, 6), rng.uniform(0, 6)
    noise, wander, dirty = rng.uniform(0, 0.06), rng.uniform(0, 0.25), rng.choice([0, 0.1, 0.5])
    leads = recorded.mv.shape[1]
    gain = np.exp(rng.normal(0, 0.25, leads))
    drift = 0.0
    beats: list[TrainingBeat] = []
    for k, (at, kind) in enumerate(zip(recorded.index, recorded.type, strict=True)):
        piece, rr = recorded.piece(at + rng.integers(-6, 7)) * gain, recorded.rr(k)
        if rr is not None:
            drift = 0.99 * drift + rng.normal(0, 0.02)
            rr = rr * float(np.exp(depth * np.sin(2 * np.pi * k / period + phase) + drift))
        muscle = gaussian_filter1d(rng.normal(0, 1, piece.shape), 4, axis=0) * 8 * noise * (rng.random(leads) < 0.3)
        steps = gaussian_filter1d(rng.normal(0, 1, piece.shape), 20, axis=0) * rng.uniform(0, 4)
        piece += muscle + steps * (rng.random(leads) < dirty) + rng.normal(0, noise / 2, piece.shape)
        piece += wander * np.sin(2 * np.pi * (rng.uniform(0.1, 0.8) * TIME / FS + rng.random()))
        beats.append(TrainingBeat(piece, rr, int(kind)))
    return beats


def switching(recorded: RecordBeats, other: RecordBeats, rng: Rng) -> list[TrainingBeat]:
    """Return the beats; normal ones intermittently have the QRS complex of another patient's normal beats."""
    leads = min(recorded.mv.shape[1], other.mv.shape[1])
    own, normal = replace(recorded, mv=recorded.mv[:, :leads]), other.index[other.type == N]
    gain = rng.choice([-1, 1], leads) * np.exp(rng.normal(0, 0.2, leads)) if rng.random() < 0.3 else np.ones(leads)
    blocked, left, used = False, int(rng.integers(8, 200)), 0
    beats: list[TrainingBeat] = []
    for k, (at, kind) in enumerate(zip(own.index, own.type, strict=True)):
        piece = own.piece(at + rng.integers(-3, 4))
        left -= 1
        if left <= 0:
            blocked = not blocked
            left = int(rng.integers(3, 30) if rng.random() < 0.4 else rng.integers(30, 300))
        if blocked and kind == N and len(normal):
            other_piece = other.piece(normal[used % len(normal)])[:, :leads] * gain
            used += 1
            at_level = other_piece - other_piece[PIECE_BEFORE - 24] + piece[PIECE_BEFORE - 24]
            piece = _after(piece, at_level, PIECE_BEFORE - 30, 12)
        beats.append(TrainingBeat(piece, own.rr(k), int(kind)))
    return beats


def _after(before: FloatArray, piece: FloatArray, at: int = PIECE_BEFORE - 28, width: int = 8) -> FloatArray:
    """Return `piece` with its samples up to `at` replaced by those of `before`, blended over `width` samples."""
    share = np.clip((TIME - at) / width, 0, 1)
    seam = at + width
    return np.asarray((1 - share) * (before - before[seam] + piece[seam]) + share * piece)


SINGLE_PATIENT: Mapping[str, Callable[[RecordBeats, Rng], list[TrainingBeat]]] = {
    "fibrillation": fibrillation,
    "premature": premature,
    "disturbed": disturbed,
}


def augment(records: Sequence[RecordBeats], seed: int, minutes: float = 12.0) -> list[dict[str, list[TrainingBeat]]]:
    """Return augmented beats of each record, by kind.

    Parameters
    ----------
    records : sequence of RecordBeats
        Neighbours are partners for switching: 0 and 1, 2 and 3, …
    seed : int
    minutes : float
        Length of the segment that is augmented: the second of even records, the first of odd ones.
    """
    beats = []
    for n, recorded in enumerate(records):
        first = 0 if n % 2 else round(minutes * 60 * FS)
        segment = recorded.between(first, first + round(minutes * 60 * FS))
        each = {
            name: change(segment, np.random.default_rng([seed, n, i]))
            for i, (name, change) in enumerate(SINGLE_PATIENT.items())
        }
        other = records[n ^ 1] if n ^ 1 < len(records) else records[n - 1]
        each["switching"] = switching(segment, other, np.random.default_rng([seed, n, 9]))
        beats.append(each)
    return beats
