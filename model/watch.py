"""All that the monitor makes of a bed's signal, the same live and offline: forecast and surprise, then the findings.

``begin`` gives the state of a bed at the start of an epoch, ``step`` takes one chunk for each bed, ``finish`` ends
what is open when the epoch breaks. `model.pipeline` forecasts for all beds at once, `model.findings` looks at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from model import alarm_config, findings, pipeline
from model.alarm_config import AlarmConfig
from model.beat_types import BeatTyper, load_typer
from model.checkpoint import Checkpoint
from model.conditions import Ended
from model.config import DAMAGED_STATE
from model.episodes import to_change
from model.findings import Ahead, Findings, FindingsState
from model.forecaster import load_forecaster
from model.pipeline import BedOutput
from model.skill import AHEAD
from stream.alarm_messages import Limits
from stream.errors import StorageError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Models:
    """What was learnt from recordings, and how alarms are set: the same for all beds.

    Attributes
    ----------
    forecaster : Checkpoint
    typer : BeatTyper
    alarms : AlarmConfig
    """

    forecaster: Checkpoint
    typer: BeatTyper
    alarms: AlarmConfig


def load_models(weights: Path | None = None, alarms: Path | None = None) -> Models:
    """Load what comes with the package, or a forecaster or alarm settings of one's own.

    Raises
    ------
    CheckpointError
        The weights are missing, damaged, or made for another network.
    UsageError
        The alarm settings cannot be.
    """
    return Models(load_forecaster(weights), load_typer(), alarm_config.load(alarms))


@dataclass(frozen=True, slots=True)
class WatchState:
    """All that is remembered of one bed.

    Attributes
    ----------
    ahead : model.pipeline.BedState
    findings : FindingsState
    leads : tuple of str
    """

    ahead: pipeline.BedState
    findings: FindingsState
    leads: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return msgspec.msgpack.encode((self.ahead.to_bytes(), self.findings.to_bytes(), self.leads))

    @classmethod
    def from_bytes(cls, data: bytes) -> WatchState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            ahead, found, leads = msgspec.msgpack.decode(data, type=tuple[bytes, bytes, tuple[str, ...]])
        except msgspec.DecodeError as error:
            raise StorageError(DAMAGED_STATE) from error
        return cls(pipeline.BedState.from_bytes(ahead), FindingsState.from_bytes(found), leads)


def begin(models: Models, leads: Sequence[str], start: int, epoch_start: int) -> WatchState:
    """Return the state of a bed whose first sample will be ``start``, in an epoch that began at ``epoch_start``."""
    ahead = pipeline.begin(models.forecaster, len(leads), start, epoch_start)
    return WatchState(ahead, findings.begin(leads, start, epoch_start), tuple(leads))


def step(
    models: Models, states: Sequence[WatchState], chunks: Sequence[FloatArray], limits: Sequence[Limits]
) -> list[tuple[BedOutput, Findings, WatchState]]:
    """Take one chunk for each bed.

    Parameters
    ----------
    models : Models
    states : sequence of WatchState
    chunks : sequence of ndarray of float64, shape (n, leads)
        mV, NaN where invalid; the samples that follow those seen.
    limits : sequence of Limits
        Of each bed, as they are now.

    Returns
    -------
    list of (BedOutput, Findings, WatchState)
        In the order of ``states``.
    """
    stepped = pipeline.step(models.forecaster, [state.ahead for state in states], chunks)
    results = []
    for state, chunk, limit, (output, ahead) in zip(states, chunks, limits, stepped, strict=True):
        start = state.findings.end
        said = [
            Ahead(made.origin, float(chunk[made.origin - start, 0]), float(made.mean[AHEAD, 0]), made.score)
            for made in output.published
        ]
        surprising = [to_change(event, state.leads) for event in output.events]
        found, left = findings.step(models.typer, models.alarms, limit, state.findings, chunk, said, surprising)
        results.append((output, found, WatchState(ahead, left, state.leads)))
    return results


def finish(state: WatchState) -> tuple[Ended, ...]:
    """Return the ends of what is open, because the epoch ends and nothing follows it."""
    surprising = (to_change(event, state.leads) for event in pipeline.finish(state.ahead))
    ended = tuple(change for change in surprising if isinstance(change, Ended))
    return (*ended, *findings.finish(state.findings))
