"""Levels of the signals of a record, to which injections refer; measured once, when they are first needed."""

from __future__ import annotations

import numpy as np

from stream.injections import pressure
from stream.injections.chain import Channel
from stream.injections.signal_level import qrs_amplitude, wave_level
from stream.records.record import Record
from stream.records.synthetic.generator import generate
from stream.replay.playhead import AnyRecord
from stream.timebase import FS
from stream.wire.status_messages import RunningInjection

MEASURED_S = 300
"""Length of the part of a record, from its start, in which the levels of a signal are measured, s."""

LIVE_S = 30
"""Length of a record of a live patient's double, on which they are measured, s."""

NORMAL = frozenset("NLRB/")
"""Annotations of complexes whose amplitude counts: those that `nst` calls normal, and what a bundle branch block or a
pacemaker makes of them."""


class RecordLevels:
    """Levels of the signals of a record.

    Attributes
    ----------
    record : Record or LiveRecord
    ecg : tuple of Channel
        One for each lead.
    """

    def __init__(self, record: AnyRecord, bed: str) -> None:
        self.record, self._bed = record, bed
        if isinstance(record, Record):
            self._part = record.until(min(MEASURED_S * FS, record.n))
        else:  # of a live patient little is known, and what is read ahead could not be changed any more
            self._part = generate(record.patient, LIVE_S, seed=0)
        self._waves: dict[str, Channel] = {}
        self._shares: dict[tuple[str | None, float, float], float] = {}
        peaks = np.empty(0, np.int64)
        if self._part.annotations is not None:
            normal = np.array([symbol in NORMAL for symbol in self._part.annotations.symbol], bool)
            peaks = self._part.annotations.sample[normal]
            peaks = peaks[peaks < self._part.n]
        self.ecg = tuple(
            Channel(bed, name, gain, zero, 0.0, qrs_amplitude(mv, FS, peaks))
            for name, gain, zero, mv in zip(record.leads, record.gain, record.zero, self._part.mv().T, strict=True)
        )

    @property
    def by_impedance(self) -> bool:
        """Whether the device counts breaths by the impedance of the thorax, for want of carbon dioxide."""
        signals = {wave.signal for wave in self._part.waves}
        return "resp" in signals and "co2" not in signals

    def wave(self, signal: str) -> Channel:
        """Return the level of another wave."""
        if signal not in self._waves:
            [wave] = [wave for wave in self._part.waves if wave.signal == signal]
            self._waves[signal] = Channel(self._bed, "", wave.gain, wave.zero, *wave_level(wave.values(wave.adu)))
        return self._waves[signal]

    def pulse_share(self, injection: RunningInjection) -> float:
        """Return the share of the pulse of a pressure that comes through a damped line."""
        key = (injection.signal, injection.hz or 0.0, injection.level or 0.0)
        if key not in self._shares:
            waves = [wave for wave in self._part.waves if wave.signal == injection.signal]
            part = [wave.values(wave.adu[: round(30 * wave.fs)]) for wave in waves]
            self._shares[key] = pressure.pulse_share(part[0], waves[0].fs, *key[1:]) if part else 1.0
        return self._shares[key]
