"""Inter-patient splits of MIT-BIH, and stretches of signal to train on.

The split is de Chazal's (2004). 201 and 202 are one patient and lie on both sides of it, so training leaves 201 out;
208 is the record that the demo streams, so training leaves it out too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from model import scaling
from model.config import NetworkConfig, ScalingConfig, TrainConfig
from stream import records
from stream.catalog import Catalog
from stream.errors import UsageError
from stream.messages import FS

DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
PACED = ("102", "104", "107", "217")
"""Left out: pacemakers. 217 is in neither set for the same reason."""

TRAIN = tuple(name for name in DS1 if name not in ("201", "208"))
"""The patients that training may see."""

HELD_BACK = ("112", "116", "215", "223")
"""The part of TRAIN that chooses and never trains."""

FITTED = tuple(name for name in TRAIN if name not in HELD_BACK)
"""The part of TRAIN that trains."""

Array = npt.NDArray[np.float64]
Signals = Mapping[str, Array]


@dataclass(frozen=True)
class Stretch:
    """Contiguous streams, cut into steps of the network.

    Attributes
    ----------
    x : ndarray of float32, shape (rows, k, window)
        Normalised at each origin.
    target : ndarray of float32, shape (rows, k, horizon)
        What came next, normalised at the same origin.
    scale : ndarray of float32, shape (rows, k)
        mV that one normalised unit stands for.
    """

    x: npt.NDArray[np.float32]
    target: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]


def parse_records(text: str) -> tuple[str, ...]:
    """Return the MIT-BIH records that a user names: ``DS1``, ``DS2``, or names with commas between.

    Raises
    ------
    UsageError
        A name that is no record of MIT-BIH's 48.
    """
    named = {"ds1": DS1, "ds2": DS2}.get(text.strip().lower())
    if named:
        return named
    names = tuple(dict.fromkeys(name.strip().removeprefix("mitdb/") for name in text.split(",") if name.strip()))
    for name in names:
        if name not in DS1 + DS2 + PACED:
            raise UsageError(
                f"{name!r} is no record of the MIT-BIH Arrhythmia Database: give DS1, DS2, or numbers such as 100,208"
            )
    if not names:
        raise UsageError("no records named: give DS1, DS2, or numbers such as 100,208")
    return names


def without(records: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Return the records that are not excluded.

    Raises
    ------
    UsageError
        None is left.
    """
    names = [name for name in records if name not in exclude]
    if not names:
        raise UsageError("every record named is excluded: name at least one that is not")
    return names


def load_signals(names: Iterable[str], catalog: Catalog | None = None) -> dict[str, Array]:
    """Read MIT-BIH records.

    Returns
    -------
    dict of str to ndarray of float64, shape (n, leads)
        mV at 360 Hz; an invalid sample holds the value before it.

    Raises
    ------
    RecordError
        A record that is nowhere or unreadable.
    """
    signals = {}
    for name in names:
        mv = records.load(f"mitdb/{name}", catalog).mv()
        signals[name], _ = scaling.hold(mv, np.zeros(mv.shape[1]))
    return signals


def steps(streams: Array, network: NetworkConfig, config: ScalingConfig) -> Stretch:
    """Cut whole streams into inputs and targets.

    Parameters
    ----------
    streams : ndarray of float64, shape (rows, n)
        mV. The last ``horizon`` samples are only targets.
    """
    patch, window, horizon = network.patch, network.window, network.horizon
    k = (streams.shape[1] - horizon) // patch
    seen = streams[:, : k * patch]
    baseline, scale, _ = scaling.advance(
        scaling.begin(len(streams), config), seen.reshape(len(streams), k, patch), config
    )
    past = np.concatenate([scaling.history_of(seen[:, 0], window - patch), seen], axis=1)
    ahead = np.lib.stride_tricks.sliding_window_view(streams[:, patch:], horizon, axis=1)[:, ::patch][:, :k]
    baseline, scale = baseline[:, :, None], scale[:, :, None]
    return Stretch(
        ((scaling.windows(past, window, patch) - baseline) / scale).astype(np.float32),
        ((ahead - baseline) / scale).astype(np.float32),
        scale[:, :, 0].astype(np.float32),
    )


def random_streams(signals: Signals, rows: int, n: int, rng: np.random.Generator) -> Array:
    """Draw streams at random places of random records, each changed as patients and electrodes differ.

    A stream is one lead or a random mixture of both (another direction of the same heart vector), turned
    over at random, 0.75 to 1.35 times as fast, with baseline wander, noise and a slow drift of gain.

    Returns
    -------
    ndarray of float64, shape (rows, n)
        mV.
    """
    names = sorted(signals)
    return np.stack([_random_stream(signals[names[rng.integers(len(names))]], n, rng) for _ in range(rows)])


def _random_stream(record: Array, n: int, rng: np.random.Generator) -> Array:
    speed = np.exp(rng.uniform(np.log(0.75), np.log(1.35))) if rng.random() < 0.7 else 1.0
    length = int(np.ceil(n * speed)) + 8
    start = rng.integers(0, len(record) - length)
    piece = record[start : start + length]
    if piece.shape[1] == 1 or rng.random() < 0.5:
        lead = piece[:, rng.integers(piece.shape[1])]
    else:
        angle = rng.uniform(0, np.pi)
        lead = np.cos(angle) * piece[:, 0] + np.sin(angle) * piece[:, 1]
    if speed != 1.0:
        lead = map_coordinates(lead, [4 + speed * np.arange(n)], order=3, mode="nearest")
    lead = lead[:n] * np.exp(rng.normal(0, 0.3)) * rng.choice([-1.0, 1.0], p=[0.3, 0.7])
    time = np.arange(n) / FS
    if rng.random() < 0.5:
        wander = rng.uniform(0, 0.15) * np.sin(2 * np.pi * (rng.uniform(0.05, 0.5) * time + rng.random()))
        gain = 1 + rng.uniform(0, 0.15) * np.sin(2 * np.pi * (rng.uniform(0.1, 0.4) * time + rng.random()))
        lead = lead * gain + wander
    if rng.random() < 0.3:
        lead = lead + rng.normal(0, rng.uniform(0, 0.03), n)
    return np.asarray(lead)


def random_stretch(
    signals: Signals, train: TrainConfig, network: NetworkConfig, config: ScalingConfig, index: int
) -> Stretch:
    """Return training stretch number `index`; the same number gives the same stretch.

    Returns
    -------
    Stretch
        ``rows`` rows of ``windows * window`` steps.
    """
    rng = np.random.default_rng([train.seed, index])
    n = train.windows * train.window * network.patch + network.horizon
    return steps(random_streams(signals, train.rows, n, rng), network, config)
