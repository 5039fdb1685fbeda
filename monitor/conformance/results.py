"""What a worker publishes of a bed beside alarms, and the numerics of both sides, against the ECG.

Each is judged a moment after it has come (`monitor.conformance.checker.PATIENCE_NS`): MQTT keeps no order between
topics of different QoS.
"""

from __future__ import annotations

from monitor.conformance import rules
from monitor.conformance.bed_stream import BedStream
from monitor.conformance.findings import Note
from stream.timebase import FS, STRIDE
from stream.wire.lease import LeaseState, check_lease, lease_of
from stream.wire.messages import Beat, Forecast, Message, Vitals
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import Outlook

MISSING_S = 5
"""Seconds of signal without vital signs that are not accepted while a worker serves the bed."""


class BedResults:
    """The last results of a bed."""

    def __init__(self) -> None:
        self._lease = LeaseState()
        self._forecast: Forecast | None = None
        self._beat: Beat | None = None
        self._vitals: Vitals | None = None
        self._numerics: dict[bool, tuple[Numerics, ...]] = {}
        self._outlook: Outlook | None = None
        self._missing = False
        self._served_from: tuple[str, int] | None = None

    def check_lease(self, message: Message, now_ns: int, note: Note) -> None:
        """Check the lease of an output of a worker, in the order of arrival; monotonic time in ns."""
        found = lease_of(message)
        if found is None:
            return
        _, lease = found
        accepted, self._lease = check_lease(self._lease, lease, now_ns)
        if not accepted:
            note(rules.LEASE, f"lease {lease} after {self._lease.lease}")
        elif not lease:
            note(rules.NO_LEASE, "lease 0")

    def result(self, message: Message, stream: BedStream, note: Note) -> None:
        """Check one result."""
        last = stream.last
        if last is None:
            return
        match message:
            case Forecast():
                self._check_forecast(message, stream, note)
            case Beat():
                if _is_of_stream(message.session, message.index, stream, note):
                    before, self._beat = self._beat, message
                    if before and before.session == message.session and message.index <= before.index:
                        note(rules.BEAT, f"a beat at {message.index} after one at {before.index}")
            case Vitals():
                if _is_of_stream(message.session, message.index, stream, note):
                    self._check_vitals(message, last.epoch_start, note)
            case Numerics():
                self._check_numerics(message, stream, note)

    def outlook(self, outlook: Outlook, note: Note) -> None:
        """Check an outlook."""
        before, self._outlook = self._outlook, outlook
        if before is None or outlook == before or before.session != outlook.session:
            return
        if before.epoch == outlook.epoch and not (outlook.hour > before.hour and outlook.index > before.index):
            note(rules.OUTLOOK, f"hour {outlook.hour} after hour {before.hour}")

    def check_missing(self, stream: BedStream, served: bool, note: Note) -> None:
        """Check that vital signs come while a worker serves the bed."""
        last = stream.last
        if last is None or not served:
            self._served_from = None
            return
        if self._served_from is None or self._served_from[0] != last.session:
            self._served_from = last.session, last.end
        known = self._served_from[1]
        if self._vitals is not None and self._vitals.session == last.session:
            known = max(known, self._vitals.index)
        missing_s = (last.end - known - last.n) / FS
        if missing_s <= MISSING_S * max(last.speed, 1.0):
            self._missing = False
        elif not self._missing:
            self._missing = True
            note(rules.VITALS, f"none for {missing_s:.0f} s of signal while a worker serves the bed")

    def _check_forecast(self, forecast: Forecast, stream: BedStream, note: Note) -> None:
        last = stream.last
        assert last is not None
        if not _is_of_session(forecast.session, stream, note):
            return
        if forecast.seq > last.seq:
            note(rules.AHEAD, f"the forecast of seq {forecast.seq}, and ECG up to seq {last.seq}")
            return
        chunk = stream.chunks.get(forecast.seq)
        if chunk is not None:
            for name, own, of_ecg in (
                ("epoch", forecast.epoch, chunk.epoch),
                ("leads", forecast.leads, chunk.analysed),
            ):
                if own != of_ecg:
                    note(rules.FORECAST, f"{name} {own} of seq {forecast.seq}", f"{name} {of_ecg}")
            if not chunk.start <= forecast.origin < chunk.end:
                seen = f"origin {forecast.origin} of seq {forecast.seq}"
                note(rules.FORECAST, seen, f"a sample from {chunk.start} to {chunk.end - 1}")
        before, self._forecast = self._forecast, forecast
        if before is None or (before.session, before.epoch) != (forecast.session, forecast.epoch):
            return
        step = forecast.origin - before.origin
        if step <= 0 or step % STRIDE:
            note(rules.STRIDE, f"origin {forecast.origin} after {before.origin}")

    def _check_vitals(self, vitals: Vitals, epoch_start: int, note: Note) -> None:
        before, self._vitals = self._vitals, vitals
        # A retained message is published again, unchanged, after a reconnect or when another client has overwritten it.
        if before is None or vitals == before or before.session != vitals.session:
            return
        step = vitals.index - before.index
        if before.index < epoch_start <= vitals.index and step > 0:
            return  # a new epoch counts its seconds anew
        if step < FS or step % FS:
            note(rules.VITALS, f"vital signs of sample {vitals.index} after those of {before.index}")

    def _check_numerics(self, numerics: Numerics, stream: BedStream, note: Note) -> None:
        last = stream.last
        assert last is not None
        if not _is_of_stream(numerics.session, numerics.index, stream, note):
            return
        if numerics.epoch not in stream.epochs:
            note(rules.NUMERICS, f"epoch {numerics.epoch}", f"epoch {last.epoch}")
        if numerics in self._numerics.get(numerics.derived, ()):
            return
        of_epoch = self._numerics.get(numerics.derived, ())
        same = bool(of_epoch) and (of_epoch[-1].session, of_epoch[-1].epoch) == (numerics.session, numerics.epoch)
        self._numerics[numerics.derived] = (*of_epoch[-1:], numerics) if same else (numerics,)
        # The first one of an epoch comes at once, the second at the moment of its source.
        before = of_epoch[-1] if same and len(of_epoch) > 1 else None
        if before is not None and numerics.index - before.index < FS:
            note(rules.NUMERICS, f"values of sample {numerics.index} after those of {before.index}")


def _is_of_stream(session: str, index: int, stream: BedStream, note: Note) -> bool:
    """Return whether a sample is one of those that have been received."""
    last = stream.last
    assert last is not None
    if not _is_of_session(session, stream, note):
        return False
    if index >= last.end:
        note(rules.AHEAD, f"sample {index}, and ECG up to {last.end - 1}")
        return False
    return True


def _is_of_session(session: str, stream: BedStream, note: Note) -> bool:
    """Return whether a session is that of the ECG; an earlier one is no violation, as another may have just begun."""
    assert stream.last is not None
    if session != stream.last.session and not stream.is_former(session):
        note(rules.SESSION, f"session {session[:8]}", f"session {stream.last.session[:8]}")
    return session == stream.last.session
