"""Beats made up for training, of real ones: rhythms that few of the patients have, in all of them.

Of twenty patients one fibrillates, and five have more than a few supraventricular ectopic beats. What such a rhythm
does to the features is known, though: so each patient's own beats are put into it.

- *Fibrillation*: no P waves, fibrillatory waves, RR intervals drawn at random. What was normal stays normal.
- *Premature*: some normal beats come early, alone or in runs, after the end of the beat before and another P wave.
- *Disturbed*: the rate breathes and drifts, leads change their gain, wander and jump. Types stay.
- *Switching*: for a while the normal beats look like those of another patient, as in an intermittent bundle branch
  block. They stay normal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import FloatArray, IntArray
from stream.timebase import FS

Rng = np.random.Generator

N, S, V, NONE = 0, 1, 2, -1
"""Types as training counts them; NONE does not train."""

LENGTH = PIECE_BEFORE + PIECE_AFTER + 1
SHORTEST_RR = 72.0

TIME = np.arange(LENGTH)[:, None]


@dataclass(frozen=True, slots=True)
class Made:
    """A beat to train on: its samples, its RR interval, its type."""

    piece: FloatArray
    rr: float | None
    type: int


@dataclass(frozen=True)
class Real:
    """The beats of a record, or of a part of it.

    Attributes
    ----------
    mv : ndarray, shape (n, leads)
        Finite.
    index : ndarray of int64, shape (k,)
        R peaks, far enough from both ends.
    type : ndarray of int64, shape (k,)
        N, S, V or NONE.
    """

    mv: FloatArray
    index: IntArray
    type: IntArray

    def between(self, first: int, stop: int) -> Real:
        """Return the beats from sample `first` to `stop`."""
        kept = (self.index >= max(first, FS)) & (self.index < min(stop, len(self.mv) - 2 * FS))
        return Real(self.mv, self.index[kept], self.type[kept])

    def piece(self, at: int) -> FloatArray:
        """Return a copy of the samples around sample `at`."""
        return np.array(self.mv[at - PIECE_BEFORE : at + PIECE_AFTER + 1])

    def rr(self, k: int) -> float | None:
        """Return the RR interval before beat number `k`."""
        return float(self.index[k] - self.index[k - 1]) if k else None


def fibrillation(real: Real, rng: Rng) -> list[Made]:
    """Return the beats as they would be in atrial fibrillation, without those that are supraventricular ectopic."""
    usual, spread = np.log(rng.uniform(180, 330)), rng.uniform(0.12, 0.28)
    rate, height, noise = rng.uniform(4, 8), rng.uniform(0.02, 0.1), rng.uniform(0, 0.03)
    p_wave = slice(PIECE_BEFORE - 90, PIECE_BEFORE - 22)
    ramp = np.linspace(0, 1, p_wave.stop - p_wave.start)[:, None]
    made: list[Made] = []
    for at, kind in zip(real.index, real.type, strict=True):
        if kind == S:
            continue
        piece = real.piece(at + rng.integers(-3, 4))
        if kind == N:
            level = (1 - ramp) * piece[p_wave.start] + ramp * piece[p_wave.stop]
            piece[p_wave] = 0.85 * level + 0.15 * piece[p_wave]
        phase = rate * TIME / FS + rng.random() + rng.random(piece.shape[1])
        piece += height * rng.uniform(0.3, 1) * np.sin(2 * np.pi * phase) + rng.normal(0, noise, piece.shape)
        rr = float(np.exp(usual + spread * np.clip(rng.normal(), -2, 2.5)))
        made.append(Made(piece, rr if made else None, int(kind)))
    return made


def premature(real: Real, rng: Rng) -> list[Made]:
    """Return the beats with some of the normal ones made premature; real ectopic beats of that kind do not train."""
    share = rng.choice([0.02, 0.08, 0.25, 0.5], p=[0.3, 0.35, 0.25, 0.1])
    usual, noise = rng.uniform(0.5, 0.85), rng.uniform(0, 0.02)
    p_wave = rng.choice([-1, 1]) * rng.uniform(0.03, 0.2) * 0.7 * rng.normal(0, 1, real.mv.shape[1])
    made: list[Made] = []
    run, paused = 0, False
    for k, (at, kind) in enumerate(zip(real.index, real.type, strict=True)):
        piece, rr = real.piece(at + rng.integers(-3, 4)), real.rr(k)
        kind = NONE if kind == S else int(kind)
        early = rr is not None and kind == N == int(real.type[k - 1]) and (run > 0 or bool(rng.random() < share))
        if early and rr is not None:
            if not run and rng.random() < 0.2:
                run = int(rng.integers(2, 12 if rng.random() < 0.3 else 4))
            run = max(run - 1, 0)
            rr = max(rr * float(np.clip(usual * np.exp(rng.normal(0, 0.06)), 0.42, 0.9)), 100.0)
            piece = _after(real.piece(real.index[k - 1] + int(rr)), piece)
            place = TIME - (PIECE_BEFORE - rng.uniform(36, 62))
            piece += np.exp(-0.5 * (place / rng.uniform(7, 11)) ** 2) * p_wave
            kind = S
        elif paused and rr is not None:
            rr *= rng.uniform(1.0, 1.3)
        paused = early
        made.append(Made(piece + rng.normal(0, noise, piece.shape), rr, kind))
    return made


def disturbed(real: Real, rng: Rng) -> list[Made]:
    """Return the beats with an uneven rate, and with noise, wander and jumps of the leads."""
    depth, period, phase = rng.uniform(0.05, 0.15), rng.uniform(3, 6), rng.uniform(0, 6)
    noise, wander, dirty = rng.uniform(0, 0.06), rng.uniform(0, 0.25), rng.choice([0, 0.1, 0.5])
    leads = real.mv.shape[1]
    gain = np.exp(rng.normal(0, 0.25, leads))
    drift = 0.0
    made = []
    for k, (at, kind) in enumerate(zip(real.index, real.type, strict=True)):
        piece, rr = real.piece(at + rng.integers(-6, 7)) * gain, real.rr(k)
        if rr is not None:
            drift = 0.99 * drift + rng.normal(0, 0.02)
            rr = rr * float(np.exp(depth * np.sin(2 * np.pi * k / period + phase) + drift))
        muscle = gaussian_filter1d(rng.normal(0, 1, piece.shape), 4, axis=0) * 8 * noise * (rng.random(leads) < 0.3)
        jumps = gaussian_filter1d(rng.normal(0, 1, piece.shape), 20, axis=0) * rng.uniform(0, 4)
        piece += muscle + jumps * (rng.random(leads) < dirty) + rng.normal(0, noise / 2, piece.shape)
        piece += wander * np.sin(2 * np.pi * (rng.uniform(0.1, 0.8) * TIME / FS + rng.random()))
        made.append(Made(piece, rr, int(kind)))
    return made


def switching(real: Real, other: Real, rng: Rng) -> list[Made]:
    """Return the beats, where the QRS of normal ones is now and then that of another patient's normal beats."""
    leads = min(real.mv.shape[1], other.mv.shape[1])
    mine, normal = Real(real.mv[:, :leads], real.index, real.type), other.index[other.type == N]
    turned = rng.choice([-1, 1], leads) * np.exp(rng.normal(0, 0.2, leads)) if rng.random() < 0.3 else np.ones(leads)
    blocked, left, taken = False, int(rng.integers(8, 200)), 0
    made = []
    for k, (at, kind) in enumerate(zip(mine.index, mine.type, strict=True)):
        piece = mine.piece(at + rng.integers(-3, 4))
        left -= 1
        if left <= 0:
            blocked = not blocked
            left = int(rng.integers(3, 30) if rng.random() < 0.4 else rng.integers(30, 300))
        if blocked and kind == N and len(normal):
            theirs = other.piece(normal[taken % len(normal)])[:, :leads] * turned
            taken += 1
            piece = _after(piece, theirs - theirs[PIECE_BEFORE - 24] + piece[PIECE_BEFORE - 24], PIECE_BEFORE - 30, 12)
        made.append(Made(piece, mine.rr(k), int(kind)))
    return made


def _after(before: FloatArray, piece: FloatArray, at: int = PIECE_BEFORE - 28, width: int = 8) -> FloatArray:
    """Return `piece` with what `before` holds in place of its samples up to `at`, without a step."""
    share = np.clip((TIME - at) / width, 0, 1)
    seam = at + width
    return np.asarray((1 - share) * (before - before[seam] + piece[seam]) + share * piece)


ALONE: Mapping[str, Callable[[Real, Rng], list[Made]]] = {
    "fibrillation": fibrillation,
    "premature": premature,
    "disturbed": disturbed,
}


def variants(records: Sequence[Real], seed: int, minutes: float = 12.0) -> list[dict[str, list[Made]]]:
    """Return made-up beats of each record, by kind; a stretch of so many minutes, and the next record for a partner."""
    made = []
    for n, real in enumerate(records):
        first = 0 if n % 2 else round(minutes * 60 * FS)
        stretch = real.between(first, first + round(minutes * 60 * FS))
        each = {name: f(stretch, np.random.default_rng([seed, n, i])) for i, (name, f) in enumerate(ALONE.items())}
        other = records[n ^ 1] if n ^ 1 < len(records) else records[n - 1]
        each["switching"] = switching(stretch, other, np.random.default_rng([seed, n, 9]))
        made.append(each)
    return made
