"""Simulated feed for benchmarks: the messages of publisher and worker for several beds, in simulated time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray
from stream.clock import rfc3339
from stream.mqtt.client import Received
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.alarm_texts import Phrase, with_text
from stream.wire.codec import topic_of
from stream.wire.messages import Beat, Forecast, Message, Vitals, Waveform
from stream.wire.numerics_message import UNIT_OF, Numeric, NumericName, Numerics
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.wave_message import WAVE_UNIT, Signal, Wave

FPS = 60
CHUNK = 36
OFFSETS = (*range(4, 97, 4), *range(108, 361, 12))
"""Samples of a forecast, as the worker sends them."""

ALARM_PERIOD_S = 12
"""Interval between the low-priority alarms of each bed, s; each lasts 3 s."""

_LEADS = ("MLII", "V1")
_GAIN, _ZERO = 200.0, 1024
_WAVE_GAIN = 100.0

WAVE_FS = 125.0
"""Sampling rate of other waves, Hz."""

_NUMERICS: dict[NumericName, float] = {
    "spo2": 95.0,
    "pulse_rate": 70.0,
    "abp_systolic": 118.0,
    "abp_diastolic": 76.0,
    "abp_mean": 90.0,
    "pap_systolic": 24.0,
    "pap_diastolic": 10.0,
    "pap_mean": 15.0,
    "cvp_mean": 6.0,
    "respiration_rate": 14.0,
    "etco2": 36.0,
    "temperature": 36.6,
}
_T0 = 1_700_000_000_000_000_000
_SECOND = 1_000_000_000


class SimulatedFeed:
    """Source of messages and clock for a window.

    Parameters
    ----------
    samples : array of shape (n, 2)
        A recording in adu, 200 adu/mV around 1024; each bed starts at another position in it.
    beds : int
    waves : dict of str to array of shape (n,), int16
        Other waves of each bed at `WAVE_FS`, in adu, 100 adu per unit; they repeat.
    """

    connected = True
    phrase = Phrase("broker.connected", (("address", "a simulated feed"),))

    def __init__(
        self,
        samples: npt.NDArray[np.int16],
        beds: int,
        waves: Mapping[Signal, npt.NDArray[np.int16]] = MappingProxyType({}),
    ) -> None:
        self.counters = {"rejected": 0}
        self._samples = np.ascontiguousarray(samples, "<i2")
        self._mv = (self._samples.astype(np.float32) - _ZERO) / _GAIN
        self._waves = {name: np.ascontiguousarray(adu, "<i2") for name, adu in waves.items()}
        self._beds, self._frame = beds, 0
        self._seq = [0] * beds
        self._ready: list[Received] = []
        when = rfc3339(_T0)
        for role in ("publisher", "worker"):
            self._add(ProcessStatus(role=role, instance=role, state="online", when=when))
        for number in range(beds):
            self._add(
                BedStatus(
                    bed=self._name(number),
                    role="worker",
                    instance="worker",
                    state="forecasting",
                    when=when,
                    record="mitdb/208",
                    session=self._session(number),
                )
            )

    # --- interface of the window's source -----------------------------------------------------------------------

    def clock(self) -> int:
        """Return the simulated Unix time in ns."""
        return _T0 + self._frame * _SECOND // FPS

    def drain(self) -> list[Received]:
        """Return the messages since the last call."""
        messages, self._ready = self._ready, []
        return messages

    def send(self, message: Message) -> bool:  # noqa: ARG002
        """Return False: no broker is connected."""
        return False

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Advance by 1/60 s and add the messages that are due; the due times of the beds are staggered."""
        self._frame += 1
        for number in range(self._beds):
            while self._due(number) <= self.clock():
                self._stream(number)

    def mv(self, number: int, start: int, count: int) -> FloatArray:
        """Return samples of a bed in mV, shape (count, 2)."""
        return np.take(self._mv, self._rows(number, start, count), axis=0, mode="wrap")

    def _rows(self, number: int, start: int, count: int) -> npt.NDArray[np.int64]:
        return np.arange(start, start + count) + number * len(self._samples) // self._beds

    def _due(self, number: int) -> int:
        return _T0 + (self._seq[number] + 1) * _SECOND // 10 + number * _SECOND // 10 // self._beds

    def _stream(self, number: int) -> None:
        bed, session, seq, due = self._name(number), self._session(number), self._seq[number], self._due(number)
        self._seq[number] += 1
        start = seq * CHUNK
        samples = np.take(self._samples, self._rows(number, start, CHUNK), axis=0, mode="wrap")
        for signal, adu in self._waves.items():
            self._add_wave(bed, session, seq, signal, adu)
        self._add(
            Waveform(
                bed=bed,
                session=session,
                epoch=0,
                seq=seq,
                start=start,
                epoch_start=0,
                t0_ns=due - _SECOND // 10,
                speed=1.0,
                fs=FS,
                leads=_LEADS,
                gain=(_GAIN, _GAIN),
                zero=(_ZERO, _ZERO),
                samples=samples.tobytes(),
                record="mitdb/208",
                position=start,
                synthetic=False,
            )
        )
        end = start + CHUNK
        mean = self.mv(number, end, OFFSETS[-1])[np.array(OFFSETS) - 1] * np.float32(0.9)
        self._add(
            Forecast(
                bed=bed,
                session=session,
                epoch=0,
                seq=seq,
                origin=end - 1,
                offsets=OFFSETS,
                leads=_LEADS,
                mean=mean.astype("<f4").tobytes(),
                scale=np.full(mean.shape, 0.1, "<f4").tobytes(),
                score=0.5,
                threshold=3.0,
                published_ns=due,
            )
        )
        if seq % 8 == 0:
            self._add(Beat(bed=bed, session=session, index=end, type="N", rr_ms=800.0, quality=1.0))
        if seq % 10 == 0:
            self._add_vitals(bed, session, end, due)
            if self._waves:
                self._add_numerics(bed, session, end, due)
        second, tenth = divmod(seq, 10)
        if tenth == 0 and (second + number) % ALARM_PERIOD_S in (0, 3):
            self._add_alarm(bed, session, end, due, ended=(second + number) % ALARM_PERIOD_S == 3)

    def _add_wave(self, bed: str, session: str, seq: int, signal: Signal, adu: npt.NDArray[np.int16]) -> None:
        first, stop = (math.ceil(index * WAVE_FS / FS) for index in (seq * CHUNK, (seq + 1) * CHUNK))
        start = first * FS / WAVE_FS
        self._add(
            Wave(
                bed=bed,
                session=session,
                epoch=0,
                seq=seq,
                signal=signal,
                unit=WAVE_UNIT[signal],
                start=start,
                epoch_start=0,
                t0_ns=_T0 + round(start * _SECOND / FS),
                speed=1.0,
                fs=WAVE_FS,
                gain=_WAVE_GAIN,
                zero=0,
                samples=np.take(adu, np.arange(first, stop), mode="wrap").tobytes(),
                record="mitdb/208",
                position=start,
                synthetic=False,
            )
        )

    def _add_vitals(self, bed: str, session: str, index: int, due: int) -> None:
        self._add(
            Vitals(
                bed=bed,
                session=session,
                index=index,
                when=rfc3339(due),
                heart_rate=70.0 + index // FS % 9,
                rr_ms=800.0,
                pvc_per_min=2,
                rhythm="sinus",
                quality=1.0,
                score=0.5,
                skill=0.8,
            )
        )

    def _add_numerics(self, bed: str, session: str, index: int, due: int) -> None:
        values = tuple(
            Numeric(name=name, value=value + index // FS % 3, unit=UNIT_OF[name], source="recorded", age_s=0.5)
            for name, value in _NUMERICS.items()
        )
        self._add(
            Numerics(bed=bed, session=session, epoch=0, index=index, when=rfc3339(due), values=values, synthetic=False)
        )

    def _add_alarm(self, bed: str, session: str, index: int, due: int, *, ended: bool) -> None:
        onset = index - 3 * FS if ended else index
        alarm = Alarm(
            event_id=f"{session}-{onset}-{ended}",
            alarm_id=f"{session}-{onset}",
            bed=bed,
            session=session,
            record="mitdb/208",
            kind="unusual_complexes",
            priority="low",
            phase="cleared" if ended else "raised",
            onset=max(onset, 0),
            end=index if ended else None,
            when=rfc3339(due),
            text="",
            reason="rule_no_longer_met" if ended else "rule_met",
            leads=("MLII",),
            horizon_ms=100.0,
            observed=1.0,
            predicted=0.1,
            score=4.0,
            threshold=3.0,
            duration_s=3.0 if ended else 0.0,
        )
        alarm = with_text(alarm)
        self._add(alarm)
        self._add(ActiveAlarms(bed=bed, alarms=() if ended else (alarm,)))

    def _add(self, message: Message) -> None:
        self._ready.append(Received(topic_of(message), message, False, self.clock(), 0, 0, self.clock()))

    def _name(self, number: int) -> str:
        return f"bed-{number + 1:02}"

    def _session(self, number: int) -> str:
        return f"{number:032x}"
