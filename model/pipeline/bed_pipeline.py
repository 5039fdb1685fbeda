"""All that the monitor makes of a bed's signal, the same live and offline: forecast and surprise, then the findings.

``begin`` gives the state of a bed at the start of an epoch, ``step`` takes one chunk for each bed, ``finish`` ends
what is open when the epoch breaks. `model.pipeline.forecast_pipeline` forecasts for all beds at once,
`model.pipeline.arrhythmia_pipeline` looks at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from model.anomaly.episodes import to_change
from model.beats.classifier import BeatTyper, load_typer
from model.conditions import settings
from model.conditions.changes import Ended
from model.conditions.settings import AlarmConfig
from model.forecast.checkpoint import Checkpoint
from model.forecast.forecaster import load_forecaster
from model.forecast.skill import AHEAD
from model.pipeline import arrhythmia_pipeline as findings
from model.pipeline import forecast_pipeline
from model.pipeline.arrhythmia_pipeline import Ahead, Findings, FindingsState
from model.pipeline.forecast_pipeline import BedOutput
from model.signal.arrays import FloatArray
from model.signal.state_codec import DAMAGED_STATE
from stream.errors import StorageError
from stream.wire.alarm_messages import Limits


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
    return Models(load_forecaster(weights), load_typer(), settings.load(alarms))


@dataclass(frozen=True, slots=True)
class WatchState:
    """All that is remembered of one bed.

    Attributes
    ----------
    ahead : model.pipeline.forecast_pipeline.BedState
    findings : FindingsState
    leads : tuple of str
    """

    ahead: forecast_pipeline.BedState
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
        return cls(forecast_pipeline.BedState.from_bytes(ahead), FindingsState.from_bytes(found), leads)


def begin(models: Models, leads: Sequence[str], start: int, epoch_start: int) -> WatchState:
    """Return the state of a bed whose first sample will be ``start``, in an epoch that began at ``epoch_start``."""
    ahead = forecast_pipeline.begin(models.forecaster, len(leads), start, epoch_start)
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
    stepped = forecast_pipeline.step(models.forecaster, [state.ahead for state in states], chunks)
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
    events = forecast_pipeline.finish(state.ahead)
    anomalies = (to_change(event, state.leads, "signal_interrupted") for event in events)
    ended = tuple(change for change in anomalies if isinstance(change, Ended))
    return (*ended, *findings.finish(state.findings))
