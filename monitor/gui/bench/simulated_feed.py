"""Beds that stream in made time: what a publisher and a worker would say of them, frame by frame. For measurements."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray
from stream.clock import rfc3339
from stream.mqtt.client import Received
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.codec import topic_of
from stream.wire.messages import Beat, BedStatus, Forecast, Message, ProcessStatus, Vitals, Waveform
from stream.wire.phrases import Phrase, with_text

FPS = 60
CHUNK = 36
HORIZON = 96
ALARM_S = 12
"""Each bed has a low alarm of 3 s so often."""

_LEADS = ("MLII", "V1")
_GAIN, _ZERO = 200.0, 1024
_T0 = 1_700_000_000_000_000_000
_SECOND = 1_000_000_000


class Ward:
    """A source of messages for a window, and its clock.

    Parameters
    ----------
    samples : array of shape (n, 2)
        A recording, adu at 200 adu/mV around 1024; each bed begins elsewhere in it.
    beds : int
    """

    connected = True
    phrase = Phrase("broker.connected", (("address", "a simulated feed"),))

    def __init__(self, samples: npt.NDArray[np.int16], beds: int) -> None:
        self.counters = {"rejected": 0}
        self._samples = np.ascontiguousarray(samples, "<i2")
        self._mv = (self._samples.astype(np.float32) - _ZERO) / _GAIN
        self._beds, self._frame = beds, 0
        self._seq = [0] * beds
        self._ready: list[Received] = []
        when = rfc3339(_T0)
        for role in ("publisher", "worker"):
            self._say(ProcessStatus(role=role, instance=role, state="online", when=when))
        for number in range(beds):
            self._say(
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

    # --- what a window needs of a source ------------------------------------------------------------------------

    def clock(self) -> int:
        """Return Unix time in ns, as made here."""
        return _T0 + self._frame * _SECOND // FPS

    def drain(self) -> list[Received]:
        """Return what has come since the last call."""
        taken, self._ready = self._ready, []
        return taken

    def send(self, message: Message) -> bool:  # noqa: ARG002
        """Send nothing: nobody is there."""
        return False

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Let 1/60 s pass, and what is due come. Each bed's chunks are due at moments of their own."""
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
        self._say(
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
        mean = self.mv(number, end, HORIZON) * np.float32(0.9)
        self._say(
            Forecast(
                bed=bed,
                session=session,
                epoch=0,
                seq=seq,
                origin=end - 1,
                leads=_LEADS,
                mean=mean.astype("<f4").tobytes(),
                scale=np.full((HORIZON, 2), 0.1, "<f4").tobytes(),
                score=0.5,
                threshold=3.0,
                published_ns=due,
            )
        )
        if seq % 8 == 0:
            self._say(Beat(bed=bed, session=session, index=end, type="N", rr_ms=800.0, quality=1.0))
        if seq % 10 == 0:
            self._say_vitals(bed, session, end, due)
        second, tenth = divmod(seq, 10)
        if tenth == 0 and (second + number) % ALARM_S in (0, 3):
            self._say_alarm(bed, session, end, due, over=(second + number) % ALARM_S == 3)

    def _say_vitals(self, bed: str, session: str, index: int, due: int) -> None:
        self._say(
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

    def _say_alarm(self, bed: str, session: str, index: int, due: int, *, over: bool) -> None:
        onset = index - 3 * FS if over else index
        alarm = Alarm(
            event_id=f"{session}-{onset}-{over}",
            alarm_id=f"{session}-{onset}",
            bed=bed,
            session=session,
            record="mitdb/208",
            kind="residual",
            priority="low",
            phase="cleared" if over else "raised",
            onset=max(onset, 0),
            end=index if over else None,
            when=rfc3339(due),
            text="",
            reason="rule_no_longer_met" if over else "rule_met",
            leads=("MLII",),
            horizon_ms=100.0,
            observed=1.0,
            predicted=0.1,
            score=4.0,
            threshold=3.0,
            duration_s=3.0 if over else 0.0,
        )
        alarm = with_text(alarm)
        self._say(alarm)
        self._say(ActiveAlarms(bed=bed, alarms=() if over else (alarm,)))

    def _say(self, message: Message) -> None:
        self._ready.append(Received(topic_of(message), message, False, self.clock(), 0, 0))

    def _name(self, number: int) -> str:
        return f"bed-{number + 1:02}"

    def _session(self, number: int) -> str:
        return f"{number:032x}"
