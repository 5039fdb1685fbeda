"""Messages of the worker from the results of the analysis."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Literal

from model.anomaly.state import DEFAULT_CONFIG
from model.beats.beat import Beat as DetectedBeat
from model.forecast.personal_forecast import OFFSETS
from model.physiology.derived_values import DerivedValues
from model.pipeline.vitals_output import StrideForecast
from model.rhythm.vitals import VitalSigns
from model.serving.bed import Bed
from stream.clock import rfc3339
from stream.timebase import FS
from stream.wire.messages import Beat, Forecast, Vitals
from stream.wire.numerics_message import Numerics
from stream.wire.status_messages import BedStatus

VITALS = tuple(field.name for field in fields(VitalSigns))
"""What a message has of the vital signs."""


def forecast_message(bed: Bed, forecast: StrideForecast, now_ns: int) -> Forecast:
    """Return the message of a forecast made while the last chunk of a bed was processed."""
    chunk = bed.chunk
    return Forecast(
        bed=chunk.bed,
        session=chunk.session,
        epoch=chunk.epoch,
        seq=chunk.seq,
        origin=forecast.origin,
        leads=chunk.analysed,
        offsets=OFFSETS,
        mean=forecast.personal_mean.astype("<f4", copy=False).tobytes(),
        scale=forecast.personal_scale.astype("<f4", copy=False).tobytes(),
        score=None if math.isnan(forecast.score) else forecast.score,
        threshold=DEFAULT_CONFIG.threshold,
        published_ns=now_ns,
        lease=bed.lease,
    )


def beat_message(bed: Bed, beat: DetectedBeat) -> Beat:
    """Return the message of a beat detected while the last chunk of a bed was processed."""
    return Beat(
        bed=bed.name,
        session=bed.session,
        index=beat.index,
        type=beat.type,
        rr_ms=None if beat.rr is None else 1000 * beat.rr / FS,
        quality=beat.quality,
        lease=bed.lease,
    )


def vitals_message(bed: Bed, vitals: VitalSigns, now_ns: int) -> Vitals:
    """Return the message of the vital signs of a second that ends in the last chunk of a bed."""
    return Vitals(
        bed=bed.name,
        session=bed.session,
        when=rfc3339(now_ns),
        lease=bed.lease,
        **{name: getattr(vitals, name) for name in VITALS},
    )


def numerics_message(bed: Bed, derived: DerivedValues, now_ns: int) -> Numerics:
    """Return the message of the values derived from the waves in a second that ends in the last chunk of a bed."""
    return Numerics(
        bed=bed.name,
        session=bed.session,
        epoch=bed.chunk.epoch,
        index=derived.index,
        when=rfc3339(now_ns),
        values=derived.values,
        synthetic=bed.chunk.synthetic,
        lease=bed.lease,
    )


def status_message(
    bed: Bed, instance: str, state: Literal["learning", "forecasting", "stopped"], now_ns: int
) -> BedStatus:
    """Return the status of a bed; ``instance`` names the worker's process."""
    chunk = bed.chunk
    return BedStatus(
        bed=chunk.bed,
        role="worker",
        instance=instance,
        state=state,
        when=rfc3339(now_ns),
        record=chunk.record,
        session=chunk.session,
        position=chunk.position + chunk.n,
        speed=chunk.speed,
        last_seq=chunk.seq,
        synthetic=chunk.synthetic,
        counters=dict(bed.counters),
        lease=bed.lease,
    )
