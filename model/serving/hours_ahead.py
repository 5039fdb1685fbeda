"""The outlooks of beds with ECG: once an hour of the record, from their numerics; no sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.conditions.numeric_values import NumericSamples
from model.serving import bed_hours, hourly_outlook
from model.serving.bed import Bed
from model.serving.checkpoint_writer import CheckpointWriter
from model.serving.outlook_output import Origin, outlook_message
from model.trends.forecaster import TrendForecaster
from stream.wire.messages import Message


class HoursAhead:
    """Follows the hours of all beds with ECG that have numerics.

    Parameters
    ----------
    forecaster : callable
        Returns the forecaster; called once there are numerics.
    send : callable
        Sends a message; never blocks.
    checkpoints : CheckpointWriter
        A bed is saved before its outlook is sent: the next worker does not send the hour again.
    """

    def __init__(
        self,
        forecaster: Callable[[], TrendForecaster],
        send: Callable[[Message], None],
        checkpoints: CheckpointWriter,
    ) -> None:
        self._forecaster = forecaster
        self._send = send
        self._checkpoints = checkpoints

    def push(self, bed: Bed, samples: Sequence[NumericSamples], now_ns: int) -> None:
        """Process the values of the last chunk of a bed; Unix time in ns."""
        if not samples:
            return
        forecaster, chunk = self._forecaster(), bed.chunk
        bed.hours, outlook = bed_hours.step(forecaster, bed.hours, chunk, samples)
        if outlook is None or bed.hours is None:
            return
        self._checkpoints.save(bed)
        origin = Origin(bed.name, chunk.session, chunk.epoch, chunk.end - 1, chunk.record, chunk.synthetic)
        limit = hourly_outlook.threshold(forecaster)
        self._send(outlook_message(origin, bed.hours.hours, outlook, limit, now_ns, bed.lease))
